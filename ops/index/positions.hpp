#pragma once

#include <wengert/autograd/tape/operation.hpp>

/// Positions of elements, and elements chosen by a mask.
namespace WENGERT_EXPORT wengert {

/// The positions of the elements that are not 0, in row-major order: [..] of any dtype -> int64 [k, axes]. A NaN is not
/// 0. A constant. Throws DtypeError for a dtype that is stored only.
Tensor nonzero(const Input& x);

/// The elements where a mask is not 0, in row-major order: x and mask broadcast -> [k]. x may be of any dtype.
/// Derivative: ct where the mask is not 0, 0 elsewhere; none for the mask. Throws ShapeError if they do not broadcast,
/// DtypeError for a mask that is stored only.
Tensor masked_select(const Input& x, const Tensor& mask);

/// 1 at the position that each id names, 0 elsewhere: int64 [..] -> [.., n] of `dtype`. A constant. Throws DtypeError
/// unless ids are int64 or int32, and for a `dtype` that is stored only, ValueError for an id outside [0, n) and for n
/// < 0.
Tensor one_hot(const Input& ids, std::int64_t n, Dtype dtype = Dtype::float32);

}  // namespace wengert
