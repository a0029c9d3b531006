#pragma once

#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {

/// Tensors one after another along an axis. Throws ShapeError if another axis differs, ValueError if there is none.
Tensor concat(const std::vector<Tensor>& parts, int axis, std::source_location where = std::source_location::current());
/// Tensors of one shape along a new axis: T of [B, H] stacked at axis 1 are [B, T, H].
Tensor stack(const std::vector<Tensor>& parts, int axis, std::source_location where = std::source_location::current());

struct Concat {
    static constexpr std::string_view name = "concat";
    static constexpr Saves saves = Saves::nothing;
    int axis;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();

    std::vector<std::int64_t> lengths;  ///< of the parts along the axis
};

struct Stack {
    static constexpr std::string_view name = "stack";
    static constexpr Saves saves = Saves::nothing;
    int axis;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

}  // namespace wengert
