#pragma once

#include <optional>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

struct NonFinite {
    double value;
    Shape index;
};

/// The first NaN of a tensor, or infinity if these count, in row-major order.
std::optional<NonFinite> first_non_finite(const Tensor& x, bool infinities_too = true);

}  // namespace wengert
