#pragma once

#include <wengert/autograd/tensor/tensor.hpp>
#include <wengert/ops/products/internal/gemm.hpp>

namespace wengert {

/// Whether x is a float32 parameter [k, n], or a view of one: a matrix that many products may share.
bool is_weight(const Tensor& x);

/// A weight packed to be the right operand of products in this precision; null at its first use since the parameter was
/// written, when packing might not pay, and where gemm knows no better layout. The packed elements are the parameter's:
/// they go with it, at the next use after a write, and before they take more than 5/4 of its memory.
std::shared_ptr<const gemm::Packed> packed_weight(const Tensor& x, Precision precision);

/// The memory that packed parameters take now, in bytes.
std::int64_t packed_weight_bytes();

}  // namespace wengert
