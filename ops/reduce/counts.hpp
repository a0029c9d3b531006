#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

/// Counts over axes: [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim, of any dtype. A NaN is not 0. Not
/// differentiable. Throw ShapeError for an axis that x does not have or that is given twice.
namespace WENGERT_EXPORT wengert {

/// How many elements are not 0, as int64.
Tensor count_nonzero(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct CountNonzero {
    static constexpr std::string_view name = "count_nonzero";
    static constexpr OpDoc doc{"count_nonzero(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> int64 [.., ..]",
                               "how many elements are not 0", "none"};
    ReductionAxes axes;
    Shape shape(const Inputs& in) const { return axes.reduced(in[0].shape()); }
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const;
    static std::vector<Sample> samples();
};

/// Whether an element is not 0, as bool; false over an axis of length 0.
Tensor any(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

/// Whether no element is 0, as bool; true over an axis of length 0.
Tensor all(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

// clang-format off
using CountOps = OpList<
    CountNonzero>;
// clang-format on
template <class Op>
requires is_in<Op, CountOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
