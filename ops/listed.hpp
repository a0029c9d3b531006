#pragma once

#include <wengert/autograd/check/op_list.hpp>

namespace wengert {

struct SumOf;
struct Max;
struct ArgMax;
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

using StructuralOps =
    OpList<SumOf, Max, ArgMax, Softmax, LogSoftmax, LogSumExp, CrossEntropy, LinearCrossEntropy, MatMul, LinearProduct,
           EmbeddingLookup, ScatterRows, Concat, Stack, Reshape, Permute, Expand, Slice, Select, PutSlice, Contiguous>;
template <class Op>
requires is_in<Op, StructuralOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
