#include <fmt/format.h>

#include <cmath>
#include <wengert/nn/convolution.hpp>

namespace wengert {
namespace {

/// Gives a layer the parameters of a convolution from `in` to `out` channels.
template <class Layer>
void draw(Layer& layer, std::string_view name, std::int64_t in, std::int64_t out,
          std::initializer_list<std::int64_t> kernel, bool with_bias, Generator& generator) {
    const std::int64_t groups = layer.options.groups;
    require_features(name, {in, out});
    for (const std::int64_t length : kernel)
        if (length < 1) throw ValueError(fmt::format("{}: a kernel's length is {}, less than 1", name, length));
    if (groups < 1 || in % groups != 0 || out % groups != 0)
        throw ValueError(fmt::format("{}: {} groups do not divide {} and {} channels", name, groups, in, out));
    constexpr bool is_transposed = std::is_same_v<Layer, ConvTranspose2d>;
    Shape shape{is_transposed ? in : out, (is_transposed ? out : in) / groups};
    for (const std::int64_t length : kernel) shape.push_back(length);
    const double bound = 1 / std::sqrt(static_cast<double>(shape.numel() / shape[0]));
    layer.weight = uniform(shape, -bound, bound, generator);
    if (with_bias) layer.bias = uniform({out}, -bound, bound, generator);
    name_parameters(layer);
}

}  // namespace

Conv1d::Conv1d(std::int64_t in, std::int64_t out, std::int64_t kernel, Generator& generator, const Conv1dOptions& o,
               bool with_bias)
    : options(o) {
    draw(*this, "Conv1d", in, out, {kernel}, with_bias, generator);
}

Tensor Conv1d::operator()(const Input& x) const {
    require_parameter(weight, "conv1d", "weight", x.where());
    return bias.defined() ? conv1d(x, weight, bias, options) : conv1d(x, weight, options);
}

Conv2d::Conv2d(std::int64_t in, std::int64_t out, Size2d kernel, Generator& generator, const Conv2dOptions& o,
               bool with_bias)
    : options(o) {
    draw(*this, "Conv2d", in, out, {kernel.height, kernel.width}, with_bias, generator);
}

Tensor Conv2d::operator()(const Input& x) const {
    require_parameter(weight, "conv2d", "weight", x.where());
    return bias.defined() ? conv2d(x, weight, bias, options) : conv2d(x, weight, options);
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in, std::int64_t out, Size2d kernel, Generator& generator,
                                 const ConvTranspose2dOptions& o, bool with_bias)
    : options(o) {
    draw(*this, "ConvTranspose2d", in, out, {kernel.height, kernel.width}, with_bias, generator);
}

Tensor ConvTranspose2d::operator()(const Input& x) const {
    require_parameter(weight, "conv_transpose2d", "weight", x.where());
    return bias.defined() ? conv_transpose2d(x, weight, bias, options) : conv_transpose2d(x, weight, options);
}

}  // namespace wengert
