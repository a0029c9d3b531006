#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

/// Functions of rows: of the elements along an axis, or along a set of axes taken together. Each shifts by the largest
/// element first, so that nothing overflows. A NaN makes its row NaN and no other. Throw ShapeError for an axis that x
/// does not have or that is given twice, DtypeError unless x is float32 or float64.
namespace WENGERT_EXPORT wengert {

/// y = e^x / sum e^x, along an axis: [.., n, ..] -> the same. An element of minus infinity weighs exactly 0; if all
/// are, so do all. An infinity becomes NaN. Derivative: y (ct - sum(ct y)).
Tensor softmax(const Input& x, const ReductionAxes& axes = -1);

struct Softmax {
    static constexpr std::string_view name = "softmax";
    static constexpr OpDoc doc{"softmax(x, axes = -1)", "[.., n, ..] -> the same", "eˣ / Σ eˣ", "y (ct - Σ ct y)"};
    static constexpr Saves saves = Saves::output;
    ReductionAxes axes;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// y = x - ln sum e^x, along an axis: [.., n, ..] -> the same. An infinity becomes NaN, and so does a row of nothing
/// but minus infinities. Derivative: ct - e^y sum(ct).
Tensor log_softmax(const Input& x, const ReductionAxes& axes = -1);

struct LogSoftmax {
    static constexpr std::string_view name = "log_softmax";
    static constexpr OpDoc doc{"log_softmax(x, axes = -1)", "[.., n, ..] -> the same", "x - ln Σ eˣ", "ct - eʸ Σ ct"};
    static constexpr Saves saves = Saves::output;
    ReductionAxes axes;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// ln sum e^x, along an axis: [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim. Minus infinity over an axis of
/// length 0 and for a row of minus infinities, infinity for a row with one. Derivative: ct softmax(x), 0 for a row of
/// minus infinities.
Tensor logsumexp(const Input& x, const ReductionAxes& axes = -1, bool keepdim = false);

struct LogSumExp {
    static constexpr std::string_view name = "logsumexp";
    static constexpr OpDoc doc{"logsumexp(x, axes = -1, keepdim = false)", "[.., n, ..] -> [.., ..]", "ln Σ eˣ",
                               "ct softmax(x)"};
    static constexpr Saves saves = Saves::inputs;
    ReductionAxes axes;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using SoftmaxOps = OpList<
    Softmax,
    LogSoftmax,
    LogSumExp>;
// clang-format on
template <class Op>
requires is_in<Op, SoftmaxOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
