#pragma once

#include <wengert/autograd/tensor.hpp>
#include <wengert/ops/gemm.hpp>

namespace wengert {

/// A float32 parameter [k, n], or a view of one, packed to be the right operand of products; null at its first use
/// since the parameter was written, when packing might not pay, and where gemm knows no better layout. The packed
/// elements are the parameter's: they go with it, at the next use after a write, and before they take more memory than
/// it does.
///
/// The library that multiplies rounds in its own way, so that a weight's first product since a write may differ from
/// the next ones in the last bits.
std::shared_ptr<const gemm::Packed> packed_weight(const Tensor& x);

/// The memory that packed parameters take now, in bytes.
std::int64_t packed_weight_bytes();

}  // namespace wengert
