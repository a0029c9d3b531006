#include <wengert/nn/internal/epsilon.hpp>
#include <wengert/nn/rms_norm.hpp>

namespace wengert {

RmsNorm::RmsNorm(std::int64_t n, double e) : eps(e) {
    require_features("RmsNorm", {n});
    require_epsilon("RmsNorm", eps);
    weight = ones({n});
    name_parameters(*this);
}

Tensor RmsNorm::operator()(const Input& x) const {
    require_parameter(weight, "rms_norm", "weight", x.where());
    return rms_norm(x, weight, eps);
}

}  // namespace wengert
