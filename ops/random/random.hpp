#pragma once

#include <cstdint>
#include <random>
#include <wengert/autograd/tensor/tensor.hpp>

namespace wengert {

/// A seeded source of random numbers: the same sequence on every platform, but for the last bits of normal(), which are
/// the C library's.
class Generator {
  public:
    explicit Generator(std::uint64_t seed = 0) : engine_(seed) {}
    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    /// Standard normal (Box and Muller 1958).
    double normal();

  private:
    std::mt19937_64 engine_;
};

/// Independent values, uniform in [low, high) or normal.
Tensor uniform(const Shape& shape, double low, double high, Generator& generator, Dtype dtype = Dtype::float32);
Tensor normal(const Shape& shape, double mean, double deviation, Generator& generator, Dtype dtype = Dtype::float32);

}  // namespace wengert
