#include <fmt/format.h>

#include <wengert/nn/group_norm.hpp>
#include <wengert/nn/internal/epsilon.hpp>

namespace wengert {

GroupNorm::GroupNorm(std::int64_t num_groups, std::int64_t num_channels, double e) : groups(num_groups), eps(e) {
    require_features("GroupNorm", {num_channels});
    if (groups < 1 || num_channels % groups != 0)
        throw ValueError(fmt::format("GroupNorm: {} groups do not divide {} channels", groups, num_channels));
    require_epsilon("GroupNorm", eps);
    weight = ones({num_channels});
    bias = zeros({num_channels});
    name_parameters(*this);
}

Tensor GroupNorm::operator()(const Input& x) const {
    require_parameter(weight, "group_norm", "weight", x.where());
    return group_norm(x, groups, weight, bias, eps);
}

}  // namespace wengert
