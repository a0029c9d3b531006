#include <cblas.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/internal/onednn.hpp>
#include <wengert/ops/products/internal/small_product.hpp>

// OpenBLAS's own way to choose the kernels for a processor; builds for one processor have none.
extern "C" [[gnu::weak]] void gotoblas_dynamic_quit();
extern "C" [[gnu::weak]] void gotoblas_dynamic_init();

namespace wengert::gemm {
namespace {

/// The kernels of OpenBLAS that this processor can run; null if it would choose as well by itself.
const char* better_kernels() {
#ifdef __x86_64__
    if (std::string_view(openblas_get_corename()) != "Prescott") return nullptr;
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
    return nullptr;
}

/// OpenBLAS before 0.3.25 takes an Intel processor that it does not know for a Prescott of 2004, whose kernels are four
/// times slower. So it is told, before main(), unless the user has chosen.
[[maybe_unused]] const bool has_chosen_kernels = [] {
    constexpr const char* variable = "OPENBLAS_CORETYPE";
    const char* const kernels = better_kernels();
    if (kernels == nullptr || std::getenv(variable) != nullptr || gotoblas_dynamic_init == nullptr ||
        gotoblas_dynamic_quit == nullptr)
        return false;
    setenv(variable, kernels, 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv(variable);
    return true;
}();

/// What the environment's WENGERT_GEMM asks for.
enum class Choice { fastest, openblas, onednn };

Choice chosen() {
    const char* const value = std::getenv("WENGERT_GEMM");
    const std::string_view name = value != nullptr ? value : "";
    if (name.empty()) return Choice::fastest;
    if (name == "openblas") return Choice::openblas;
    if (name != "onednn") throw ValueError(fmt::format("WENGERT_GEMM is \"{}\"; it may be openblas or onednn", name));
    if (!onednn::is_built()) throw ValueError("WENGERT_GEMM asks for oneDNN, which Wengert was built without");
    return Choice::onednn;
}
Choice choice() {
    static const Choice choice = chosen();
    return choice;
}

template <class T>
struct Layout {
    CBLAS_TRANSPOSE transpose;
    blasint leading;
};

/// How BLAS is told of a matrix whose rows, or whose columns, are runs of memory.
template <class T>
Layout<T> layout(const Matrix<const T>& m) {
    const auto leading = [](std::int64_t stride, std::int64_t run) {
        return static_cast<blasint>(std::max<std::int64_t>({stride, run, 1}));
    };
    if (m.column_stride == 1 || m.columns == 1) {
        if (m.row_stride >= m.columns || m.rows == 1)
            return {CblasNoTrans, leading(m.rows == 1 ? 0 : m.row_stride, m.columns)};
    }
    return {CblasTrans, leading(m.columns == 1 ? 0 : m.column_stride, m.rows)};
}

/// y = m x, or y += m x: a product with a vector reads the matrix once, which a general product does not manage.
template <class T>
void multiply_vector(const Matrix<const T>& m, const T* x, std::int64_t x_stride, T* y, std::int64_t y_stride,
                     bool accumulate) {
    const Layout<T> l = layout(m);
    const bool by_rows = l.transpose == CblasNoTrans;
    const auto rows = static_cast<blasint>(by_rows ? m.rows : m.columns),
               columns = static_cast<blasint>(by_rows ? m.columns : m.rows);
    const auto x_step = static_cast<blasint>(std::max<std::int64_t>(x_stride, 1)),
               y_step = static_cast<blasint>(std::max<std::int64_t>(y_stride, 1));
    const T beta = accumulate ? 1 : 0;
    if constexpr (sizeof(T) == 4)
        cblas_sgemv(CblasRowMajor, l.transpose, rows, columns, 1, m.data, l.leading, x, x_step, beta, y, y_step);
    else
        cblas_dgemv(CblasRowMajor, l.transpose, rows, columns, 1, m.data, l.leading, x, x_step, beta, y, y_step);
}

template <class T>
Matrix<const T> transposed(const Matrix<const T>& m) {
    return {m.data, m.columns, m.rows, m.column_stride, m.row_stride};
}

}  // namespace

template <class T>
void multiply(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate) {
    if (is_small(a, b)) return multiply_small(a, b, c, accumulate);
    if (c.rows == 1) return multiply_vector(transposed(b), a.data, a.column_stride, c.data, 1, accumulate);
    if (c.columns == 1) return multiply_vector(a, b.data, b.row_stride, c.data, c.row_stride, accumulate);
    const Layout<T> la = layout(a), lb = layout(b);
    const auto m = static_cast<blasint>(c.rows), n = static_cast<blasint>(c.columns),
               k = static_cast<blasint>(a.columns);
    const auto ldc = static_cast<blasint>(std::max<std::int64_t>({c.rows == 1 ? 0 : c.row_stride, c.columns, 1}));
    const T beta = accumulate ? 1 : 0;
    if constexpr (sizeof(T) == 4)
        cblas_sgemm(CblasRowMajor, la.transpose, lb.transpose, m, n, k, 1, a.data, la.leading, b.data, lb.leading, beta,
                    c.data, ldc);
    else
        cblas_dgemm(CblasRowMajor, la.transpose, lb.transpose, m, n, k, 1, a.data, la.leading, b.data, lb.leading, beta,
                    c.data, ldc);
}

template void multiply(const Matrix<const float>&, const Matrix<const float>&, const Matrix<float>&, bool);
template void multiply(const Matrix<const double>&, const Matrix<const double>&, const Matrix<double>&, bool);

bool has_onednn(Precision precision) {
    if (choice() == Choice::openblas) return false;
    return (choice() == Choice::onednn && precision == Precision::float32) || onednn::is_fast(precision);
}
std::shared_ptr<const Packed> pack(const Matrix<const float>& b, Precision precision) {
    return has_onednn(precision) ? onednn::pack(b, precision) : nullptr;
}
bool multiply_by_onednn(const Factors& factors, const Packed* packed, const Matrix<float>& c, bool accumulate,
                        Precision precision) {
    return has_onednn(precision) && onednn::multiply(factors, packed, c, accumulate, precision);
}
bool multiply_sum_by_onednn(std::span<const Factors> products, const Matrix<float>& c, bool accumulate) {
    return has_onednn(Precision::bfloat16) && onednn::multiply_sum(products, c, accumulate);
}

template <class T>
void multiply_fast(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate) {
    if constexpr (std::is_same_v<T, float>) {
        const bool is_vector = c.rows == 1 || c.columns == 1;
        if (!is_vector && c.rows * c.columns * a.columns >= least_of_onednn &&
            multiply_by_onednn({a, b}, nullptr, c, accumulate, Precision::float32))
            return;
    }
    multiply(a, b, c, accumulate);
}

template void multiply_fast(const Matrix<const float>&, const Matrix<const float>&, const Matrix<float>&, bool);
template void multiply_fast(const Matrix<const double>&, const Matrix<const double>&, const Matrix<double>&, bool);

OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }

std::string_view kernels() { return openblas_get_corename(); }

void set_thread_count(int threads) { openblas_set_num_threads(threads); }

std::string_view bfloat16_is_idle() {
    if (has_onednn(Precision::bfloat16)) return "";
    if (!onednn::is_built()) return "Wengert was built without oneDNN";
    if (choice() == Choice::openblas) return "WENGERT_GEMM leaves all products to OpenBLAS";
    return "oneDNN finds no bfloat16 instructions (AVX512_BF16 or AMX) here, or ONEDNN_MAX_CPU_ISA hides them";
}

}  // namespace wengert::gemm
