#pragma once

#include <array>
#include <wengert/ops/products/internal/gemm.hpp>

/// The side of oneDNN of products and convolutions: onednn.cpp and onednn_convolution.cpp, or, in a build without it,
/// without_onednn.cpp.
namespace wengert::onednn {

/// Whether there is a oneDNN.
bool is_built();
/// Whether this processor has the instructions that make its kernels worth it.
bool is_fast(Precision precision);
std::shared_ptr<const gemm::Packed> pack(const gemm::Matrix<const float>& b, Precision precision);
bool multiply(const gemm::Factors& factors, const gemm::Packed* packed, const gemm::Matrix<float>& c, bool accumulate,
              Precision precision);
bool multiply_sum(std::span<const gemm::Factors> products, const gemm::Matrix<float>& c, bool accumulate);

/// Images [batch, groups channels, image] by filters [groups filters, channels, kernel] to results [batch, groups
/// filters, result], all contiguous. Sizes are heights and widths.
struct Convolution {
    using Size = std::array<std::int64_t, 2>;
    std::int64_t batch, groups, channels, filters;
    Size image, kernel, result, stride, padding, dilation;
};
/// The results of a convolution; or its adjoint by the images, or by the filters, at given results.
enum class Adjoint { none, images, filters };
/// Writes one of the three, images, filters and results, from the other two. Returns whether it did: false if there is
/// no fast kernel.
bool convolve(const Convolution& convolution, Adjoint adjoint, const std::array<const float*, 3>& data);

}  // namespace wengert::onednn
