#pragma once

#include <wengert/autograd/tape/operation.hpp>

/// Products and sums of vectors and matrices that are composed of ops, so that their derivatives are too. Leading axes
/// broadcast.
namespace WENGERT_EXPORT wengert {

/// Σ a b of vectors: [.., n], [.., n] -> [..]. Throws ShapeError if the vectors differ in length or leading axes do not
/// broadcast, DtypeError if neither is floating.
Tensor dot(const Input& a, const Input& b);

/// Every element of a times every one of b: [.., m], [.., n] -> [.., m, n]. Throws ShapeError for [], and if leading
/// axes do not broadcast.
Tensor outer(const Input& a, const Input& b);

/// Kronecker's product, b times each element of a: [.., m, n], [.., p, q] -> [.., m p, n q]. Throws ShapeError for
/// fewer than two axes, and for more than four, since those of a product are six on the way; DtypeError unless both are
/// float32 or float64.
Tensor kron(const Input& a, const Input& b);

/// The sum of a diagonal, as diagonal() has it: [.., m, n] -> [..]. Throws ShapeError for fewer than two axes, and for
/// axes that are one, DtypeError unless a is float32 or float64.
Tensor trace(const Input& a, std::int64_t offset = 0, int row_axis = -2, int column_axis = -1);

/// The product of n matrices a: [.., m, m] -> the same. The identity for n = 0, the inverse's product for n < 0. Throws
/// ShapeError for what is no square matrix, DtypeError unless a is float32 or float64, ValueError for n < 0 if a matrix
/// is singular.
Tensor matrix_power(const Input& a, std::int64_t n);

}  // namespace wengert
