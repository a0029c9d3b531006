#include <fmt/format.h>

#include <wengert/nn/layer_norm.hpp>

namespace wengert {

LayerNorm::LayerNorm(std::int64_t n, double e, bool with_bias) : eps(e) {
    require_features("LayerNorm", {n});
    if (!(eps >= 0)) throw ValueError(fmt::format("LayerNorm: eps is {}, not 0 or more", eps));
    weight = ones({n});
    if (with_bias) bias = zeros({n});
    name_parameters(*this);
}

Tensor LayerNorm::operator()(const Input& input) const {
    require_parameter(weight, "layer_norm", "weight", input.where());
    return located("layer_norm", {input, {weight, input.where()}}, [&] {
        const Tensor& x = input.tensor();
        const std::int64_t n = weight.numel();
        if (x.rank() == 0 || x.dim(-1) != n)
            throw ShapeError(fmt::format("x must be [.., {}], not {}", n, to_string(x.shape())));
        const Tensor center = mean(x, -1, true);
        const Tensor squares =
            unsqueeze(map_sum([](auto x, auto center) { return square(x - center); }, -1, x, center), -1);
        const auto normalise = [n = static_cast<double>(n), eps = eps](auto x, auto center, auto squares, auto weight) {
            return (x - center) * rsqrt(squares / n + eps) * weight;
        };
        if (!bias.defined()) return map(normalise, x, center, squares, weight);
        return map([normalise](auto x, auto center, auto squares, auto weight,
                               auto bias) { return normalise(x, center, squares, weight) + bias; },
                   x, center, squares, weight, bias);
    });
}

}  // namespace wengert
