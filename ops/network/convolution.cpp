#include <fmt/format.h>

#include <wengert/ops/network/convolution.hpp>
#include <wengert/ops/network/internal/convolve.hpp>
#include <wengert/ops/network/internal/windows.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/reduce/internal/sum_op.hpp>

namespace wengert {
namespace {

using convolutions::Problem;
using windows::largest, windows::require_between;

void require_options(const Conv2dOptions& o) {
    require_between("stride", 1, largest, {o.stride.height, o.stride.width});
    require_between("padding", 0, largest, {o.padding.height, o.padding.width});
    require_between("dilation", 1, largest, {o.dilation.height, o.dilation.width});
    require_between("groups", 1, largest, {o.groups});
}

/// The axes after the first two; a sequence is an image of height 1. Throws for one that is longer than BLAS can count,
/// so that no product of two lengths overflows.
Size2d size_of(const Shape& shape) {
    const Size2d size = windows::size_of(shape, shape.rank() - 2);
    if (size.height > gemm::longest || size.width > gemm::longest)
        throw ShapeError(fmt::format("an axis of {} is longer than BLAS can count", to_string(shape)));
    return size;
}
Shape with_size(std::int64_t first, std::int64_t second, Size2d size, int rank) {
    return rank == 4 ? Shape{first, second, size.height, size.width} : Shape{first, second, size.width};
}

/// For an operand that is called `what`: that it has these many axes.
void require_axes(std::string_view what, const Tensor& x, std::string_view axes, int rank) {
    if (x.rank() != rank) throw ShapeError(fmt::format("{} must be {}, not {}", what, axes, to_string(x.shape())));
}

void require_length(std::string_view what, const Tensor& x, std::int64_t length) {
    if (x.shape() != Shape{length})
        throw ShapeError(fmt::format("{} must be [{}], not {}", what, length, to_string(x.shape())));
}

std::int64_t convolved(std::int64_t length, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                       std::int64_t dilation) {
    return kernel < 1 ? 0 : windows::count_fitting(length, windows::reach(kernel, dilation), stride, padding);
}

/// The size of the images that a convolution gives. Throws unless the kernel fits into `image`, which stands in x.
Size2d result_of(const Size2d& image, const Size2d& kernel, const Conv2dOptions& o, int axes) {
    const Size2d result{convolved(image.height, kernel.height, o.stride.height, o.padding.height, o.dilation.height),
                        convolved(image.width, kernel.width, o.stride.width, o.padding.width, o.dilation.width)};
    if (result.height < 1 || result.width < 1) throw ShapeError(windows::misfit(kernel, o.dilation, image, axes));
    return result;
}

/// The convolution of x [B, C, ..] by filters [O, C / groups, ..] to y [B, O, ..]. Throws unless BLAS can count it.
Problem problem_of(const Shape& x, const Shape& weight, const Shape& y, const Conv2dOptions& options) {
    const Problem p{options, x[0], weight[1], weight[0] / options.groups, size_of(x), size_of(weight), size_of(y)};
    for (const std::int64_t n : {p.image.area(), p.positions(), p.taps()})
        if (n > gemm::longest)
            throw ShapeError(fmt::format(
                "x {}, the weight {} or the result {} has images or filters of more elements than BLAS can count",
                to_string(x), to_string(weight), to_string(y)));
    return p;
}

/// Calls f(T, elements...) with the elements of contiguous operands, null for one that there is not.
template <class F>
void with_elements(const Inputs& in, const Destination& out, const F& f) {
    std::array<Tensor, 3> operands;
    for (std::size_t i = 0; i < in.size(); ++i) operands[i] = packed(in[i]);
    visit_floating(out.tensor.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto data = [&](std::size_t i) {
            return operands[i].defined() ? static_cast<const T*>(operands[i].raw()) : nullptr;
        };
        f(data(0), data(1), data(2), static_cast<T*>(out.tensor.raw()));
    });
}

/// Of the bias, which is added to each element of its channel.
void add_bias_cotangent(Backward& back) {
    if (back.input_count() < 3) return;
    ReductionAxes others{0};
    for (int axis = 2; axis < back.cotangent().rank(); ++axis) others.add(axis);
    back.add(2, sum_op(others), back.cotangent());
}

constexpr std::string_view image_axes = "[B, C, H, W]", sequence_axes = "[B, C, L]";

/// Applies an op to operands whose axes are those of `axes`, and which are the weight and the bias after the first.
template <class MakeOp>
Tensor apply_convolution(std::string_view function, std::string_view axes, std::string_view weight_axes,
                         std::initializer_list<Input> operands, const MakeOp& make_op) {
    return located(function, operands, [&] {
        std::array<const Tensor*, 3> tensors{};
        std::size_t count = 0;
        for (const Input& operand : operands) tensors[count++] = &operand.tensor();
        const int rank = axes == image_axes ? 4 : 3;
        require_axes("x", *tensors[0], axes, rank);
        require_axes("the weight", *tensors[1], weight_axes, rank);
        return apply(make_op(*tensors[0], *tensors[1]), Inputs(std::span<const Tensor* const>(tensors.data(), count)),
                     operands.begin()->where());
    });
}

Conv2dOptions of_images(const Conv1dOptions& o) { return {{1, o.stride}, {0, o.padding}, {1, o.dilation}, o.groups}; }
ConvTranspose2dOptions of_images(const ConvTranspose1dOptions& o) {
    return {{1, o.stride}, {0, o.padding}, {0, o.output_padding}, {1, o.dilation}, o.groups};
}

Tensor convolve_images(std::initializer_list<Input> operands, const Conv2dOptions& options) {
    return apply_convolution("conv2d", image_axes, "[O, C / groups, kh, kw]", operands,
                             [&](const Tensor&, const Tensor&) { return Convolution{options}; });
}
Tensor convolve_sequences(std::initializer_list<Input> operands, const Conv1dOptions& options) {
    return apply_convolution("conv1d", sequence_axes, "[O, C / groups, k]", operands,
                             [&](const Tensor&, const Tensor&) { return Convolution{of_images(options)}; });
}

/// The op of a transposed convolution, whose result is as large as the options say.
TransposedConvolution transposed_op(const Tensor& x, const Tensor& weight, const ConvTranspose2dOptions& o) {
    const Conv2dOptions options{o.stride, o.padding, o.dilation, o.groups};
    require_options(options);
    require_between("output_padding", 0, o.stride.height - 1, {o.output_padding.height});
    require_between("output_padding", 0, o.stride.width - 1, {o.output_padding.width});
    const Size2d from = size_of(x.shape()), kernel = size_of(weight.shape());
    const auto length = [](std::int64_t n, std::int64_t k, std::int64_t stride, std::int64_t padding,
                           std::int64_t dilation, std::int64_t more) {
        return (n - 1) * stride - 2 * padding + windows::reach(k, dilation) + more;
    };
    const Size2d size{
        length(from.height, kernel.height, o.stride.height, o.padding.height, o.dilation.height,
               o.output_padding.height),
        length(from.width, kernel.width, o.stride.width, o.padding.width, o.dilation.width, o.output_padding.width)};
    if (from.area() < 1 || kernel.area() < 1 || size.height < 1 || size.width < 1)
        throw ShapeError(fmt::format("x {}, the weight {} and the options give {} of {}", to_string(x.shape()),
                                     to_string(weight.shape()), windows::kind_of(x.rank() - 2),
                                     windows::text_of(size, x.rank() - 2)));
    return {options, size};
}
Tensor transpose_images(std::initializer_list<Input> operands, const ConvTranspose2dOptions& options) {
    return apply_convolution("conv_transpose2d", image_axes, "[C, O / groups, kh, kw]", operands,
                             [&](const Tensor& x, const Tensor& weight) { return transposed_op(x, weight, options); });
}
Tensor transpose_sequences(std::initializer_list<Input> operands, const ConvTranspose1dOptions& options) {
    return apply_convolution(
        "conv_transpose1d", sequence_axes, "[C, O / groups, k]", operands,
        [&](const Tensor& x, const Tensor& weight) { return transposed_op(x, weight, of_images(options)); });
}

}  // namespace

// conv2d, conv1d

Tensor conv2d(const Input& x, const Input& weight, const Conv2dOptions& options) {
    static_assert(is_listed<Convolution>, "the op is missing in its family's list");
    return convolve_images({x, weight}, options);
}
Tensor conv2d(const Input& x, const Input& weight, const Input& bias, const Conv2dOptions& options) {
    return convolve_images({x, weight, bias}, options);
}
Tensor conv1d(const Input& x, const Input& weight, const Conv1dOptions& options) {
    return convolve_sequences({x, weight}, options);
}
Tensor conv1d(const Input& x, const Input& weight, const Input& bias, const Conv1dOptions& options) {
    return convolve_sequences({x, weight, bias}, options);
}

Shape Convolution::shape(const Inputs& in) const {
    const Tensor &x = in[0], &weight = in[1];
    products::require_alike(in, operands);
    require_options(options);
    if (x.shape()[1] != weight.shape()[1] * options.groups || weight.shape()[0] % options.groups != 0)
        throw ShapeError(fmt::format("the channels of x {} and the weight {} do not fit in {} groups",
                                     to_string(x.shape()), to_string(weight.shape()), options.groups));
    if (in.size() == 3) require_length("the bias", in[2], weight.shape()[0]);
    const Shape result =
        with_size(x.shape()[0], weight.shape()[0],
                  result_of(size_of(x.shape()), size_of(weight.shape()), options, x.rank() - 2), x.rank());
    problem_of(x.shape(), weight.shape(), result, options);
    return result;
}

void Convolution::forward(const Inputs& in, const Destination& out) const {
    const Problem problem = problem_of(in[0].shape(), in[1].shape(), out.tensor.shape(), options);
    with_elements(in, out, [&](const auto* x, const auto* weight, const auto* bias, auto* y) {
        convolutions::convolve(problem, x, weight, bias, y);
    });
}

void Convolution::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &weight = back.saved(1), &ct = back.cotangent();
    back.add(0, TransposedConvolution{options, size_of(x.shape())}, ct, weight);
    back.add(1, ConvolutionWeight{options, size_of(weight.shape())}, x, ct);
    add_bias_cotangent(back);
}

std::vector<Sample> Convolution::samples() {
    const auto values = [](const Shape& x, const Shape& weight) {
        return std::vector{sample_values(x, -1, 1, 1), sample_values(weight, -1, 1, 2),
                           sample_values({weight[0]}, -1, 1, 3)};
    };
    const auto images = [](const Conv2dOptions& options) {
        return [=](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], options); };
    };
    return {{"[2, 2, 4, 3], kernel 3 x 2", values({2, 2, 4, 3}, {3, 2, 3, 2}), images({})},
            {"stride, padding, dilation", values({1, 2, 5, 6}, {2, 2, 2, 3}),
             images({.stride = {2, 3}, .padding = {1, 2}, .dilation = {2, 1}})},
            {"two groups", values({2, 4, 3, 3}, {6, 2, 2, 2}), images({.padding = 1, .groups = 2})},
            {"a group for each channel", values({1, 3, 4, 4}, {3, 1, 3, 3}),
             images({.stride = 2, .padding = 1, .groups = 3})},
            {"pointwise", values({2, 3, 2, 2}, {4, 3, 1, 1}), images({})},
            {"without bias",
             {sample_values({1, 2, 3, 3}, -1, 1, 1), sample_values({3, 2, 2, 2}, -1, 1, 2)},
             [](const auto& in) { return conv2d(in[0], in[1]); }},
            {"pointwise, without bias",
             {sample_values({1, 2, 3, 1}, -1, 1, 1), sample_values({3, 2, 1, 1}, -1, 1, 2)},
             [](const auto& in) { return conv2d(in[0], in[1]); }},
            {"a sequence", values({2, 2, 7}, {3, 2, 3}),
             [](const auto& in) { return conv1d(in[0], in[1], in[2], {.stride = 2, .padding = 1}); }},
            {"a sequence, without bias",
             {sample_values({1, 2, 5}, -1, 1, 1), sample_values({2, 2, 2}, -1, 1, 2)},
             [](const auto& in) { return conv1d(in[0], in[1], {.dilation = 2}); }},
            {"no images", values({0, 2, 3, 3}, {2, 2, 2, 2}), images({})},
            {"no channels", values({2, 0, 3, 3}, {2, 0, 2, 2}), images({})},
            {"no filters", values({2, 1, 3, 3}, {0, 1, 2, 2}), images({})}};
}

// conv_transpose2d, conv_transpose1d

Tensor conv_transpose2d(const Input& x, const Input& weight, const ConvTranspose2dOptions& options) {
    static_assert(is_listed<TransposedConvolution>, "the op is missing in its family's list");
    return transpose_images({x, weight}, options);
}
Tensor conv_transpose2d(const Input& x, const Input& weight, const Input& bias, const ConvTranspose2dOptions& options) {
    return transpose_images({x, weight, bias}, options);
}
Tensor conv_transpose1d(const Input& x, const Input& weight, const ConvTranspose1dOptions& options) {
    return transpose_sequences({x, weight}, options);
}
Tensor conv_transpose1d(const Input& x, const Input& weight, const Input& bias, const ConvTranspose1dOptions& options) {
    return transpose_sequences({x, weight, bias}, options);
}

Shape TransposedConvolution::shape(const Inputs& in) const {
    const Tensor &x = in[0], &weight = in[1];
    products::require_alike(in, operands);
    if (x.shape()[1] != weight.shape()[0] || x.shape()[1] % options.groups != 0)
        throw ShapeError(fmt::format("the channels of x {} and the weight {} do not fit in {} groups",
                                     to_string(x.shape()), to_string(weight.shape()), options.groups));
    const Shape result = with_size(x.shape()[0], weight.shape()[1] * options.groups, size, x.rank());
    if (in.size() == 3) require_length("the bias", in[2], result[1]);
    problem_of(result, weight.shape(), x.shape(), options);
    return result;
}

void TransposedConvolution::forward(const Inputs& in, const Destination& out) const {
    const Problem problem = problem_of(out.tensor.shape(), in[1].shape(), in[0].shape(), options);
    with_elements(in, out, [&](const auto* x, const auto* weight, const auto* bias, auto* y) {
        convolutions::convolve_transposed(problem, x, weight, bias, y);
    });
}

void TransposedConvolution::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &weight = back.saved(1), &ct = back.cotangent();
    back.add(0, Convolution{options}, ct, weight);
    back.add(1, ConvolutionWeight{options, size_of(weight.shape())}, ct, x);
    add_bias_cotangent(back);
}

std::vector<Sample> TransposedConvolution::samples() {
    const auto values = [](const Shape& x, const Shape& weight, std::int64_t bias) {
        return std::vector{sample_values(x, -1, 1, 1), sample_values(weight, -1, 1, 2),
                           sample_values({bias}, -1, 1, 3)};
    };
    const auto images = [](const ConvTranspose2dOptions& options) {
        return [=](const std::vector<Tensor>& in) { return conv_transpose2d(in[0], in[1], in[2], options); };
    };
    return {{"[2, 3, 2, 3], kernel 3 x 2", values({2, 3, 2, 3}, {3, 2, 3, 2}, 2), images({})},
            {"stride, both paddings, dilation", values({1, 2, 3, 2}, {2, 2, 3, 2}, 2),
             images({.stride = {2, 3}, .padding = {1, 2}, .output_padding = {1, 2}, .dilation = {1, 2}})},
            {"two groups", values({1, 4, 2, 2}, {4, 3, 2, 2}, 6), images({.groups = 2})},
            {"a group for each channel", values({1, 3, 2, 2}, {3, 1, 3, 3}, 3),
             images({.stride = 2, .padding = 1, .groups = 3})},
            {"pointwise", values({2, 3, 2, 2}, {3, 2, 1, 1}, 2), images({})},
            {"without bias",
             {sample_values({1, 2, 2, 2}, -1, 1, 1), sample_values({2, 3, 2, 2}, -1, 1, 2)},
             [](const auto& in) { return conv_transpose2d(in[0], in[1]); }},
            {"a sequence", values({2, 2, 3}, {2, 3, 3}, 3),
             [](const auto& in) {
                 return conv_transpose1d(in[0], in[1], in[2], {.stride = 2, .padding = 1, .output_padding = 1});
             }},
            {"a sequence, without bias",
             {sample_values({1, 2, 3}, -1, 1, 1), sample_values({2, 2, 2}, -1, 1, 2)},
             [](const auto& in) { return conv_transpose1d(in[0], in[1]); }},
            {"no images", values({0, 2, 2, 2}, {2, 2, 2, 2}, 2), images({})},
            {"no channels", values({1, 0, 2, 2}, {0, 2, 2, 2}, 2), images({})}};
}

// conv2d_weight

Tensor conv2d_weight(const Input& x, const Input& ct, Size2d kernel, const Conv2dOptions& options) {
    static_assert(is_listed<ConvolutionWeight>, "the op is missing in its family's list");
    return located(ConvolutionWeight::name, {x, ct}, [&] {
        require_axes("x", x.tensor(), image_axes, 4);
        require_axes("ct", ct.tensor(), "[B, O, H', W']", 4);
        return apply(ConvolutionWeight{options, kernel}, {&x.tensor(), &ct.tensor()}, x.where());
    });
}

Shape ConvolutionWeight::shape(const Inputs& in) const {
    const Shape &x = in[0].shape(), &ct = in[1].shape();
    products::require_alike(in, operands);
    require_options(options);
    require_between("a kernel's length", 1, largest, {kernel.height, kernel.width});
    if (x[1] % options.groups != 0 || ct[1] % options.groups != 0)
        throw ShapeError(fmt::format("the channels of x {} and ct {} do not fit in {} groups", to_string(x),
                                     to_string(ct), options.groups));
    const Shape expected = with_size(x[0], ct[1], result_of(size_of(x), kernel, options, x.rank() - 2), x.rank());
    if (ct != expected)
        throw ShapeError(
            fmt::format("ct must be {} for x {}, not {}", to_string(expected), to_string(x), to_string(ct)));
    const Shape result = with_size(ct[1], x[1] / options.groups, kernel, x.rank());
    problem_of(x, result, ct, options);
    return result;
}

void ConvolutionWeight::forward(const Inputs& in, const Destination& out) const {
    const Problem problem = problem_of(in[0].shape(), out.tensor.shape(), in[1].shape(), options);
    with_elements(in, out, [&](const auto* x, const auto* y, const auto*, auto* weight) {
        convolutions::convolve_weight(problem, x, y, weight);
    });
}

void ConvolutionWeight::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &y = back.saved(1), &ct = back.cotangent();
    back.add(0, TransposedConvolution{options, size_of(x.shape())}, y, ct);
    back.add(1, Convolution{options}, x, ct);
}

std::vector<Sample> ConvolutionWeight::samples() {
    const auto with = [](Size2d kernel, const Conv2dOptions& options) {
        return [=](const std::vector<Tensor>& in) { return conv2d_weight(in[0], in[1], kernel, options); };
    };
    const auto values = [](const Shape& x, const Shape& ct) {
        return std::vector{sample_values(x, -1, 1, 1), sample_values(ct, -1, 1, 2)};
    };
    return {{"[2, 2, 4, 3], kernel 3 x 2", values({2, 2, 4, 3}, {2, 3, 2, 2}), with({3, 2}, {})},
            {"stride, padding, dilation", values({1, 2, 5, 6}, {1, 2, 3, 3}),
             with({2, 3}, {.stride = {2, 3}, .padding = {1, 2}, .dilation = {2, 1}})},
            {"two groups", values({2, 4, 3, 3}, {2, 2, 4, 4}), with(2, {.padding = 1, .groups = 2})},
            {"pointwise", values({2, 3, 2, 2}, {2, 2, 2, 2}), with(1, {})},
            {"no images", values({0, 1, 3, 3}, {0, 2, 2, 2}), with(2, {})}};
}

}  // namespace wengert
