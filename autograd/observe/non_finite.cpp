#include <cmath>
#include <wengert/autograd/observe/non_finite.hpp>

namespace wengert {

std::optional<NonFinite> first_non_finite(const Tensor& x, bool infinities_too) {
    if (!is_floating(x.dtype())) return std::nullopt;
    const std::vector<double> values = x.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i]) || (std::isinf(values[i]) && !infinities_too)) continue;
        Shape index = x.shape();
        auto rest = static_cast<std::int64_t>(i);
        for (int axis = x.rank() - 1; axis >= 0; --axis) {
            index[axis] = rest % x.shape()[axis];
            rest /= x.shape()[axis];
        }
        return NonFinite{values[i], index};
    }
    return std::nullopt;
}

std::optional<NonFinite> first_non_finite_made(const Inputs& operands, const Tensor& result) {
    bool infinite_operand = false;
    for (std::size_t i = 0; i < operands.size() && !infinite_operand; ++i) {
        const auto found = first_non_finite(operands[i]);
        infinite_operand = found && std::isinf(found->value);
    }
    return first_non_finite(result, !infinite_operand);
}

}  // namespace wengert
