#pragma once

#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {

/// Layer normalisation over the last axis (Ba et al. 2016, arXiv:1607.06450):
///
///     y = (x - mean) / sqrt(variance + eps) * weight + bias
///
/// The mean and the variance (divided by n, not by n - 1) are those of each row. Initial values as PyTorch's: weight 1,
/// bias 0.
struct LayerNorm {
    Tensor weight;      ///< [n]
    Tensor bias;        ///< [n], or undefined
    double eps = 1e-5;  ///< added to the variance, so that it is never 0

    LayerNorm() = default;
    /// Throws ValueError unless n is 1 or more and eps 0 or more.
    explicit LayerNorm(std::int64_t n, double eps = 1e-5, bool with_bias = true);

    /// x [.., n] -> [.., n].  Throws ShapeError for another width, DtypeError for another dtype than the weight's,
    /// ValueError if the layer has no weight.
    Tensor operator()(const Input& x) const;

    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

}  // namespace wengert
