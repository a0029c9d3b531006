#pragma once

#include <string_view>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>

/// Sums of products over named axes, composed of matrix products.
namespace WENGERT_EXPORT wengert {

/// Einstein's sum of any number of operands, in NumPy's words: a letter names each axis, operands stand between commas,
/// and the result's axes after "->". The product of the operands is summed over every letter that the result has not:
///
///     einsum("ij,jk->ik", {a, b})          a matrix product
///     einsum("bqhd,bkhd->bhqk", {q, k})    the scores of attention, by heads
///     einsum("ii->i", {a}), ("ii", {a})    a diagonal, a trace
///     einsum("bi,oij,bj->bo", {x, w, y})   a bilinear layer
///     einsum("...ij->...ji", {x})          the last two axes exchanged
///
/// Without "->" the result has the axes of the ellipsis, then the letters that stand once, in alphabetical order. Axes
/// of the ellipsis are aligned at the right and broadcast; those of one letter have one length, also if one is 1. A
/// letter twice in one operand is a diagonal. Spaces say nothing. The result may be a view.
///
/// Two operands at a time become one batched matrix product of views, in the order of the fewest multiplications, or,
/// of more than four operands, of the smallest intermediates. float32 and float64 alike. Derivative: that of the
/// products, to any order. Throws ValueError for an equation that is none or that has another number of operands,
/// ShapeError if lengths or numbers of axes do not fit, or if a product needs more axes than a tensor can have,
/// DtypeError if the operands are not float32 or float64 and alike.
Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands,
              const SourceLine& where = std::source_location::current());

/// Σ a b over pairs of axes, axes_a[i] of a with axes_b[i] of b; the other axes of a come first, then those of b:
/// [m.., k..] x [k.., n..] -> [m.., n..] for the last `axes` of a and the first of b. Derivative: ct with b over n.., a
/// with ct over m... Throws ShapeError if an axis does not exist or is given twice, if the lengths of a pair differ or
/// the result has more axes than a tensor can have, DtypeError as einsum().
Tensor tensordot(const Input& a, const Input& b, int axes = 2);
Tensor tensordot(const Input& a, const Input& b, const std::vector<int>& axes_a, const std::vector<int>& axes_b);

}  // namespace wengert
