#pragma once

#include <optional>
#include <wengert/autograd/tape/node.hpp>

namespace WENGERT_EXPORT wengert {

/// A NaN or an infinity of a tensor, and where it stands.
struct NonFinite {
    double value;  ///< NaN, or plus or minus infinity
    Shape index;   ///< its position along each axis
};

/// The first NaN of a tensor, or infinity if these count, in row-major order.
std::optional<NonFinite> first_non_finite(const Tensor& x, bool infinities_too = true);

/// The first NaN or infinity of an op's result that the op has made. An infinity that an operand brings, as a masked
/// score's, may go on; a NaN may not.
std::optional<NonFinite> first_non_finite_made(const Inputs& operands, const Tensor& result);

}  // namespace wengert
