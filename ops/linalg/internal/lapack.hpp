#pragma once

#include <cstddef>
#include <cstdint>

/// The factorizations of OpenBLAS's LAPACK, for matrices whose rows stand one after another. LAPACK reads such a matrix
/// as its transpose, and each call is the one that is right for that, so that no matrix is transposed. T is float or
/// double. `room` is memory that a call overwrites, of as many bytes as its *_room() says, at a multiple of 64.
namespace wengert::lapack {

/// A whole number of BLAS. No length may be greater than it can count, nor one of a matrix that is decomposed into
/// orthogonal ones greater than the second number, beyond which LAPACK cannot count its room.
using Integer = int;
inline constexpr std::int64_t longest_decomposed = 20'000;

/// Which triangle of a matrix is read, and how.
struct Triangle {
    bool upper, transposed, unit;
};

/// a [n, n] becomes its lower Cholesky factor; the upper triangle is neither read nor written. Returns 0, or the order
/// of the first leading minor that is not positive.
template <class T>
std::int64_t cholesky(std::int64_t n, T* a);

/// b [n, k] becomes the solution x of op(a) x = b, with a [n, n] triangular.
template <class T>
void solve_triangular(const Triangle& triangle, std::int64_t n, std::int64_t k, const T* a, T* b);

/// a [n, n] becomes the factors of its transpose, a^T = P L U with a unit diagonal of L: in this file's sense a lower
/// triangle U^T and a unit upper one L^T. Row i was exchanged with row pivots[i] - 1 of a^T.
template <class T>
void lu(std::int64_t n, T* a, Integer* pivots);
/// b [n, k] becomes the solution x of a x = b, or of a^T x = b, by a's factors.
template <class T>
void solve_lu(bool transposed, std::int64_t n, std::int64_t k, const T* factors, const Integer* pivots, T* b);

/// a [m, n] = q r with k = min(m, n): q [m, k] of orthonormal columns, r [k, n] upper triangular.
template <class T>
std::int64_t qr_room(std::int64_t m, std::int64_t n);
template <class T>
void qr(std::int64_t m, std::int64_t n, const T* a, T* q, T* r, std::byte* room);

/// a [n, n] becomes the transposed matrix of eigenvectors of the symmetric matrix with its lower triangle, w [n] the
/// eigenvalues in ascending order. Returns whether the algorithm converged.
template <class T>
std::int64_t eigh_room(std::int64_t n);
template <class T>
bool eigh(std::int64_t n, T* a, T* w, std::byte* room);

/// a [m, n] = u diag(s) vh with k = min(m, n): u [m, k], s [k] in descending order, vh [k, n]. Returns whether the
/// algorithm converged.
template <class T>
std::int64_t svd_room(std::int64_t m, std::int64_t n);
template <class T>
bool svd(std::int64_t m, std::int64_t n, const T* a, T* u, T* s, T* vh, std::byte* room);

}  // namespace wengert::lapack
