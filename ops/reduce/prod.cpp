#include <functional>
#include <numeric>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/reduce/internal/integer_sums.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/prod.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/scans.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The product of the other elements of each row of x along the axes.
Tensor product_of_others(const Tensor& x, const ReductionAxes& axes) {
    const auto reduced = axes.flags(x.rank());
    Shape order, places = x.shape(), rows;
    std::int64_t length = 1;
    const auto append = [&](int axis) {
        places[axis] = order.rank();
        order.push_back(axis);
    };
    for (int axis = 0; axis < x.rank(); ++axis) {
        if (reduced[axis]) continue;
        append(axis);
        rows.push_back(x.dim(axis));
    }
    for (int axis = 0; axis < x.rank(); ++axis) {
        if (!reduced[axis]) continue;
        append(axis);
        length *= x.dim(axis);
    }
    rows.push_back(length);
    const Tensor moved = permute(x, order), flat = reshape(moved, rows);
    const Tensor others = cumprod(flat, -1, false, true) * cumprod(flat, -1, true, true);
    return permute(reshape(others, moved.shape()), places);
}

}  // namespace

Tensor prod(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<Prod>, "the op is missing in its family's list");
    if (has_integers(x)) return prod_of_integers(x, axes.keeping_dims(keepdim));
    return apply(Prod{axes.keeping_dims(keepdim)}, x);
}

Shape Prod::shape(const Inputs& in) const {
    require_floating(in[0]);
    return axes.reduced(in[0].shape());
}

void Prod::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        T* const to = static_cast<T*>(out.tensor.raw());
        reduce_rows<T>(
            axes, in[0],
            [](std::span<const T> x, std::int64_t) {
                return std::accumulate(x.begin(), x.end(), T{1}, std::multiplies<>());
            },
            std::multiplies<>(), [to](std::int64_t row, T product) { to[row] = product; });
    });
}

void Prod::vjp(Backward& back) const {
    const Tensor& x = back.saved(0);
    back.add(0, product_of_others(x, axes) * reshape(back.cotangent(), axes.kept(x.shape())));
}

Tensor Prod::jvp(const Forward& forward) const {
    return sum(product_of_others(forward.input(0), axes) * forward.tangent(0), axes);
}

std::vector<Sample> Prod::samples() {
    const auto over = [](const ReductionAxes& axes, bool keepdim) {
        return [=](const std::vector<Tensor>& in) { return prod(in[0], axes, keepdim); };
    };
    return {{"[3, 7], axis -1", {sample_values({3, 7}, -2, 2, 1)}, over(-1, false)},
            {"[3, 4], axis 0, keepdim", {sample_values({3, 4}, -2, 2, 2)}, over(0, true)},
            {"[2, 3, 4], axes 0 and 2", {sample_values({2, 3, 4}, -2, 2, 3)}, over({0, 2}, false)},
            {"[2, 3], all", {sample_values({2, 3}, -2, 2, 4)}, over(all_axes, false)},
            {"[]", {sample_values({}, -2, 2, 5)}, over(all_axes, false)},
            {"[2, 0]", {sample_values({2, 0}, -2, 2, 6)}, over(1, false)},
            {"zeros", {tensor({2, 0, 3, 0, 0, 0.5, 1, 2, 3}, {3, 3}, Dtype::float64)}, over(1, false)}};
}

}  // namespace wengert
