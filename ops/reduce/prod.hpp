#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

namespace WENGERT_EXPORT wengert {

/// The product over axes: [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim. 1 over an axis of length 0, NaN if an
/// element is. Derivative: ct times the product of the others, without a division, so that zeros are elements like any
/// other. Integers and bools have an int64 product, which wraps around. Throws ShapeError for an axis that x does not
/// have or that is given twice.
Tensor prod(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

struct Prod {
    static constexpr std::string_view name = "prod";
    static constexpr OpDoc doc{"prod(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]", "∏ x",
                               "ct ∏ of the others"};
    static constexpr Saves saves = Saves::inputs;
    ReductionAxes axes;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using ProdOps = OpList<
    Prod>;
// clang-format on
template <class Op>
requires is_in<Op, ProdOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
