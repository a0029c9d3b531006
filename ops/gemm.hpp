#pragma once

#include <cstdint>
#include <memory>

/// Products of matrices: the only door to OpenBLAS and oneDNN.
namespace wengert::gemm {

/// A matrix in memory: element (i, j) stands at data[i * row_stride + j * column_stride]. One of the strides must be 1
/// (or the axis have length 1), the other at least the length of the axis with stride 1.
template <class T>
struct Matrix {
    T* data;
    std::int64_t rows, columns, row_stride, column_stride;
};

/// BLAS counts in 32 bits: no length and no stride may be greater.
inline constexpr std::int64_t longest = 0x7fffffff;

/// c = a b, or c += a b, by OpenBLAS; c has column_stride 1. T is float or double.
template <class T>
void multiply(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate);

/// A matrix laid out as oneDNN reads it best, to be the right operand of many products.
class Packed {
  public:
    virtual ~Packed() = default;
    virtual std::int64_t bytes() const = 0;
};
/// Null if there is no faster layout than the matrix' own: without oneDNN, and, unless the environment's WENGERT_GEMM
/// is onednn, on processors without AVX-512. WENGERT_GEMM=openblas leaves all to OpenBLAS.
std::shared_ptr<const Packed> pack(const Matrix<const float>& b);
bool can_pack();
/// c = a b, or c += a b. Returns whether it did: false if there is no kernel for this shape with `b`.
bool multiply(const Matrix<const float>& a, const Packed& b, const Matrix<float>& c, bool accumulate);

/// How many threads a product may use; OpenBLAS's OpenMP build and oneDNN follow OpenMP by themselves.
void set_thread_count(int threads);

}  // namespace wengert::gemm
