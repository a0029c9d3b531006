#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/random/random.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

namespace WENGERT_EXPORT wengert {

/// Each element 0 with probability p, else x / (1 - p), so that the mean stays (Srivastava et al. 2014): [..] -> the
/// same. Along the axes in `shared` elements are dropped together: with 1, of x [B, T, F], each feature of a sequence
/// at all steps or at none (Gal and Ghahramani 2016, A theoretically grounded application of dropout in recurrent
/// neural networks), with {2, 3}, of images [B, C, H, W], whole channels. x itself, without a draw, for p = 0.
/// Derivative: ct times what x was multiplied by. Throws ValueError unless 0 <= p < 1, DtypeError unless x is float32
/// or float64, ShapeError for an axis that x does not have.
Tensor dropout(const Input& x, double p, Generator& generator, const ReductionAxes& shared = {});

}  // namespace wengert
