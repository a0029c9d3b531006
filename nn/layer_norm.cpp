#include <wengert/nn/internal/epsilon.hpp>
#include <wengert/nn/layer_norm.hpp>

namespace wengert {

LayerNorm::LayerNorm(std::int64_t n, double e, bool with_bias) : eps(e) {
    require_features("LayerNorm", {n});
    require_epsilon("LayerNorm", eps);
    weight = ones({n});
    if (with_bias) bias = zeros({n});
    name_parameters(*this);
}

Tensor LayerNorm::operator()(const Input& x) const {
    require_parameter(weight, "layer_norm", "weight", x.where());
    return layer_norm(x, weight, bias, eps);
}

}  // namespace wengert
