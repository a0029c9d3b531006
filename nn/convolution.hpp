#pragma once

#include <wengert/nn/module.hpp>

/// Convolutions with a weight and a bias, with PyTorch's layout and initial values: uniform in +-1 / sqrt(fan-in), the
/// fan-in being the number of a filter's elements. Constructors throw ValueError unless channels, kernels and groups
/// are 1 or more and the groups divide the channels. Calls throw what the functions throw, and ValueError if the layer
/// has no weight.
namespace WENGERT_EXPORT wengert {

/// conv1d() of x [B, in, L].
struct Conv1d {
    Tensor weight;          ///< [out, in / groups, k]
    Tensor bias;            ///< [out], or undefined
    Conv1dOptions options;  ///< with which it was made

    Conv1d() = default;
    /// A kernel of `kernel` elements. Throws ValueError unless all numbers are 1 or more and the groups divide `in` and
    /// `out`.
    Conv1d(std::int64_t in, std::int64_t out, std::int64_t kernel, Generator& generator,
           const Conv1dOptions& options = {}, bool with_bias = true);

    /// x [B, in, L] -> [B, out, L']
    Tensor operator()(const Input& x) const;

    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

/// conv2d() of x [B, in, H, W].
struct Conv2d {
    Tensor weight;          ///< [out, in / groups, kh, kw]
    Tensor bias;            ///< [out], or undefined
    Conv2dOptions options;  ///< with which it was made

    Conv2d() = default;
    /// A kernel of that height and width. Throws ValueError unless all numbers are 1 or more and the groups divide `in`
    /// and `out`.
    Conv2d(std::int64_t in, std::int64_t out, Size2d kernel, Generator& generator, const Conv2dOptions& options = {},
           bool with_bias = true);

    /// x [B, in, H, W] -> [B, out, H', W']
    Tensor operator()(const Input& x) const;

    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

/// conv_transpose2d() of x [B, in, H, W]. As in PyTorch, its fan-in is that of the convolution whose transpose it is:
/// out / groups times the kernel's area.
struct ConvTranspose2d {
    Tensor weight;                   ///< [in, out / groups, kh, kw]
    Tensor bias;                     ///< [out], or undefined
    ConvTranspose2dOptions options;  ///< with which it was made

    ConvTranspose2d() = default;
    /// A kernel of that height and width. Throws ValueError unless all numbers are 1 or more and the groups divide `in`
    /// and `out`.
    ConvTranspose2d(std::int64_t in, std::int64_t out, Size2d kernel, Generator& generator,
                    const ConvTranspose2dOptions& options = {}, bool with_bias = true);

    /// x [B, in, H, W] -> [B, out, H', W']
    Tensor operator()(const Input& x) const;

    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

}  // namespace wengert
