#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

namespace WENGERT_EXPORT wengert {

/// The sum over axes: [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim. 0 over an axis of length 0, NaN if an
/// element is. Derivative: ct, stretched over the axes. Integers and bools have an int64 sum, which wraps around.
/// Throws ShapeError for an axis that x does not have or that is given twice.
Tensor sum(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

/// The arithmetic mean over axes: sum / n, shapes as sum(). NaN over an axis of length 0, or if an element is.
/// Derivative: ct / n, stretched over the axes. Throws what sum() throws, and DtypeError for integers.
Tensor mean(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

/// Sums x over the axes along which `shape` would be stretched to x's shape by broadcasting: the reverse of expand.
/// [..] -> shape. Derivative: ct, expanded. Throws ShapeError if `shape` does not stretch to x's.
Tensor sum_to(const Input& x, const Shape& shape);

}  // namespace wengert
