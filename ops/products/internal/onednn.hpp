#pragma once

#include <wengert/ops/products/internal/gemm.hpp>

/// gemm's side of oneDNN: onednn.cpp, or, in a build without it, without_onednn.cpp.
namespace wengert::onednn {

/// Whether there is a oneDNN.
bool is_built();
/// Whether this processor has the instructions that make its kernels worth it.
bool is_fast(Precision precision);
std::shared_ptr<const gemm::Packed> pack(const gemm::Matrix<const float>& b, Precision precision);
bool multiply(const gemm::Factors& factors, const gemm::Packed* packed, const gemm::Matrix<float>& c, bool accumulate,
              Precision precision);
bool multiply_sum(std::span<const gemm::Factors> products, const gemm::Matrix<float>& c, bool accumulate);

}  // namespace wengert::onednn
