#pragma once

#include <wengert/autograd/tensor.hpp>
#include <wengert/ops/gemm.hpp>

namespace wengert {

/// A float32 parameter [k, n], or a view of one, packed to be the right operand of products; null if that would not
/// pay: before its second use since it was written, and where gemm knows no better layout. The packed elements stay
/// with the parameter until it is written; of a matrix and its transpose only the one used last stays.
std::shared_ptr<const gemm::Packed> packed_weight(const Tensor& x);

/// The memory that packed parameters take now, in bytes.
std::int64_t packed_weight_bytes();

}  // namespace wengert
