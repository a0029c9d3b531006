#include <fmt/format.h>

#include <wengert/nn/rms_norm.hpp>

namespace wengert {

RmsNorm::RmsNorm(std::int64_t n, double e) : eps(e) {
    require_features("RmsNorm", {n});
    if (!(eps >= 0)) throw ValueError(fmt::format("RmsNorm: eps is {}, not 0 or more", eps));
    weight = ones({n});
    name_parameters(*this);
}

Tensor RmsNorm::operator()(const Input& x) const {
    require_parameter(weight, "rms_norm", "weight", x.where());
    return rms_norm(x, weight, eps);
}

}  // namespace wengert
