#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

namespace WENGERT_EXPORT wengert {

enum class Extreme { largest, smallest };
/// Which of several equal extremes get the cotangent.
enum class Ties { first, shared };

/// What max(), min(), amax() and amin() have in common.
template <Extreme extreme, Ties ties>
struct ExtremeValue {
    static constexpr Saves saves = Saves::inputs;
    ReductionAxes axes;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
};

/// What argmax() and argmin() have in common.
template <Extreme extreme>
struct ExtremePosition {
    ReductionAxes axes;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const;
};

}  // namespace wengert
