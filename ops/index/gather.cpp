#include <fmt/format.h>

#include <algorithm>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/internal/positions.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

Tensor positions_from(std::int64_t least, std::int64_t length, const Tensor& positions, const PositionNames& names) {
    if (positions.dtype() != Dtype::int64 && positions.dtype() != Dtype::int32)
        throw DtypeError(fmt::format("{} must be int64 or int32, not {}", names.all, to_string(positions.dtype())));
    const Tensor whole = as_int64(positions), in_order = packed(whole);
    const auto* const position = in_order.data<std::int64_t>();
    for (std::int64_t i = 0; i < in_order.numel(); ++i)
        if (position[i] < least || position[i] >= length)
            throw ValueError(fmt::format("{} {} is outside an axis of length {}", names.one, position[i], length));
    return whole;
}

}  // namespace

Tensor checked_positions(const Tensor& positions, std::int64_t length, const PositionNames& names) {
    return positions_from(0, length, positions, names);
}
Tensor counted_positions(const Tensor& positions, std::int64_t length, const PositionNames& names) {
    return positions_from(-length, length, positions, names);
}

Tensor stretched_index(const Tensor& positions, const Tensor& x, int axis) {
    const int at = normalize_axis(axis, x.rank());
    const Tensor index = checked_positions(positions, x.dim(at));
    Shape expected = x.shape();
    if (index.rank() == x.rank()) expected[at] = index.dim(at);
    if (!stretches_to(index.shape(), expected) || index.rank() != x.rank())
        throw ShapeError(fmt::format("the index {} does not fit {} along axis {}", to_string(index.shape()),
                                     to_string(x.shape()), axis));
    return index.shape() == expected ? index : expand(index, expected);
}

// gather

Tensor gather(const Input& x, int axis, const Tensor& index) {
    static_assert(is_listed<Gather>, "the op is missing in its family's list");
    return located(Gather::name, {x, {index, x.where()}}, [&] {
        const Tensor places = stretched_index(index, x.tensor(), axis);
        return apply(Gather{axis}, {&places, &x.tensor()}, x.where());
    });
}

Shape Gather::shape(const Inputs& in) const { return in[0].shape(); }

void Gather::forward(const Inputs& in, const Destination& out) const {
    visit_dtype(in[1].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const std::int64_t, const T, T>(
            axis, {&in[0], &in[1], &out.tensor},
            [](std::int64_t, std::span<const std::int64_t> index, std::span<const T> x, std::span<T> y) {
                for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[static_cast<std::size_t>(index[i])];
            });
    });
}

void Gather::vjp(Backward& back) const {
    const Tensor& index = back.saved(0);
    const std::int64_t length = back.input_shape(1)[normalize_axis(axis, index.rank())];
    back.add(1, apply(ScatterAdd{axis, length}, {&index, &back.cotangent()}, back.where()));
}

std::vector<Sample> Gather::samples() {
    const auto along = [](int axis) {
        return [axis](const std::vector<Tensor>& in) { return gather(in[0], axis, in[1]); };
    };
    const auto index = [](const std::vector<std::int64_t>& positions, const Shape& shape) {
        return tensor(positions, shape);
    };
    return {{"[3, 4] by [3, 2], repeated positions",
             {sample_values({3, 4}, -1, 1, 1), index({0, 3, 2, 2, 1, 0}, {3, 2})},
             along(1)},
            {"[3, 4] by [2, 4]", {sample_values({3, 4}, -1, 1, 2), index({0, 1, 2, 2, 2, 1, 0, 0}, {2, 4})}, along(0)},
            {"[2, 3, 2] by [1, 4, 1], stretched",
             {sample_values({2, 3, 2}, -1, 1, 3), index({2, 0, 0, 1}, {1, 4, 1})},
             along(-2)},
            {"no positions", {sample_values({2, 3}, -1, 1, 4), index({}, {2, 0})}, along(1)}};
}

// scatter_add

Tensor scatter_add(const Input& x, int axis, const Tensor& index, const Input& values) {
    static_assert(is_listed<ScatterAdd>, "the op is missing in its family's list");
    return located(ScatterAdd::name, {x, {index, x.where()}, values}, [&] {
        const Tensor places = stretched_index(index, x.tensor(), axis);
        const std::int64_t length = x.tensor().dim(axis);
        require_floating(x.tensor(), "x");
        const Tensor sums = apply(ScatterAdd{axis, length}, {&places, &values.tensor()}, x.where());
        if (sums.dtype() != x.tensor().dtype())
            throw DtypeError(
                fmt::format("values are {}, but x {}", to_string(sums.dtype()), to_string(x.tensor().dtype())));
        return x + Input(sums, x.where());
    });
}

Shape ScatterAdd::shape(const Inputs& in) const {
    const Tensor &index = in[0], &values = in[1];
    if (!is_floating(values.dtype()))
        throw DtypeError(fmt::format("values are {}; float32 or float64 is needed", to_string(values.dtype())));
    if (values.shape() != index.shape())
        throw ShapeError(fmt::format("values {} are not one for each position of the index {}",
                                     to_string(values.shape()), to_string(index.shape())));
    Shape result = values.shape();
    result[normalize_axis(axis, result.rank())] = length;
    return result;
}

void ScatterAdd::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[1].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const std::int64_t, const T, T>(
            axis, {&in[0], &in[1], &out.tensor},
            [](std::int64_t, std::span<const std::int64_t> index, std::span<const T> values, std::span<T> y) {
                std::ranges::fill(y, T{0});
                for (std::size_t i = 0; i < values.size(); ++i) y[static_cast<std::size_t>(index[i])] += values[i];
            });
    });
}

void ScatterAdd::vjp(Backward& back) const {
    back.add(1, apply(Gather{axis}, {&back.saved(0), &back.cotangent()}, back.where()));
}

std::vector<Sample> ScatterAdd::samples() {
    const auto along = [](int axis) {
        return [axis](const std::vector<Tensor>& in) { return scatter_add(in[0], axis, in[2], in[1]); };
    };
    const auto index = [](const std::vector<std::int64_t>& positions, const Shape& shape) {
        return tensor(positions, shape);
    };
    return {
        {"[3, 2] into [3, 4], repeated positions",
         {sample_values({3, 4}, -1, 1, 1), sample_values({3, 2}, -1, 1, 2), index({0, 3, 2, 2, 1, 0}, {3, 2})},
         along(1)},
        {"[2, 4] into [3, 4], axis 0",
         {sample_values({3, 4}, -1, 1, 3), sample_values({2, 4}, -1, 1, 4), index({0, 1, 2, 2, 2, 1, 0, 0}, {2, 4})},
         along(0)},
        {"nothing into [2, 3]",
         {sample_values({2, 3}, -1, 1, 5), sample_values({2, 0}, -1, 1, 6), index({}, {2, 0})},
         along(1)}};
}

// index_select

Tensor index_select(const Input& x, int axis, const Tensor& positions) {
    return located("index_select", {x, {positions, x.where()}}, [&] {
        if (positions.rank() != 1)
            throw ShapeError(fmt::format("positions must have one axis, not be {}", to_string(positions.shape())));
        if (positions.dtype() != Dtype::int64 && positions.dtype() != Dtype::int32)
            throw DtypeError(fmt::format("positions must be int64 or int32, not {}", to_string(positions.dtype())));
        const int at = normalize_axis(axis, x.tensor().rank());
        Shape shape = x.tensor().shape();
        for (int i = 0; i < shape.rank(); ++i) shape[i] = i == at ? positions.dim(0) : 1;
        return gather(x, axis, reshape({positions, x.where()}, shape));
    });
}

}  // namespace wengert
