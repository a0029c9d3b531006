#pragma once

#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {

/// Normalisation of each example's groups of channels (see group_norm()), with PyTorch's initial values: weight 1,
/// bias 0.
struct GroupNorm {
    Tensor weight;            ///< [C]
    Tensor bias;              ///< [C]
    std::int64_t groups = 1;  ///< how many groups the channels make
    double eps = 1e-5;        ///< added to the variance, so that it is never 0

    GroupNorm() = default;
    /// Throws ValueError unless both numbers are 1 or more, the groups divide the channels, and eps is 0 or more.
    GroupNorm(std::int64_t num_groups, std::int64_t num_channels, double eps = 1e-5);

    /// x [B, C, ..] -> the same.  Throws what group_norm() throws, and ValueError if the layer has no weight.
    Tensor operator()(const Input& x) const;

    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

}  // namespace wengert
