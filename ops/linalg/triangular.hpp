#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Triangular matrices, of batches: each matrix of [.., n, n] by itself. Throw ShapeError for what is no square matrix,
/// DtypeError unless operands are float32 or float64 and alike.
namespace WENGERT_EXPORT wengert {

/// The lower triangle L with a positive diagonal for which L L^T = a: [.., n, n] -> the same, 0 above the diagonal. Of
/// a, which counts as symmetric, the lower triangle alone is read. Derivative: that by a symmetric matrix, so that it
/// is symmetric itself, and is checked by gradcheck() as that of cholesky(0.5 * (a + transpose(a))): (S + S^T) / 2 of S
/// = L^-T tril'(L^T ct) L^-1, where tril' halves the diagonal (Murray 2016, Differentiation of the Cholesky
/// decomposition). Throws ValueError for a matrix that is not positive definite, or has a NaN, and says which, and
/// which leading minor.
Tensor cholesky(const Input& a);

struct Cholesky {
    static constexpr std::string_view name = "cholesky";
    static constexpr OpDoc doc{"cholesky(a)", "[.., n, n] -> the same",
                               "L, lower triangular, with L Lᵀ = a, symmetric, whose lower triangle alone is read",
                               "L⁻ᵀ sym(tril(Lᵀ ct)) L⁻¹, symmetric"};
    static constexpr Saves saves = Saves::output;
    static constexpr bool symmetric_operand = true;
    static constexpr std::array<std::string_view, 1> operands{"a"};
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// How solve_triangular() reads its matrix.
struct TriangularOptions {
    bool upper = false;       ///< the upper triangle; the other one is not read
    bool transposed = false;  ///< solve a^T x = b
    bool unit = false;        ///< the diagonal counts as ones, and is not read
    bool operator==(const TriangularOptions&) const = default;
};

/// x with a x = b, or a^T x = b, where a is triangular: a [.., n, n], b [.., n, k] -> [.., n, k]; leading axes
/// broadcast. Derivative: of b the solution d for ct and the transposed matrix, of a the triangle of -d x^T, or of
/// -x d^T. Throws ShapeError, too, if b does not fit, ValueError for a 0 on the diagonal.
Tensor solve_triangular(const Input& a, const Input& b, const TriangularOptions& options = {});

struct SolveTriangular {
    static constexpr std::string_view name = "solve_triangular";
    static constexpr OpDoc doc{"solve_triangular(a, b, options = {upper, transposed, unit})",
                               "[.., n, n], [.., n, k] -> [.., n, k], leading axes broadcast",
                               "x with a x = b, or aᵀ x = b, a triangular", "the triangle of -d xᵀ; d = a⁻ᵀ ct"};
    static constexpr Saves saves = Saves::inputs_and_output;
    static constexpr std::size_t saves_first = 1;
    static constexpr std::array<std::string_view, 2> operands{"a", "b"};
    TriangularOptions options;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using TriangularOps = OpList<
    Cholesky,
    SolveTriangular>;
// clang-format on
template <class Op>
requires is_in<Op, TriangularOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
