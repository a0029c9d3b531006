#pragma once

#include <algorithm>
#include <array>
#include <wengert/ops/elementwise/internal/lanes.hpp>
#include <wengert/ops/products/internal/gemm.hpp>

namespace wengert::gemm {

/// So many rows, columns and terms are multiplied before a library has found out what it is asked for.
inline constexpr std::int64_t most_of_small = 8;

template <class T>
bool is_small(const Matrix<const T>& a, const Matrix<const T>& b) {
    return std::max({a.rows, a.columns, b.columns}) <= most_of_small;
}

/// c = a b, or c += a b, of small matrices with any strides, but c.column_stride 1. T is float or double.
template <class T>
void multiply_small(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate) {
    constexpr std::int64_t width = Lanes<T>::size, most_parts = (most_of_small + width - 1) / width;
    const std::int64_t terms = a.columns;
    std::array<std::array<Lanes<T>, most_parts>, most_of_small> rows;
    for (std::int64_t k = 0; k < terms; ++k) {
        const T* from = b.data + k * b.row_stride;
        std::array<T, most_of_small> row;
        if (b.column_stride != 1) {
            for (std::int64_t j = 0; j < b.columns; ++j) row[static_cast<std::size_t>(j)] = from[j * b.column_stride];
            from = row.data();
        }
        for (std::int64_t j = 0; j < b.columns; j += width)
            rows[static_cast<std::size_t>(k)][static_cast<std::size_t>(j / width)] =
                Lanes<T>::load(from + j, b.columns - j);
    }
    for (std::int64_t i = 0; i < c.rows; ++i) {
        const T* const factors = a.data + i * a.row_stride;
        T* const to = c.data + i * c.row_stride;
        for (std::int64_t j = 0; j < c.columns; j += width) {
            const std::int64_t n = c.columns - j;
            typename Lanes<T>::Batch sum = accumulate ? Lanes<T>::load(to + j, n).v : typename Lanes<T>::Batch(0);
            for (std::int64_t k = 0; k < terms; ++k)
                sum = xsimd::fma(typename Lanes<T>::Batch(factors[k * a.column_stride]),
                                 rows[static_cast<std::size_t>(k)][static_cast<std::size_t>(j / width)].v, sum);
            Lanes<T>(sum).store(to + j, n);
        }
    }
}

}  // namespace wengert::gemm
