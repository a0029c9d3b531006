#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Decompositions of batches of matrices into orthogonal and other factors, by LAPACK. Each is one op, whose results
/// are slices of one tensor. Throw ShapeError for fewer than two axes, DtypeError unless a is float32 or float64,
/// ValueError for a matrix with a NaN or an infinity; eigh() and svd(), too, ShapeError for matrices whose shorter axis
/// is longer than 20000, and ValueError for one at which LAPACK does not converge.
namespace WENGERT_EXPORT wengert {

/// a = q r with k = min(m, n): a [.., m, n] -> q [.., m, k] of orthonormal columns, r [.., k, n] upper triangular.
/// Signs are as Householder's reflections give them. Derivative, with M = r dr^T - dq^T q of the cotangents dq and dr
/// and its lower triangle as a symmetric matrix: (dq + q sym(M)) r^-T (Walter and Lehmann 2010, Algorithmic
/// differentiation of linear algebra functions). If a is wide, the columns after the first m are q times those of r.
/// Backward needs the first k columns to be independent, and throws ValueError if one is exactly not.
struct QrFactors {
    Tensor q, r;  ///< [.., m, k] and [.., k, n]
};
QrFactors qr(const Input& a);

/// What qr() computes: [.., m k + k n], q before r.
struct Qr {
    static constexpr std::string_view name = "qr";
    static constexpr OpDoc doc{"qr(a)", "[.., m, n] -> [.., m, k], [.., k, n], k = min(m, n)",
                               "q r = a, q of orthonormal columns, r upper triangular",
                               "(dq + q sym(r drᵀ - dqᵀ q)) r⁻ᵀ"};
    static constexpr Saves saves = Saves::output;
    static constexpr std::array<std::string_view, 1> operands{"a"};
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// Eigenvalues, in ascending order, and eigenvectors, the columns, of a symmetric matrix: a [.., n, n] -> values [..,
/// n], vectors [.., n, n]. The lower triangle of a alone is read. The sign of a vector is LAPACK's choice; of equal
/// values, so are the vectors. Derivative: that by a symmetric matrix, as cholesky() has it, V (diag(dw) + skew(V^T dV)
/// / (w[j] - w[i])) V^T. Where two values are equal their vectors have none: it is NaN if the result depends on them,
/// and right if it depends on the values alone; then its own derivative is NaN. Throws ShapeError, too, for what is not
/// square.
struct Eigenpairs {
    Tensor values, vectors;  ///< [.., n] and [.., n, n]
};
Eigenpairs eigh(const Input& a);

/// What eigh() computes: [.., n + n n], values before transposed vectors.
struct Eigh {
    static constexpr std::string_view name = "eigh";
    static constexpr OpDoc doc{
        "eigh(a)", "[.., n, n] -> [.., n], [.., n, n]",
        "w ascending and V with a V = V diag(w), a symmetric, whose lower triangle alone is read",
        "V (diag(dw) + skew(Vᵀ dV) / (w[j] - w[i])) Vᵀ, symmetric"};
    static constexpr Saves saves = Saves::output;
    static constexpr bool symmetric_operand = true;
    static constexpr std::array<std::string_view, 1> operands{"a"};
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// a = u diag(s) vh with k = min(m, n): a [.., m, n] -> u [.., m, k] of orthonormal columns, s [.., k] in descending
/// order, 0 or more, vh [.., k, n] of orthonormal rows. The sign of a pair of vectors is LAPACK's choice; of equal
/// values, so are the vectors. Derivative, of square matrices: u (diag(ds) + (skew(u^T du) s[j] + s[i] skew(v^T dv)) /
/// (s[j]² - s[i]²)) vh; of others also what leaves the columns of u, or the rows of vh, divided by s (Townsend 2016,
/// Differentiating the singular value decomposition). Where two values are equal, or one is 0 and a not square, the
/// vectors have none: it is NaN if the result depends on them, and right if it depends on s alone; then its own
/// derivative is NaN. At s = 0 that is the derivative of s without its kink.
struct SvdFactors {
    Tensor u, s, vh;  ///< [.., m, k], [.., k] and [.., k, n]
};
SvdFactors svd(const Input& a);

/// What svd() computes: [.., m k + k + k n], u before s and vh.
struct Svd {
    static constexpr std::string_view name = "svd";
    static constexpr OpDoc doc{"svd(a)", "[.., m, n] -> [.., m, k], [.., k], [.., k, n], k = min(m, n)",
                               "u diag(s) vh = a, s descending",
                               "u (diag(ds) + (skew(uᵀ du) s[j] + s[i] skew(vᵀ dv)) / (s[j]² - s[i]²)) vh, m = n"};
    static constexpr Saves saves = Saves::output;
    static constexpr std::array<std::string_view, 1> operands{"a"};
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using DecompositionOps = OpList<
    Qr,
    Eigh,
    Svd>;
// clang-format on
template <class Op>
requires is_in<Op, DecompositionOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
