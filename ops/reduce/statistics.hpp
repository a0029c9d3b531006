#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

/// Deviations and norms, composed of ops: [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim. They throw what sum()
/// throws, and DtypeError unless x is float32 or float64.
namespace WENGERT_EXPORT wengert {

/// The variance over axes: Σ (x - mean)² / (n - correction). The correction is 1 for a sample's and 0 for a
/// population's. NaN where n is not above the correction. Derivative: 2 ct (x - mean) / (n - correction).
Tensor var(const Input& x, const ReductionAxes& axes = all_axes, double correction = 1, bool keepdim = false);

/// The standard deviation, √var. Derivative where it is 0: 0, as in PyTorch.
Tensor stddev(const Input& x, const ReductionAxes& axes = all_axes, double correction = 1, bool keepdim = false);

/// (Σ |x|^p)^(1/p) over axes, without overflow on the way; the largest |x| for p = infinity, how many elements are not
/// 0 for p = 0. Derivative where it is 0: 0. Throws ValueError for p < 0, and for infinite p ShapeError if an axis has
/// length 0.
Tensor norm(const Input& x, double p = 2, const ReductionAxes& axes = all_axes, bool keepdim = false);

}  // namespace wengert
