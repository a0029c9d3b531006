#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/network/size2d.hpp>

/// Convolutions of sequences [B, C, L] and of images [B, C, H, W], as PyTorch has them: filters are not flipped, and
/// what stands beyond the ends counts as 0. The three ops are linear in either operand, and each one's derivatives are
/// the two others, so that every order is exact. They are in float32 or float64, whatever ProductPrecision says; large
/// ones in float32 are oneDNN's.
///
/// `groups` parts the channels: filters of a group see the channels of the same group only. All throw ShapeError if the
/// operands do not fit, DtypeError if they are not of one floating type, ValueError unless stride, dilation and groups
/// are 1 or more and padding 0 or more.
namespace WENGERT_EXPORT wengert {

/// How a filter goes over its input.
template <class Size>
struct ConvOptions {
    /// Steps from window to window, zeros beyond the ends, steps inside of a window.
    Size stride = 1, padding = 0, dilation = 1;
    std::int64_t groups = 1;  ///< into which the channels are parted
};
/// Of conv1d().
using Conv1dOptions = ConvOptions<std::int64_t>;
/// Of conv2d().
using Conv2dOptions = ConvOptions<Size2d>;

/// How a transposed convolution spreads its input; each is that of the convolution whose derivative it is.
template <class Size>
struct ConvTransposeOptions {
    Size stride = 1, padding = 0;  ///< steps from window to window, and zeros beyond the ends
    Size output_padding = 0;       ///< how many more rows and columns the result has; less than the stride
    Size dilation = 1;             ///< steps inside of a window
    std::int64_t groups = 1;       ///< into which the channels are parted
};
/// Of conv_transpose1d().
using ConvTranspose1dOptions = ConvTransposeOptions<std::int64_t>;
/// Of conv_transpose2d().
using ConvTranspose2dOptions = ConvTransposeOptions<Size2d>;

/// y[b, o, i, j] = Σ weight[o, c, k, l] x[b, c, i stride + k dilation - padding, ..] + bias[o]: x [B, C, H, W], weight
/// [O, C / groups, kh, kw], bias [O] -> [B, O, H', W'] with H' = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1,
/// rounded down. Derivatives: the transposed convolution of ct; conv2d_weight(x, ct); ct, summed. Throws ShapeError,
/// too, if the kernel is larger than the padded image.
Tensor conv2d(const Input& x, const Input& weight, const Conv2dOptions& options = {});
Tensor conv2d(const Input& x, const Input& weight, const Input& bias, const Conv2dOptions& options = {});

/// The same along one axis: x [B, C, L], weight [O, C / groups, k], bias [O] -> [B, O, L'].
Tensor conv1d(const Input& x, const Input& weight, const Conv1dOptions& options = {});
Tensor conv1d(const Input& x, const Input& weight, const Input& bias, const Conv1dOptions& options = {});

struct Convolution {
    static constexpr std::string_view name = "convolution";
    static constexpr bool bilinear = true;
    static constexpr OpDoc doc{
        "conv2d(x, weight, bias, options), conv1d(x, weight, bias, options)",
        "[B, C, H, W], [O, C / groups, kh, kw], [O] -> [B, O, H', W']; [B, C, L], [O, C / groups, k], [O] -> "
        "[B, O, L']; the bias may be left out",
        "Σ weight[o, c, k] x[c, i stride + k dilation - padding] + bias[o]",
        "conv_transpose2d(ct, weight); conv2d_weight(x, ct); Σ ct"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 2;
    static constexpr std::array<std::string_view, 3> operands{"x", "weight", "bias"};
    Conv2dOptions options;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// The transposed convolution, which is conv2d()'s derivative by x: y[.., i stride + k dilation - padding, ..] gets
/// weight[c, o, k, l] x[b, c, i, j], and bias[o]. x [B, C, H, W], weight [C, O / groups, kh, kw], bias [O] -> [B, O,
/// H', W'] with H' = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1. Derivatives: conv2d(ct,
/// weight); conv2d_weight(ct, x); ct, summed. Throws ValueError, too, unless 0 <= output_padding < stride.
Tensor conv_transpose2d(const Input& x, const Input& weight, const ConvTranspose2dOptions& options = {});
Tensor conv_transpose2d(const Input& x, const Input& weight, const Input& bias,
                        const ConvTranspose2dOptions& options = {});

/// The same along one axis: x [B, C, L], weight [C, O / groups, k], bias [O] -> [B, O, L'].
Tensor conv_transpose1d(const Input& x, const Input& weight, const ConvTranspose1dOptions& options = {});
Tensor conv_transpose1d(const Input& x, const Input& weight, const Input& bias,
                        const ConvTranspose1dOptions& options = {});

struct TransposedConvolution {
    static constexpr std::string_view name = "transposed_convolution";
    static constexpr bool bilinear = true;
    static constexpr OpDoc doc{
        "conv_transpose2d(x, weight, bias, options), conv_transpose1d(x, weight, bias, options)",
        "[B, C, H, W], [C, O / groups, kh, kw], [O] -> [B, O, H', W']; [B, C, L], [C, O / groups, k], [O] -> "
        "[B, O, L']; the bias may be left out",
        "weight[c, o, k] x[c, i] added at i stride + k dilation - padding, and bias[o]",
        "conv2d(ct, weight); conv2d_weight(ct, x); Σ ct"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 2;
    static constexpr std::array<std::string_view, 3> operands{"x", "weight", "bias"};
    Conv2dOptions options;
    Size2d size;  ///< of the result's images, one of those that conv2d() takes to x's
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// The derivative of conv2d() by a weight with kernels of this size: x [B, C, H, W], ct [B, O, H', W'] -> [O, C /
/// groups, kh, kw]. With another number of threads the last digits may differ. Derivatives: as conv2d() is bilinear,
/// conv_transpose2d(ct, ct') and conv2d(x, ct') for a cotangent ct'.
Tensor conv2d_weight(const Input& x, const Input& ct, Size2d kernel, const Conv2dOptions& options = {});

struct ConvolutionWeight {
    static constexpr std::string_view name = "conv2d_weight";
    static constexpr bool bilinear = true;
    static constexpr OpDoc doc{
        "conv2d_weight(x, ct', kernel, options)", "[B, C, H, W], [B, O, H', W'] -> [O, C / groups, kh, kw]",
        "Σ ct'[b, o, i] x[b, c, i stride + k dilation - padding]", "conv_transpose2d(ct', ct); conv2d(x, ct)"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 2> operands{"x", "ct"};
    Conv2dOptions options;
    Size2d kernel;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

// clang-format off
using ConvolutionOps = OpList<
    Convolution,
    TransposedConvolution,
    ConvolutionWeight>;
// clang-format on
template <class Op>
requires is_in<Op, ConvolutionOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
