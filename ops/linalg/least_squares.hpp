#pragma once

#include <optional>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Equations with more rows or columns than unknowns, of batches of matrices. Throw ShapeError for fewer than two axes,
/// DtypeError unless operands are float32 or float64 and alike.
namespace WENGERT_EXPORT wengert {

/// x with the least |a x - b|, and of several such the least |x|: a [.., m, n], b [.., m, k] -> [.., n, k]; leading
/// axes broadcast. A vector b [m] counts as a column, and its axis goes from the result. By qr(), so that all columns
/// of a must be independent, or all rows if it has fewer of them: where they are not but for roundings, x is large and
/// wrong, and pinv(a) b is what is asked for. Derivative: that of the composition. Throws ShapeError, too, if b does
/// not fit, ValueError where r has a 0 on its diagonal.
Tensor lstsq(const Input& a, const Input& b);

/// Moore and Penrose's inverse: [.., m, n] -> [.., n, m]. Singular values up to rtol times the largest count as 0; by
/// default rtol is max(m, n) times the distance of 1 and the next number. Derivative, for changes that leave the rank
/// as it is: -y^T ct y^T + (1 - a y) ct^T y y^T + y^T y ct^T (1 - y a) (Golub and Pereyra 1973, The differentiation of
/// pseudo-inverses and nonlinear least squares problems whose variables separate). Throws what svd() throws, and
/// ValueError for a negative rtol.
Tensor pinv(const Input& a, std::optional<double> rtol = std::nullopt);

struct Pinv {
    static constexpr std::string_view name = "pinv";
    static constexpr OpDoc doc{"pinv(a, rtol = max(m, n) ε)", "[.., m, n] -> [.., n, m]", "the pseudoinverse",
                               "-yᵀ ct yᵀ + (1 - a y) ctᵀ y yᵀ + yᵀ y ctᵀ (1 - y a)"};
    static constexpr Saves saves = Saves::inputs_and_output;
    static constexpr std::array<std::string_view, 1> operands{"a"};
    std::optional<double> rtol;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using LeastSquaresOps = OpList<
    Pinv>;
// clang-format on
template <class Op>
requires is_in<Op, LeastSquaresOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
