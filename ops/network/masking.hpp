#pragma once

#include <wengert/autograd/tape/operation.hpp>

namespace WENGERT_EXPORT wengert {

/// 1 at positions before each row's length, 0 after: lengths int64 or int32 [B] -> [B, n] of `dtype`. A constant.
/// Throws ShapeError and DtypeError for other lengths (int32 will do), DtypeError for a mask of integers, ValueError
/// for a length outside [0, n].
Tensor length_mask(const Input& lengths, std::int64_t n, Dtype dtype = Dtype::float32);

/// x with `value` where `mask` is not 0: x and a mask of any dtype, which broadcast, -> their common shape. Derivative:
/// ct where the mask is 0, 0 elsewhere, whatever the value; none for the mask. Throws ShapeError if they do not
/// broadcast, ValueError for a value that x's dtype does not have.
Tensor masked_fill(const Input& x, const Tensor& mask, double value);

}  // namespace wengert
