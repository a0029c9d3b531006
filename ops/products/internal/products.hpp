#pragma once

#include <array>
#include <span>
#include <string_view>
#include <wengert/autograd/tape/node.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/ops/products/precision.hpp>

/// What the ops of matrix products share: how tensors become matrices, and which library multiplies them.
namespace wengert::products {

/// The matrix products of the last two axes, [.., m, k] x [.., k, n] -> [.., m, n], into any strided destination.
/// `may_pack`: whether a weight used again is worth packing (packed_weights.hpp).
void multiply(const Tensor& lhs, const Tensor& rhs, const Destination& out, Precision precision, bool may_pack);

/// Adds products of tables up in bfloat16, each of which is rounded into its place among the joined operands. Whether
/// it did.
bool multiply_sum_rounded(std::span<const std::array<Tensor, 2>> pairs, const Destination& out);

/// The last two axes exchanged, not recorded.
Tensor transposed(const Tensor& x);
/// The axes before the last two.
Shape batch_shape(const Tensor& x);
/// The axes before the last `own` of two operands of these names, broadcast. Throws ShapeError that names both.
Shape leading_axes(std::string_view name_a, const Tensor& a, std::string_view name_b, const Tensor& b, int own = 2);
/// [.., k] as [rows, k], recorded.
Tensor rows_of(const Tensor& x);

/// Throws unless the operands, which have these names, are of one floating type, and BLAS can count their axes.
void require_alike(const Inputs& in, std::span<const std::string_view> operands);

}  // namespace wengert::products
