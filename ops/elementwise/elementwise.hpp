#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/elementwise/calculus.hpp>

/// The elementary functions of tensors. Each is one entry of calculus.hpp, where its formula, its derivative and its
/// value at kinks stand. Operands broadcast as in NumPy; a number takes the dtype of the other operand. The result has
/// the operands' dtype, float32 or float64; DtypeError if they differ or are int64, ShapeError if they do not
/// broadcast.
namespace wengert {

/// The function of a table entry.
template <class Primitive>
Tensor elementwise(const Input& x);
template <class Primitive>
Tensor elementwise(const Input& x, const Input& y);

// clang-format off
inline Tensor operator-(const Input& x) { return elementwise<calculus::Neg>(x); }
inline Tensor exp(const Input& x) { return elementwise<calculus::Exp>(x); }
inline Tensor log(const Input& x) { return elementwise<calculus::Log>(x); }
inline Tensor log1p(const Input& x) { return elementwise<calculus::Log1p>(x); }
inline Tensor expm1(const Input& x) { return elementwise<calculus::Expm1>(x); }
inline Tensor sqrt(const Input& x) { return elementwise<calculus::Sqrt>(x); }
inline Tensor sin(const Input& x) { return elementwise<calculus::Sin>(x); }
inline Tensor cos(const Input& x) { return elementwise<calculus::Cos>(x); }
inline Tensor tanh(const Input& x) { return elementwise<calculus::Tanh>(x); }
inline Tensor sigmoid(const Input& x) { return elementwise<calculus::Sigmoid>(x); }
inline Tensor relu(const Input& x) { return elementwise<calculus::Relu>(x); }
inline Tensor softplus(const Input& x) { return elementwise<calculus::Softplus>(x); }
inline Tensor erf(const Input& x) { return elementwise<calculus::Erf>(x); }
inline Tensor abs(const Input& x) { return elementwise<calculus::Abs>(x); }

inline Tensor operator+(const Input& x, const Input& y) { return elementwise<calculus::Add>(x, y); }
inline Tensor operator-(const Input& x, const Input& y) { return elementwise<calculus::Sub>(x, y); }
inline Tensor operator*(const Input& x, const Input& y) { return elementwise<calculus::Mul>(x, y); }
inline Tensor operator/(const Input& x, const Input& y) { return elementwise<calculus::Div>(x, y); }
inline Tensor pow(const Input& x, const Input& y) { return elementwise<calculus::Pow>(x, y); }
inline Tensor minimum(const Input& x, const Input& y) { return elementwise<calculus::Minimum>(x, y); }
inline Tensor maximum(const Input& x, const Input& y) { return elementwise<calculus::Maximum>(x, y); }

// Comparisons give 1 where true and 0 elsewhere. They are not differentiable: the result is a constant, and asking for a
// gradient through it throws NotDifferentiableError.
inline Tensor operator>(const Input& x, const Input& y) { return elementwise<calculus::Greater>(x, y); }
inline Tensor operator>=(const Input& x, const Input& y) { return elementwise<calculus::GreaterEqual>(x, y); }
inline Tensor operator<(const Input& x, const Input& y) { return elementwise<calculus::Less>(x, y); }
inline Tensor operator<=(const Input& x, const Input& y) { return elementwise<calculus::LessEqual>(x, y); }
inline Tensor operator==(const Input& x, const Input& y) { return elementwise<calculus::Equal>(x, y); }
inline Tensor operator!=(const Input& x, const Input& y) { return elementwise<calculus::NotEqual>(x, y); }
// clang-format on

/// `yes` where `condition` is not 0, `no` elsewhere. No gradient flows to the condition, nor to the operand not taken:
/// its cotangent is 0 there, which a rule that divides by 0 further up turns into NaN.
Tensor where(const Input& condition, const Input& yes, const Input& no);

}  // namespace wengert
