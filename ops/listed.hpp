#pragma once

#include <wengert/autograd/check/op_list.hpp>

namespace wengert {

namespace calculus {
struct Neg;
struct Exp;
struct Log;
struct Log1p;
struct Expm1;
struct Sqrt;
struct Sin;
struct Cos;
struct Tanh;
struct Sigmoid;
struct Relu;
struct Softplus;
struct Erf;
struct Abs;
struct Add;
struct Sub;
struct Mul;
struct Div;
struct Pow;
struct Minimum;
struct Maximum;
struct Greater;
struct GreaterEqual;
struct Less;
struct LessEqual;
struct Equal;
struct NotEqual;
}  // namespace calculus

template <class F, int N, bool summed = false>
struct Map;
template <class P>
struct Function;
template <class P>
struct Comparison;
struct Where;
struct SumOf;
struct Max;
struct Min;
struct ArgMax;
struct ArgMin;
struct Softmax;
struct LogSoftmax;
struct LogSumExp;
struct CrossEntropy;
struct LinearCrossEntropy;
struct MatMul;
struct LinearProduct;
struct EmbeddingLookup;
struct ScatterRows;
struct Concat;
struct Stack;
struct Reshape;
struct Permute;
struct Expand;
struct Slice;
struct Select;
struct PutSlice;
struct Contiguous;

/// Every op there is. The gradient checks run over this list, so an op that is left out does not compile (its public
/// function asks is_listed), and one that cannot be checked does not either (the checks ask for its samples).
using AllOps =
    OpList<Map<Function<calculus::Neg>, 1>, Map<Function<calculus::Exp>, 1>, Map<Function<calculus::Log>, 1>,
           Map<Function<calculus::Log1p>, 1>, Map<Function<calculus::Expm1>, 1>, Map<Function<calculus::Sqrt>, 1>,
           Map<Function<calculus::Sin>, 1>, Map<Function<calculus::Cos>, 1>, Map<Function<calculus::Tanh>, 1>,
           Map<Function<calculus::Sigmoid>, 1>, Map<Function<calculus::Relu>, 1>, Map<Function<calculus::Softplus>, 1>,
           Map<Function<calculus::Erf>, 1>, Map<Function<calculus::Abs>, 1>, Map<Function<calculus::Add>, 2>,
           Map<Function<calculus::Sub>, 2>, Map<Function<calculus::Mul>, 2>, Map<Function<calculus::Div>, 2>,
           Map<Function<calculus::Pow>, 2>, Map<Function<calculus::Minimum>, 2>, Map<Function<calculus::Maximum>, 2>,
           Map<Comparison<calculus::Greater>, 2>, Map<Comparison<calculus::GreaterEqual>, 2>,
           Map<Comparison<calculus::Less>, 2>, Map<Comparison<calculus::LessEqual>, 2>,
           Map<Comparison<calculus::Equal>, 2>, Map<Comparison<calculus::NotEqual>, 2>, Map<Where, 3>,
           Map<SumOf, 1, true>, Max, Min, ArgMax, ArgMin, Softmax, LogSoftmax, LogSumExp, CrossEntropy,
           LinearCrossEntropy, MatMul, LinearProduct, EmbeddingLookup, ScatterRows, Concat, Stack, Reshape, Permute,
           Expand, Slice, Select, PutSlice, Contiguous>;

template <class Op, class List>
inline constexpr bool is_in = false;
template <class Op, class... Ops>
inline constexpr bool is_in<Op, OpList<Ops...>> = (__is_same(Op, Ops) || ...);

/// Whether an op stands in the list.
template <class Op>
inline constexpr bool is_listed = is_in<Op, AllOps>;

}  // namespace wengert
