#pragma once

#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {

/// Normalisation by the root of the mean square over the last axis (see rms_norm()), with PyTorch's initial values:
/// weight 1.
struct RmsNorm {
    Tensor weight;         ///< [n]
    double eps = 0x1p-23;  ///< added to the mean square, so that it is never 0

    RmsNorm() = default;
    /// Throws ValueError unless n is 1 or more and eps 0 or more.
    explicit RmsNorm(std::int64_t n, double eps = 0x1p-23);

    /// x [.., n] -> [.., n].  Throws what rms_norm() throws, and ValueError if the layer has no weight.
    Tensor operator()(const Input& x) const;

    void visit(auto&& f) { f("weight", weight); }
};

}  // namespace wengert
