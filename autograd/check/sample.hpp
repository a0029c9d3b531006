#pragma once

#include <functional>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

/// One case of an op's gradient check: float64 inputs (and int64 ids), and the op as the public interface calls it.
struct Sample {
    std::string label;           ///< what a failure calls the case: "[3, 4] x [4, 5]"
    std::vector<Tensor> inputs;  ///< operands in float64, away from kinks
    /// The op, called as a user calls it.
    std::function<Tensor(const std::vector<Tensor>&)> f;
};

/// Uniform values in [low, high) from a fixed sequence, different for each seed: inputs for samples and tests.
Tensor sample_values(const Shape& shape, double low, double high, std::uint64_t seed);

}  // namespace wengert
