#pragma once

#include <wengert/ops/gemm.hpp>

/// gemm's side of oneDNN: onednn.cpp, or, in a build without it, without_onednn.cpp.
namespace wengert::onednn {

/// Whether there is a oneDNN.
bool is_built();
/// Whether its kernels for this processor are faster than OpenBLAS's.
bool is_fast();
std::shared_ptr<const gemm::Packed> pack(const gemm::Matrix<const float>& b);
bool multiply(const gemm::Matrix<const float>& a, const gemm::Packed& b, const gemm::Matrix<float>& c, bool accumulate);

}  // namespace wengert::onednn
