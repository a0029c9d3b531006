#include <cmath>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/reduce/internal/sum_op.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

Shape without_axis(const Shape& shape, int axis, bool keepdim) {
    Shape result = shape;
    const int reduced = normalize_axis(axis, shape.rank());
    if (shape[reduced] == 0)
        throw ShapeError("axis " + std::to_string(axis) + " of " + to_string(shape) + " has length 0");
    if (keepdim)
        result[reduced] = 1;
    else
        result.erase(reduced);
    return result;
}

/// Where the first largest of n elements stands, or the first NaN.
template <class T>
std::int64_t position_of_largest(const T* x, std::int64_t n, std::int64_t stride) {
    // Most blocks have no new largest element, which takes no branches to find out.
    constexpr std::int64_t block = 64;
    std::int64_t best = 0;
    for (std::int64_t begin = 1; begin < n; begin += block) {
        const std::int64_t end = std::min(begin + block, n);
        bool has_larger = false;
        for (std::int64_t i = begin; i < end; ++i) has_larger |= !(x[i * stride] <= x[best * stride]);
        if (!has_larger) continue;
        for (std::int64_t i = begin; i < end && x[best * stride] == x[best * stride]; ++i)
            if (!(x[i * stride] <= x[best * stride])) best = i;
        if (x[best * stride] != x[best * stride]) break;
    }
    return best;
}

/// Calls visit(row, position, element) for each row along an axis, on several threads; rows are counted in row-major
/// order of the other axes.
template <class Visit>
void for_each_largest(const Tensor& x, int axis, const Visit& visit) {
    axis = normalize_axis(axis, x.rank());
    Shape shape = x.shape(), strides = x.strides();
    const std::int64_t n = shape[axis], stride = strides[axis];
    shape.erase(axis);
    strides.erase(axis);
    const Shape steps = contiguous_strides(shape);
    visit_dtype(x.dtype(), [&](auto type) {
        const auto* const base = static_cast<const decltype(type)*>(x.raw());
        parallel_ranges(shape.numel(), 1, x.numel(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const auto* values = base;
                for (int a = 0; a < shape.rank(); ++a) values += row / steps[a] % shape[a] * strides[a];
                const std::int64_t position = position_of_largest(values, n, stride);
                visit(row, position, values[position * stride]);
            }
        });
    });
}

constexpr const Formula& sum_formula = formula_table<SumOf, 1, true>;

}  // namespace

MapOp<false, true> sum_op(const ReductionAxes& axes) { return {&sum_formula, {}, axes}; }

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

Tensor sum(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<SumOf>, "the op is missing in its family's list");
    return apply_sum(sum_formula, nullptr, 0, axes.keeping_dims(keepdim), std::span<const Input>(&x, 1));
}

Tensor mean(const Input& x, const ReductionAxes& axes, bool keepdim) {
    const Tensor total = sum(x, axes, keepdim);
    return Input(total, x.where()) / static_cast<double>(axes.count(x.tensor().shape()));
}

Tensor sum_to(const Input& x, const Shape& shape) {
    const Shape& from = x.tensor().shape();
    if (from == shape) return x.tensor();
    ReductionAxes axes;
    const int missing = from.rank() - shape.rank();
    for (int axis = 0; axis < from.rank(); ++axis)
        if (axis < missing || (shape[axis - missing] == 1 && from[axis] != 1)) axes.add(axis);
    return reshape(axes.any() ? sum(x, axes) : x.tensor(), shape);
}

Tensor max(const Input& x, int axis, bool keepdim) {
    static_assert(is_listed<Max>, "the op is missing in AllOps (listed.hpp)");
    return apply(Max{axis, keepdim}, {&x.tensor()}, x.where());
}

Shape Max::shape(const Inputs& in) const {
    if (!is_floating(in[0].dtype())) throw DtypeError("int64 is not supported; float32 or float64 is needed");
    return without_axis(in[0].shape(), axis, keepdim);
}

void Max::forward(const Inputs& in, const Destination& out) const {
    for_each_largest(in[0], axis, [&](std::int64_t row, std::int64_t, auto value) {
        static_cast<decltype(value)*>(out.tensor.raw())[row] = value;
    });
}

void Max::vjp(Backward& back) const {
    const Tensor& x = back.saved(0);
    const int reduced = normalize_axis(axis, x.rank());
    Tensor first = zeros(x.shape(), x.dtype());
    Shape shape = x.shape();
    shape.erase(reduced);
    const Shape rows = contiguous_strides(shape);
    const Shape strides = first.strides();
    for_each_largest(x, axis, [&](std::int64_t row, std::int64_t position, auto value) {
        std::int64_t offset = position * strides[reduced];
        for (int a = 0; a < shape.rank(); ++a) {
            offset += row / rows[a] * strides[a < reduced ? a : a + 1];
            row %= rows[a];
        }
        static_cast<decltype(value)*>(first.raw())[offset] = 1;
    });
    back.add(0, first * reshape(back.cotangent(), ReductionAxes(reduced).kept(x.shape())));
}

std::vector<Sample> Max::samples() {
    const auto along = [](int axis, bool keepdim) {
        return [=](const std::vector<Tensor>& in) { return max(in[0], axis, keepdim); };
    };
    return {{"[3, 7], axis -1", {sample_values({3, 7}, -1, 1, 1)}, along(-1, false)},
            {"[3, 7], axis 0, keepdim", {sample_values({3, 7}, -1, 1, 2)}, along(0, true)},
            {"[2, 5, 3], axis 1", {sample_values({2, 5, 3}, -100, 100, 3)}, along(1, false)},
            {"[0, 2], axis 1", {sample_values({0, 2}, -1, 1, 4)}, along(1, false)}};
}

Tensor argmax(const Input& x, int axis, bool keepdim) {
    static_assert(is_listed<ArgMax>, "the op is missing in AllOps (listed.hpp)");
    return apply(ArgMax{axis, keepdim}, {&x.tensor()}, x.where());
}

Shape ArgMax::shape(const Inputs& in) const { return without_axis(in[0].shape(), axis, keepdim); }

void ArgMax::forward(const Inputs& in, const Destination& out) const {
    auto* const to = static_cast<std::int64_t*>(out.tensor.raw());
    for_each_largest(in[0], axis, [&](std::int64_t row, std::int64_t position, auto) { to[row] = position; });
}

std::vector<Sample> ArgMax::samples() {
    return {{"[3, 7], axis -1", {sample_values({3, 7}, -1, 1, 1)}, [](const auto& in) { return argmax(in[0], -1); }}};
}

}  // namespace wengert
