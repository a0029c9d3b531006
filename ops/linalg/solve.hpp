#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Equations, inverses and determinants of batches of square matrices, by elimination with partial pivoting. Throw
/// ShapeError for what is no square matrix, DtypeError unless operands are float32 or float64 and alike. A matrix is
/// singular here if a pivot is exactly 0; one that nearly is so gives large numbers, a NaN or a subnormal pivot what is
/// not finite.
namespace WENGERT_EXPORT wengert {

/// x with a x = b: a [.., n, n], b [.., n, k] -> [.., n, k]; leading axes broadcast. A vector b [n] counts as a column,
/// and its axis goes from the result. Derivative: of b d = a^-T ct, of a -d x^T. Throws ShapeError, too, if b does not
/// fit, ValueError for a singular matrix.
Tensor solve(const Input& a, const Input& b);

struct Solve {
    static constexpr std::string_view name = "solve";
    static constexpr OpDoc doc{"solve(a, b)", "[.., n, n], [.., n, k] or [n] -> as b, leading axes broadcast",
                               "x with a x = b", "-d xᵀ; d = a⁻ᵀ ct"};
    static constexpr Saves saves = Saves::inputs_and_output;
    static constexpr std::size_t saves_first = 1;
    static constexpr std::array<std::string_view, 2> operands{"a", "b"};
    static constexpr std::size_t workspace = 2;
    bool transposed = false;  ///< a^T x = b
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out, const Workspace& workspace) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// The inverse: [.., n, n] -> the same. To multiply with it, solve() is faster and more exact. Derivative:
/// -a^-T ct a^-T. Throws ValueError for a singular matrix.
Tensor inverse(const Input& a);

/// The determinant: [.., n, n] -> [..]; 1 of a matrix 0 x 0. It overflows only if it is itself out of range.
/// Derivative: ct times the cofactors, of singular matrices too. A second derivative is that of ct y a^-T, and needs
/// matrices that are not singular: a recorded gradient throws ValueError for others, and so does jvp().
Tensor det(const Input& a);

struct Det {
    static constexpr std::string_view name = "det";
    static constexpr OpDoc doc{"det(a)", "[.., n, n] -> [..]", "the determinant", "ct times the cofactors, ct y a⁻ᵀ"};
    static constexpr Saves saves = Saves::inputs_and_output;
    static constexpr std::array<std::string_view, 1> operands{"a"};
    static constexpr std::size_t workspace = 2;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out, const Workspace& workspace) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// The determinant as its sign, -1, 0 or 1, and the logarithm of its absolute value, which does not overflow:
/// [.., n, n] -> [..], [..]. 0 and minus infinity of a singular matrix. Derivative: of the sign 0, of the logarithm
/// ct a^-T, for which backward throws ValueError at a singular matrix.
struct SignAndLog {
    Tensor sign, logabsdet;  ///< of each matrix, both [..]
};
SignAndLog slogdet(const Input& a);

/// What slogdet() computes: [2, ..], signs before logarithms.
struct SLogDet {
    static constexpr std::string_view name = "slogdet";
    static constexpr OpDoc doc{"slogdet(a)", "[.., n, n] -> [..], [..]",
                               "the determinant's sign, ln of its absolute value", "0; ct a⁻ᵀ"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 1> operands{"a"};
    static constexpr std::size_t workspace = 2;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out, const Workspace& workspace) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using SolveOps = OpList<
    Solve,
    Det,
    SLogDet>;
// clang-format on
template <class Op>
requires is_in<Op, SolveOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
