#include <wengert/ops/products/internal/onednn.hpp>

namespace wengert::onednn {

bool is_built() { return false; }
bool is_fast(Precision) { return false; }
std::shared_ptr<const gemm::Packed> pack(const gemm::Matrix<const float>&, Precision) { return nullptr; }
bool multiply(const gemm::Factors&, const gemm::Packed*, const gemm::Matrix<float>&, bool, Precision) { return false; }
bool multiply_sum(std::span<const gemm::Factors>, const gemm::Matrix<float>&, bool) { return false; }
bool convolve(const Convolution&, Adjoint, const std::array<const float*, 3>&) { return false; }

}  // namespace wengert::onednn
