#pragma once

#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

namespace wengert {

inline const ReductionAxes all_axes = ReductionAxes::all();

/// The sum over axes, by default all. Derivative: 1.  [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim.
Tensor sum(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);
/// The arithmetic mean over axes. Derivative: 1 / n. NaN over an axis of length 0.
Tensor mean(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);
/// The largest element along an axis, or of all. Derivative: 1 for the first of the largest, 0 for the others. NaN if
/// there is one. Throws ShapeError if the axis has length 0.
Tensor max(const Input& x, int axis, bool keepdim = false);
/// The index of the first of the largest elements along an axis: int64, not differentiable.
Tensor argmax(const Input& x, int axis, bool keepdim = false);

/// Sums x over the axes along which `shape` was stretched to x's shape by broadcasting: the reverse of expand.
Tensor sum_to(const Input& x, const Shape& shape);

struct Max {
    static constexpr std::string_view name = "max";
    static constexpr Saves saves = Saves::inputs;
    int axis;
    bool keepdim;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

struct ArgMax {
    static constexpr std::string_view name = "argmax";
    int axis;
    bool keepdim;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const;
    static std::vector<Sample> samples();
};

}  // namespace wengert
