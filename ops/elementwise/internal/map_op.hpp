#pragma once

#include <array>
#include <cstring>
#include <span>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/elementwise/internal/formula.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

namespace WENGERT_EXPORT wengert {

/// A formula with what it captures, and the axes that it is summed over if its table entry is `summed`.
struct BoundFormula {
    const Formula& formula;
    const void* f;
    const ReductionAxes* sums = nullptr;

    /// The space that the formula is evaluated over. Throws ShapeError.
    Shape space(const Inputs& in) const;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;

  private:
    template <class T, class Room>
    void forward_as(const Inputs& in, const Destination& out) const;
    Shape space(const Backward& back) const;
    template <class Room>
    void vjp_of(Backward& back) const;
    template <class T, class Room>
    void kernel_vjp(Backward& back, const Shape& space, std::span<const Destination> targets,
                    std::span<const bool> wanted) const;
    void compose_vjp(Backward& back) const;
};

/// What a formula captures: numbers, kept with its node.
struct Captures {
    static constexpr std::size_t most_bytes = 64;
    alignas(16) std::array<std::byte, most_bytes> bytes;
};
struct NoCaptures {};
struct NoAxes {};

/// The op of a formula.
template <bool captures, bool summed>
struct MapOp {
    const Formula* formula;
    [[no_unique_address]] std::conditional_t<captures, Captures, NoCaptures> captured = {};
    [[no_unique_address]] std::conditional_t<summed, ReductionAxes, NoAxes> sums = {};

    static constexpr bool accumulates = true;
    std::string_view name() const { return formula->name; }
    Saves saves() const { return formula->linear ? Saves::nothing : Saves::inputs; }
    bool reads_parts() const { return formula->results > 1; }
    Shape shape(const Inputs& in) const { return bound().shape(in); }
    void forward(const Inputs& in, const Destination& out) const { bound().forward(in, out); }
    void vjp(Backward& back) const { bound().vjp(back); }
    Tensor jvp(const Forward& forward) const { return bound().jvp(forward); }

  private:
    BoundFormula bound() const {
        BoundFormula result{*formula, &captured};
        if constexpr (summed) result.sums = &sums;
        return result;
    }
};

/// A comparison of tensors of one dtype, which is bool and has no derivative. Its kernels are in comparison.cpp.
struct ComparisonOp {
    const Formula* formula;
    std::string_view name() const { return formula->name; }
    const ConstantCause* without_derivative() const { return &formula->without_derivative; }
    Shape shape(const Inputs& in) const { return BoundFormula{*formula, nullptr}.space(in); }
    Dtype dtype(const Inputs&) const { return Dtype::boolean; }
    void forward(const Inputs& in, const Destination& out) const;
};

/// A library function as an op.
template <class P>
auto function_op() {
    return MapOp<false, false>{&formula_of<P>()};
}

/// As apply_formula(), summed over axes.
Tensor apply_sum(const Formula& formula, const void* f, std::size_t bytes, const ReductionAxes& axes,
                 std::span<const Input> operands);

/// Result r of a formula of several.
Tensor select_result(const Tensor& results, int r, const SourceLine& where);

}  // namespace wengert
