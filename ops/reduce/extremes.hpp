#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/ops/reduce/internal/extreme_op.hpp>

namespace WENGERT_EXPORT wengert {

/// The largest element over axes: [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim, of x's dtype, which may be any.
/// NaN if there is one. Derivative: ct at the first of the largest elements, or at the first NaN, 0 elsewhere. Throws
/// ShapeError for an axis that x does not have, that is given twice or that has length 0.
Tensor max(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct Max : ExtremeValue<Extreme::largest, Ties::first> {
    static constexpr std::string_view name = "max";
    static constexpr OpDoc doc{"max(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]",
                               "the largest element, NaN if there is one",
                               "ct at the first of the largest, 0 elsewhere"};
    static std::vector<Sample> samples();
};

/// The smallest element over axes, in all else like max().
Tensor min(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct Min : ExtremeValue<Extreme::smallest, Ties::first> {
    static constexpr std::string_view name = "min";
    static constexpr OpDoc doc{"min(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]",
                               "the smallest element, NaN if there is one",
                               "ct at the first of the smallest, 0 elsewhere"};
    static std::vector<Sample> samples();
};

/// max(), but elements that are equally large share ct, as PyTorch's amax() has it.
Tensor amax(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct AMax : ExtremeValue<Extreme::largest, Ties::shared> {
    static constexpr std::string_view name = "amax";
    static constexpr OpDoc doc{"amax(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]",
                               "the largest element, NaN if there is one", "ct, shared among the largest"};
    static std::vector<Sample> samples();
};

/// min(), but elements that are equally small share ct.
Tensor amin(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct AMin : ExtremeValue<Extreme::smallest, Ties::shared> {
    static constexpr std::string_view name = "amin";
    static constexpr OpDoc doc{"amin(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]",
                               "the smallest element, NaN if there is one", "ct, shared among the smallest"};
    static std::vector<Sample> samples();
};

/// The position of the first of the largest elements, or of the first NaN, along an axis: [.., n, ..] -> int64
/// [.., ..], or [.., 1, ..] with keepdim. Over several axes, by default all, it is the position among their elements in
/// row-major order, as in NumPy. x may be of any dtype. Not differentiable. Throws ShapeError for an axis that x does
/// not have, that is given twice or that has length 0.
Tensor argmax(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct ArgMax : ExtremePosition<Extreme::largest> {
    static constexpr std::string_view name = "argmax";
    static constexpr OpDoc doc{"argmax(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> int64 [.., ..]",
                               "the position of the first of the largest elements, or of the first NaN", "none"};
    static std::vector<Sample> samples();
};

/// The position of the first of the smallest elements, in all else like argmax().
Tensor argmin(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct ArgMin : ExtremePosition<Extreme::smallest> {
    static constexpr std::string_view name = "argmin";
    static constexpr OpDoc doc{"argmin(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> int64 [.., ..]",
                               "the position of the first of the smallest elements, or of the first NaN", "none"};
    static std::vector<Sample> samples();
};

// clang-format off
using ExtremeOps = OpList<
    Max,
    Min,
    AMax,
    AMin,
    ArgMax,
    ArgMin>;
// clang-format on
template <class Op>
requires is_in<Op, ExtremeOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
