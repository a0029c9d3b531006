#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

/// sum(), prod() and cumsum() of bool, int32 and int64: int64, as in PyTorch, which wraps around. They are constants.
namespace wengert {

Tensor sum_of_integers(const Input& x, const ReductionAxes& axes);
Tensor prod_of_integers(const Input& x, const ReductionAxes& axes);
Tensor cumsum_of_integers(const Input& x, int axis, bool reverse);

/// Whether an operand is a tensor of integers, for which these are.
inline bool has_integers(const Input& x) {
    return !x.is_number() && !x.is_undefined() && is_integral(x.tensor().dtype());
}

}  // namespace wengert
