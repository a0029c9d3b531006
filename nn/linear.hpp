#pragma once

#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {

/// y = x W^T + b, with PyTorch's layout and initial values: uniform in +-1 / sqrt(in).
struct Linear {
    Tensor weight;  ///< [out, in]
    Tensor bias;    ///< [out], or undefined

    Linear() = default;
    /// Throws ValueError unless both numbers of features are 1 or more.
    Linear(std::int64_t in, std::int64_t out, Generator& generator, bool with_bias = true);

    /// x [.., in] -> [.., out].  Throws what linear() throws: ShapeError for another width, DtypeError for another
    /// dtype; ValueError if the layer has no weight.
    Tensor operator()(const Input& x) const;

    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

}  // namespace wengert
