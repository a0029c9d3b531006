#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <utility>
#include <wengert/ops/linalg/internal/lapack.hpp>

// LAPACK has no header of its own beside OpenBLAS's. The last arguments are the lengths of the strings, as Fortran
// passes them.
extern "C" {
using wengert::lapack::Integer;
using Length = std::size_t;
#define WENGERT_LAPACK(T, p)                                                                                          \
    void p##potrf_(const char* uplo, const Integer* n, T* a, const Integer* lda, Integer* info, Length);              \
    void p##trsm_(const char* side, const char* uplo, const char* trans, const char* diag, const Integer* m,          \
                  const Integer* n, const T* alpha, const T* a, const Integer* lda, T* b, const Integer* ldb, Length, \
                  Length, Length, Length);                                                                            \
    void p##getrf_(const Integer* m, const Integer* n, T* a, const Integer* lda, Integer* pivots, Integer* info);     \
    void p##gelqf_(const Integer* m, const Integer* n, T* a, const Integer* lda, T* tau, T* work,                     \
                   const Integer* lwork, Integer* info);                                                              \
    void p##orglq_(const Integer* m, const Integer* n, const Integer* k, T* a, const Integer* lda, const T* tau,      \
                   T* work, const Integer* lwork, Integer* info);                                                     \
    void p##syevd_(const char* jobz, const char* uplo, const Integer* n, T* a, const Integer* lda, T* w, T* work,     \
                   const Integer* lwork, Integer* iwork, const Integer* liwork, Integer* info, Length, Length);       \
    void p##gesdd_(const char* jobz, const Integer* m, const Integer* n, T* a, const Integer* lda, T* s, T* u,        \
                   const Integer* ldu, T* vt, const Integer* ldvt, T* work, const Integer* lwork, Integer* iwork,     \
                   Integer* info, Length);
WENGERT_LAPACK(float, s)
WENGERT_LAPACK(double, d)
#undef WENGERT_LAPACK
}

namespace wengert::lapack {
namespace {

/// The function for T of the two that LAPACK has.
template <class T, class Single, class Double>
constexpr auto of(Single single, Double with_double) {
    if constexpr (std::same_as<T, float>)
        return single;
    else
        return with_double;
}

Integer counted(std::int64_t n) { return static_cast<Integer>(n); }
/// The distance of rows, which BLAS wants to be at least 1.
Integer leading(std::int64_t n) { return static_cast<Integer>(std::max<std::int64_t>(n, 1)); }

/// Parts of a room, each at a multiple of 64 bytes.
class Parts {
  public:
    explicit Parts(std::byte* room) : next_(room) {}
    template <class T>
    T* take(std::int64_t n) {
        return reinterpret_cast<T*>(std::exchange(next_, next_ + bytes<T>(n)));
    }
    template <class T>
    static std::int64_t bytes(std::int64_t n) {
        return (n * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
    }

  private:
    std::byte* next_;
};

/// x := op(a)^-1 x for rows: the transpose of x is multiplied from the right by the inverse of op(a)^T.
template <class T>
void solve_right(char upper, char transposed, char unit, std::int64_t n, std::int64_t k, const T* a, T* x) {
    const char right = 'R';
    const T one = 1;
    const Integer rows = counted(k), columns = counted(n), lda = leading(n), ldb = leading(k);
    of<T>(strsm_, dtrsm_)(&right, &upper, &transposed, &unit, &rows, &columns, &one, a, &lda, x, &ldb, 1, 1, 1, 1);
}

/// How many elements of working space make LAPACK fast, of those that it can count.
constexpr std::int64_t block = 64;
std::int64_t countable(std::int64_t n) { return std::min<std::int64_t>(n, std::numeric_limits<Integer>::max()); }
std::int64_t qr_work(std::int64_t m, std::int64_t n) { return countable(block * std::max(m, n)); }
std::int64_t svd_work(std::int64_t m, std::int64_t n) {
    const std::int64_t least = std::min(m, n), most = std::max(m, n);
    return countable(4 * least * least + 7 * least + block * (most + 3 * least) + 1);
}
std::int64_t eigh_work(std::int64_t n) { return countable(1 + (6 + block) * n + 2 * n * n); }

}  // namespace

template <class T>
std::int64_t cholesky(std::int64_t n, T* a) {
    const char upper = 'U';  // of the transpose
    const Integer order = counted(n), lda = leading(n);
    Integer info = 0;
    of<T>(spotrf_, dpotrf_)(&upper, &order, a, &lda, &info, 1);
    if (info != 0) return info;
    for (std::int64_t i = 0; i < n; ++i)  // a NaN is not found by OpenBLAS
        if (!(a[i * (n + 1)] > 0)) return i + 1;
    return 0;
}

template <class T>
void solve_triangular(const Triangle& triangle, std::int64_t n, std::int64_t k, const T* a, T* b) {
    solve_right(triangle.upper ? 'L' : 'U', triangle.transposed ? 'T' : 'N', triangle.unit ? 'U' : 'N', n, k, a, b);
}

template <class T>
void lu(std::int64_t n, T* a, Integer* pivots) {
    const Integer order = counted(n), lda = leading(n);
    Integer info = 0;
    of<T>(sgetrf_, dgetrf_)(&order, &order, a, &lda, pivots, &info);
}

template <class T>
void solve_lu(bool transposed, std::int64_t n, std::int64_t k, const T* factors, const Integer* pivots, T* b) {
    const auto exchange = [&](std::int64_t i) {
        if (pivots[i] - 1 != i) std::swap_ranges(b + i * k, b + (i + 1) * k, b + (pivots[i] - 1) * k);
    };
    if (transposed) {
        for (std::int64_t i = 0; i < n; ++i) exchange(i);
        solve_right('L', 'T', 'U', n, k, factors, b);
        solve_right('U', 'T', 'N', n, k, factors, b);
    } else {
        solve_right('U', 'N', 'N', n, k, factors, b);
        solve_right('L', 'N', 'U', n, k, factors, b);
        for (std::int64_t i = n - 1; i >= 0; --i) exchange(i);
    }
}

template <class T>
std::int64_t qr_room(std::int64_t m, std::int64_t n) {
    return Parts::bytes<T>(m * n) + Parts::bytes<T>(std::min(m, n)) + Parts::bytes<T>(qr_work(m, n));
}

template <class T>
void qr(std::int64_t m, std::int64_t n, const T* a, T* q, T* r, std::byte* room) {
    const std::int64_t k = std::min(m, n), work_size = qr_work(m, n);
    Parts parts(room);
    T *const factors = parts.take<T>(m * n), *const tau = parts.take<T>(k), *const work = parts.take<T>(work_size);
    std::copy_n(a, m * n, factors);
    const Integer rows = counted(n), columns = counted(m), rank = counted(k), ldq = leading(k),
                  lwork = counted(work_size);
    Integer info = 0;
    of<T>(sgelqf_, dgelqf_)(&rows, &columns, factors, &rows, tau, work, &lwork, &info);  // a^T = r^T q^T
    for (std::int64_t i = 0; i < k; ++i) {
        std::fill_n(r + i * n, i, T{0});
        std::copy(factors + i * n + i, factors + (i + 1) * n, r + i * n + i);
    }
    for (std::int64_t i = 0; i < m; ++i) std::copy_n(factors + i * n, k, q + i * k);
    of<T>(sorglq_, dorglq_)(&rank, &columns, &rank, q, &ldq, tau, work, &lwork, &info);
}

template <class T>
std::int64_t eigh_room(std::int64_t n) {
    return Parts::bytes<T>(eigh_work(n)) + Parts::bytes<Integer>(3 + 5 * n);
}

template <class T>
bool eigh(std::int64_t n, T* a, T* w, std::byte* room) {
    Parts parts(room);
    T* const work = parts.take<T>(eigh_work(n));
    Integer* const integers = parts.take<Integer>(3 + 5 * n);
    const char vectors = 'V', upper = 'U';  // of the transpose
    const Integer order = counted(n), lwork = counted(eigh_work(n)), liwork = counted(3 + 5 * n);
    Integer info = 0;
    of<T>(ssyevd_, dsyevd_)(&vectors, &upper, &order, a, &order, w, work, &lwork, integers, &liwork, &info, 1, 1);
    return info == 0;
}

template <class T>
std::int64_t svd_room(std::int64_t m, std::int64_t n) {
    return Parts::bytes<T>(m * n) + Parts::bytes<T>(svd_work(m, n)) + Parts::bytes<Integer>(8 * std::min(m, n));
}

template <class T>
bool svd(std::int64_t m, std::int64_t n, const T* a, T* u, T* s, T* vh, std::byte* room) {
    const std::int64_t k = std::min(m, n);
    Parts parts(room);
    T *const copy = parts.take<T>(m * n), *const work = parts.take<T>(svd_work(m, n));
    Integer* const integers = parts.take<Integer>(8 * k);
    std::copy_n(a, m * n, copy);
    const char reduced = 'S';
    const Integer rows = counted(n), columns = counted(m), rank = counted(k), lwork = counted(svd_work(m, n));
    Integer info = 0;
    of<T>(sgesdd_, dgesdd_)(&reduced, &rows, &columns, copy, &rows, s, vh, &rows, u, &rank, work, &lwork, integers,
                            &info, 1);
    return info == 0;
}

#define WENGERT_INSTANTIATE(T)                                                                 \
    template std::int64_t cholesky(std::int64_t, T*);                                          \
    template void solve_triangular(const Triangle&, std::int64_t, std::int64_t, const T*, T*); \
    template void lu(std::int64_t, T*, Integer*);                                              \
    template void solve_lu(bool, std::int64_t, std::int64_t, const T*, const Integer*, T*);    \
    template std::int64_t qr_room<T>(std::int64_t, std::int64_t);                              \
    template void qr(std::int64_t, std::int64_t, const T*, T*, T*, std::byte*);                \
    template std::int64_t eigh_room<T>(std::int64_t);                                          \
    template bool eigh(std::int64_t, T*, T*, std::byte*);                                      \
    template std::int64_t svd_room<T>(std::int64_t, std::int64_t);                             \
    template bool svd(std::int64_t, std::int64_t, const T*, T*, T*, T*, std::byte*);
WENGERT_INSTANTIATE(float)
WENGERT_INSTANTIATE(double)
#undef WENGERT_INSTANTIATE

}  // namespace wengert::lapack
