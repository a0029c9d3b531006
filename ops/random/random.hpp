#pragma once

#include <cstdint>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

/// A source of random numbers that is a position in a fixed sequence, one for each seed and stream: Philox4x32-10, the
/// cipher of a counter (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3). Whoever keeps (seed, stream,
/// position) can go on from there, and streams of one seed have nothing in common. The bits are the same on every
/// platform.
///
/// Every call draws whole blocks of 128 bits, and position() counts them.
class Generator {
  public:
    /// At position 0 of the sequence that seed and stream name.
    explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

    /// As the constructor was given it.
    std::uint64_t seed() const { return seed_; }
    /// As the constructor was given it.
    std::uint64_t stream() const { return stream_; }
    /// In blocks of 128 bits.
    std::uint64_t position() const { return position_; }
    /// Goes to a position, as position() told it.
    void seek(std::uint64_t position) { position_ = position; }

    /// Moves on by so many blocks, and says where they begin: where they began at first if a checkpoint() runs its
    /// function again; then the generator stays where it is. Throws TapeError if the function draws more than at first;
    /// so does whatever draws.
    std::uint64_t take(std::uint64_t blocks);

    /// 64 random bits.
    std::uint64_t bits();
    /// Uniform in [0, 1), a multiple of 2^-53.
    double uniform();
    /// A whole number, uniform in [0, bound). Throws ValueError if bound is 0.
    std::uint64_t below(std::uint64_t bound);
    /// Standard normal (Box and Muller 1958, A note on the generation of random normal deviates).
    double normal();

    friend bool operator==(const Generator&, const Generator&) = default;

  private:
    std::uint64_t seed_, stream_, position_ = 0;
};

/// Independent values, uniform in [low, high): low + (high - low) u, where u is a multiple of 2^-24 in float32 and of
/// 2^-53 in float64. A constant. Each element follows from the generator's position and its own alone, so that any
/// number of threads gives the same. Throws ValueError unless low <= high and high - low is finite, DtypeError for a
/// dtype that is not float32 or float64.
Tensor uniform(const Shape& shape, double low, double high, Generator& generator, Dtype dtype = Dtype::float32,
               const SourceLine& where = std::source_location::current());

/// Independent normal values, mean + deviation sqrt(-2 log u) cos(2 pi v) and the same with the sine, from two uniform
/// numbers each (Box and Muller 1958). None is further than 5.8 deviations from the mean in float32, 8.6 in float64. A
/// constant, and the same for any number of threads. Throws ValueError unless the mean is finite and the deviation
/// finite and 0 or more, DtypeError for a dtype that is not float32 or float64.
Tensor normal(const Shape& shape, double mean, double deviation, Generator& generator, Dtype dtype = Dtype::float32,
              const SourceLine& where = std::source_location::current());

/// Independent whole numbers, each of low .. high - 1 equally likely but for 2^-64: int64. A constant, and the same for
/// any number of threads. Throws ValueError unless low < high.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator,
               const SourceLine& where = std::source_location::current());

}  // namespace wengert
