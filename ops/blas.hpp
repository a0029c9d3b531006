#pragma once

#include <cstdint>

/// The only door to OpenBLAS.
namespace wengert::blas {

/// A matrix in memory: element (i, j) stands at data[i * row_stride + j * column_stride]. One of the strides must be 1
/// (or the axis have length 1), the other at least the length of the axis with stride 1.
template <class T>
struct Matrix {
    T* data;
    std::int64_t rows, columns, row_stride, column_stride;
};

/// BLAS counts in 32 bits: no length and no stride may be greater.
inline constexpr std::int64_t longest = 0x7fffffff;

/// c = a b, or c += a b; c has column_stride 1. T is float or double.
template <class T>
void multiply(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate);

/// How many threads a product may use; OpenBLAS's OpenMP build follows OpenMP by itself.
void set_thread_count(int threads);

}  // namespace wengert::blas
