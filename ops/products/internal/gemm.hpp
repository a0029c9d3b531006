#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/products/precision.hpp>

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

/// c = a b, or c += a b, by OpenBLAS, or without it if they are small; c has column_stride 1. T is float or double.
template <class T>
void multiply(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate);

/// The processor whose kernels OpenBLAS uses, as it calls it.
std::string_view kernels();

/// Whether oneDNN may multiply in this precision: not in a build without it, and, unless the environment's WENGERT_GEMM
/// is onednn, not in float32 on processors without AVX-512; never in bfloat16 on those that have no instructions for
/// it. WENGERT_GEMM=openblas leaves all to OpenBLAS. Throws ValueError for any other value of it.
bool has_onednn(Precision precision);
/// Why it may not in bfloat16, in words; empty if it may.
std::string_view bfloat16_is_idle();

/// A matrix laid out, and rounded, as oneDNN reads it best, to be the right operand of many products.
class Packed {
  public:
    virtual ~Packed() = default;
    virtual std::int64_t bytes() const = 0;
};
/// Null if there is no better layout than the matrix' own.
std::shared_ptr<const Packed> pack(const Matrix<const float>& b, Precision precision);

struct Factors {
    Matrix<const float> a, b;
};
/// c = a b, or c += a b, by oneDNN; c has no gaps between its rows. `packed`, if it is not null, is b packed in this
/// precision; the result is the same bit for bit. Returns whether it did: false if there is no kernel for these shapes.
bool multiply_by_onednn(const Factors& factors, const Packed* packed, const Matrix<float>& c, bool accumulate,
                        Precision precision);
/// The same for c = a1 b1 + a2 b2 + ..., in bfloat16.
bool multiply_sum_by_onednn(std::span<const Factors> products, const Matrix<float>& c, bool accumulate);

/// From so many multiplications on it is faster than OpenBLAS.
inline constexpr std::int64_t least_of_onednn = 1 << 18;

/// c = a b, or c += a b, by the faster of both; float64 and vectors are OpenBLAS's. c has no gaps between its rows.
template <class T>
void multiply_fast(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate);

/// While it lives, this thread multiplies alone, also inside of a parallel region, where oneDNN needs to know: for
/// kernels whose threads multiply each for itself.
class OneThread {
  public:
    OneThread();
    ~OneThread();
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

  private:
    const int before_;
};

/// parallel_ranges() of [0, n), whose threads multiply each for itself, if they are several.
template <class F>
void parallel_products(std::int64_t n, std::int64_t work, const F& f) {
    // What that may throw is thrown here, not by a thread.
    const bool is_shared = parallel_parts(n, 1, work) > 1 && (has_onednn(Precision::float32), true);
    parallel_ranges(n, 1, work, [&](std::int64_t begin, std::int64_t end) {
        std::optional<OneThread> alone;
        if (is_shared) alone.emplace();
        f(begin, end);
    });
}

/// How many threads a product may use; OpenBLAS's OpenMP build and oneDNN follow OpenMP by themselves.
void set_thread_count(int threads);

}  // namespace wengert::gemm
