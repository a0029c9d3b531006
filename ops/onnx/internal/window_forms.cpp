#include <wengert/ops/network/convolution.hpp>
#include <wengert/ops/network/pooling.hpp>
#include <wengert/ops/onnx/internal/forms.hpp>
#include <wengert/ops/onnx/internal/window_forms.hpp>

namespace wengert::onnx {
namespace {

/// Of both axes, or of a sequence's one.
Axes sizes(const Size2d& size, int axes) { return axes == 1 ? Axes{size.width} : Axes{size.height, size.width}; }

/// Before the first element of each axis, and after the last.
Axes pads(const Size2d& padding, int axes) {
    Axes result = sizes(padding, axes);
    result.insert(result.end(), result.begin(), result.end());
    return result;
}

int window_axes(const Call& call) { return call.in[0].rank() - 2; }

Attributes attributes_of(const Conv2dOptions& options, int axes) {
    return {{"strides", sizes(options.stride, axes)},
            {"pads", pads(options.padding, axes)},
            {"dilations", sizes(options.dilation, axes)},
            {"group", options.groups}};
}

bool is_adaptive(const PoolWindows& w) { return w.size != Size2d(0); }

Attributes attributes_of(const PoolWindows& w) {
    return {{"kernel_shape", sizes(w.kernel, w.axes)},
            {"strides", sizes(w.stride, w.axes)},
            {"pads", pads(w.padding, w.axes)}};
}

/// x with two axes before those of the windows, as ONNX has them. Writes `pool` of it, and takes away the axes that it
/// added.
template <class Pool>
ValueId between_axes(const Call& call, const PoolWindows& w, const Pool& pool) {
    const int missing = 2 + w.axes - call.in[0].rank();
    if (missing < 0) refuse("of images with more than two axes before theirs");
    if (missing == 0) return pool(call.operand(0));
    const ValueId axes = call.recorder.vector(missing == 1 ? Axes{0} : Axes{0, 1});
    return call.write("Squeeze", {pool(call.write("Unsqueeze", {call.operand(0), axes})), axes});
}

}  // namespace

ValueId convolution_of(const Call& call, std::string_view) {
    return call.write("Conv", call.operands(), attributes_of(call.as<Convolution>().options, window_axes(call)));
}

ValueId transposed_convolution_of(const Call& call, std::string_view) {
    const auto& op = call.as<TransposedConvolution>();
    const int axes = window_axes(call);
    const auto more = [&](std::int64_t result, std::int64_t length, std::int64_t kernel, std::int64_t stride,
                          std::int64_t padding, std::int64_t dilation) {
        return result - ((length - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1);
    };
    const Conv2dOptions& o = op.options;
    const Shape &x = call.in[0].shape(), &kernel = call.in[1].shape();
    const Size2d output_padding{
        axes == 1 ? 0 : more(op.size.height, x[2], kernel[2], o.stride.height, o.padding.height, o.dilation.height),
        more(op.size.width, x.back(), kernel.back(), o.stride.width, o.padding.width, o.dilation.width)};
    Attributes attributes = attributes_of(o, axes);
    attributes.emplace_back("output_padding", sizes(output_padding, axes));
    return call.write("ConvTranspose", call.operands(), std::move(attributes));
}

ValueId avg_pool_of(const Call& call, std::string_view) {
    const PoolWindows& w = call.as<AvgPool>().windows;
    if (is_adaptive(w) && w.size != Size2d(1)) refuse("with windows of unlike sizes");
    return between_axes(call, w, [&](ValueId x) {
        if (is_adaptive(w)) return call.write("GlobalAveragePool", {x});
        Attributes attributes = attributes_of(w);
        attributes.emplace_back("count_include_pad", std::int64_t{w.count_include_pad});
        return call.write("AveragePool", {x}, std::move(attributes));
    });
}

ValueId pool_argmax_of(const Call& call, std::string_view) {
    const PoolWindows& w = call.as<PoolArgMax>().windows;
    if (is_adaptive(w)) refuse("with windows of unlike sizes");
    return between_axes(call, w, [&](ValueId x) {
        Attributes attributes = attributes_of(w);
        attributes.emplace_back("dilations", sizes(w.dilation, w.axes));
        const ValueId positions = call.recorder.apply_for_second("MaxPool", {x}, std::move(attributes));
        const Shape& shape = call.in[0].shape();
        const std::int64_t image = w.axes == 1 ? shape.back() : shape[shape.rank() - 2] * shape.back();
        return call.write("Mod", {positions, call.recorder.number(static_cast<double>(image), Dtype::int64)});
    });
}

}  // namespace wengert::onnx
