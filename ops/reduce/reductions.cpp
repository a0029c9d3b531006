#include <fmt/format.h>

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/reduce/internal/integer_sums.hpp>
#include <wengert/ops/reduce/internal/sum_op.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

constexpr const Formula& sum_formula = formula_table<SumOf, 1, true>;

MapOp<false, true> sum_op(const ReductionAxes& axes) { return {&sum_formula, {}, axes}; }

Tensor sum(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<SumOf>, "the op is missing in its family's list");
    if (has_integers(x)) return sum_of_integers(x, axes.keeping_dims(keepdim));
    return apply_sum(sum_formula, nullptr, 0, axes.keeping_dims(keepdim), std::span<const Input>(&x, 1));
}

std::vector<Sample> SumOf::samples() {
    const auto with = [](const ReductionAxes& axes, bool keepdim) {
        return [=](const std::vector<Tensor>& in) { return sum(in[0], axes, keepdim); };
    };
    return {
        {"[3, 21], axis -1", {sample_values({3, 21}, -1, 1, 1)}, with(-1, false)},
        {"[3, 21], axis 0, keepdim", {sample_values({3, 21}, -1, 1, 2)}, with(0, true)},
        {"[2, 3, 4], axes 0 and 2", {sample_values({2, 3, 4}, -1, 1, 3)}, with({0, 2}, false)},
        {"[2, 3, 4], all", {sample_values({2, 3, 4}, -1, 1, 4)}, with(all_axes, false)},
        {"[]", {sample_values({}, -1, 1, 5)}, with(all_axes, false)},
        {"[2, 0]", {sample_values({2, 0}, -1, 1, 6)}, with(1, false)},
        {"transposed", {sample_values({4, 5}, -1e6, 1e6, 7)}, [](const auto& in) { return sum(transpose(in[0]), 0); }}};
}

Tensor mean(const Input& x, const ReductionAxes& axes, bool keepdim) {
    return located("mean", {x}, [&] {
        const Tensor total = sum(x, axes, keepdim);
        require_floating(x.tensor());
        return Input(total, x.where()) / static_cast<double>(axes.count(x.tensor().shape()));
    });
}

Tensor sum_to(const Input& x, const Shape& shape) {
    return located("sum_to", {x}, [&] {
        const Shape& from = x.tensor().shape();
        if (from == shape) return x.tensor();
        if (!stretches_to(shape, from))
            throw ShapeError(fmt::format("{} does not stretch to {}", to_string(shape), to_string(from)));
        ReductionAxes axes;
        const int missing = from.rank() - shape.rank();
        for (int axis = 0; axis < from.rank(); ++axis)
            if (axis < missing || (shape[axis - missing] == 1 && from[axis] != 1)) axes.add(axis);
        const Tensor total = axes.any() ? sum(x, axes) : x.tensor();
        return reshape({total, x.where()}, shape);
    });
}

}  // namespace wengert
