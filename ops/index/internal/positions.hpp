#pragma once

#include <wengert/autograd/tensor/tensor.hpp>

/// Positions along an axis, before anything is read there.
namespace wengert {

/// Throws DtypeError unless the positions are int64, ValueError for one outside [0, length).
void require_positions(const Tensor& positions, std::int64_t length);

/// An index of positions in x along an axis, with its axes of length 1, but for that axis, stretched to x's. Throws
/// ShapeError if it does not fit, and what require_positions() throws.
Tensor stretched_index(const Tensor& index, const Tensor& x, int axis);

}  // namespace wengert
