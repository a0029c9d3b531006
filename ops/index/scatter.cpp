#include <fmt/format.h>

#include <algorithm>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/index/embedding.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/internal/positions.hpp>
#include <wengert/ops/index/scatter.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// Positions along the first axes of a shape as rows of the matrix [first axes, others].
struct Places {
    Tensor rows;         ///< int64 [p], p the number of places
    Shape matrix;        ///< [first axes, others..]
    Shape result_shape;  ///< [p.., others..]
};

Places places_of(const Shape& shape, const std::vector<Tensor>& positions) {
    const int axes = static_cast<int>(positions.size());
    if (axes == 0 || axes > shape.rank())
        throw ShapeError(
            fmt::format("{} positions were given for the {} axes of {}", axes, shape.rank(), to_string(shape)));
    Shape common;
    for (const Tensor& p : positions) {
        if (!p.defined()) throw ValueError(fmt::format("positions {} are an undefined tensor", &p - positions.data()));
        try {
            common = broadcast(common, p.shape());
        } catch (const ShapeError&) {
            throw ShapeError(fmt::format("positions {} do not broadcast with those before, {}", to_string(p.shape()),
                                         to_string(common)));
        }
    }
    Places places{zeros({common.numel()}, Dtype::int64), {1}, common};
    auto* const row = places.rows.mutable_data<std::int64_t>();
    for (int axis = 0; axis < shape.rank(); ++axis) {
        if (axis >= axes) {
            places.matrix.push_back(shape[axis]);
            places.result_shape.push_back(shape[axis]);
            continue;
        }
        const Tensor checked =
            counted_positions(positions[static_cast<std::size_t>(axis)], shape[axis], {"positions", "position"});
        places.matrix[0] *= shape[axis];
        const Tensor along = packed(expand(checked, common));
        const auto* const position = along.data<std::int64_t>();
        for (std::int64_t i = 0; i < common.numel(); ++i)
            row[i] = row[i] * shape[axis] + position[i] + (position[i] < 0 ? shape[axis] : 0);
    }
    return places;
}

}  // namespace

// scatter

Tensor scatter(const Input& x, int axis, const Tensor& index, const Input& values) {
    static_assert(is_listed<Scatter>, "the op is missing in its family's list");
    return located(Scatter::name, {x, {index, x.where()}, values}, [&] {
        const Tensor places = stretched_index(index, x.tensor(), axis);
        return apply(Scatter{axis}, {&places, &x.tensor(), &values.tensor()}, x.where());
    });
}

Shape Scatter::shape(const Inputs& in) const {
    const Tensor &index = in[0], &x = in[1], &values = in[2];
    if (values.dtype() != x.dtype())
        throw DtypeError(fmt::format("values are {}, but x {}", to_string(values.dtype()), to_string(x.dtype())));
    if (values.shape() != index.shape())
        throw ShapeError(fmt::format("values {} are not one for each position of the index {}",
                                     to_string(values.shape()), to_string(index.shape())));
    return x.shape();
}

void Scatter::forward(const Inputs& in, const Destination& out) const {
    visit_dtype(in[1].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const std::int64_t, const T, const T, T>(
            axis, {&in[0], &in[1], &in[2], &out.tensor},
            [](std::int64_t, std::span<const std::int64_t> index, std::span<const T> x, std::span<const T> values,
               std::span<T> y) {
                std::ranges::copy(x, y.begin());
                for (std::size_t i = 0; i < values.size(); ++i) y[static_cast<std::size_t>(index[i])] = values[i];
            });
    });
}

void Scatter::vjp(Backward& back) const {
    const Tensor &index = back.saved(0), &ct = back.cotangent();
    const int at = normalize_axis(axis, index.rank());
    if (back.needs(1)) back.add(1, scatter(ct, axis, index, zeros(index.shape(), ct.dtype())));
    if (!back.needs(2)) return;
    // Who stands where: each place names the last of its values, so that a value finds its own name or another's.
    Shape along = index.shape();
    for (int i = 0; i < along.rank(); ++i)
        if (i != at) along[i] = 1;
    const Tensor names = expand(reshape(arange(along[at]), along), index.shape());
    const Tensor last = gather(scatter(zeros(ct.shape(), Dtype::int64), axis, index, names), axis, index);
    back.add(2, where(last == names, gather(ct, axis, index), 0.0));
}

std::vector<Sample> Scatter::samples() {
    const auto along = [](int axis) {
        return [axis](const std::vector<Tensor>& in) { return scatter(in[0], axis, in[2], in[1]); };
    };
    const auto index = [](const std::vector<std::int64_t>& positions, const Shape& shape) {
        return tensor(positions, shape);
    };
    return {
        {"[3, 2] into [3, 4], repeated positions",
         {sample_values({3, 4}, -1, 1, 1), sample_values({3, 2}, -1, 1, 2), index({0, 3, 2, 2, 1, 0}, {3, 2})},
         along(1)},
        {"[2, 4] into [3, 4], axis 0",
         {sample_values({3, 4}, -1, 1, 3), sample_values({2, 4}, -1, 1, 4), index({0, 1, 2, 2, 2, 1, 0, 2}, {2, 4})},
         along(0)},
        {"nothing into [2, 3]",
         {sample_values({2, 3}, -1, 1, 5), sample_values({2, 0}, -1, 1, 6), index({}, {2, 0})},
         along(1)}};
}

// index, index_put, segment_sum

Tensor index(const Input& x, const std::vector<Tensor>& positions) {
    return located("index", {x}, [&] {
        const Places places = places_of(x.tensor().shape(), positions);
        const Tensor rows = index_select({reshape(x, places.matrix), x.where()}, 0, places.rows);
        return reshape({rows, x.where()}, places.result_shape);
    });
}

Tensor index_put(const Input& x, const std::vector<Tensor>& positions, const Input& values, bool accumulate) {
    return located("index_put", {x, values}, [&] {
        const Places places = places_of(x.tensor().shape(), positions);
        if (!stretches_to(values.tensor().shape(), places.result_shape))
            throw ShapeError(fmt::format("values {} do not stretch to {}, the shape of what is at the positions",
                                         to_string(values.tensor().shape()), to_string(places.result_shape)));
        Shape rows = places.matrix, one_each = places.matrix;
        rows[0] = places.rows.numel();
        for (int axis = 0; axis < one_each.rank(); ++axis) one_each[axis] = axis == 0 ? rows[0] : 1;
        const Tensor matrix = reshape(x, places.matrix), at = reshape(places.rows, one_each),
                     slices = reshape({expand(values, places.result_shape), x.where()}, rows);
        const Tensor put =
            accumulate ? scatter_add({matrix, x.where()}, 0, at, slices) : scatter({matrix, x.where()}, 0, at, slices);
        return reshape({put, x.where()}, x.tensor().shape());
    });
}

Tensor segment_sum(const Input& values, const Tensor& segments, std::int64_t n) {
    return located("segment_sum", {values, {segments, values.where()}}, [&] {
        Shape shape = values.tensor().shape();
        if (shape.rank() == 0 || segments.shape() != Shape{shape[0]})
            throw ShapeError(fmt::format("segments {} are not one for each slice of {}", to_string(segments.shape()),
                                         to_string(shape)));
        if (n < 0) throw ValueError(fmt::format("n is {}, less than 0", n));
        require_floating(values.tensor(), "each value");
        checked_positions(segments, n, {"segments", "segment"});
        const std::int64_t slices = shape[0];
        shape[0] = 1;
        const Tensor matrix = reshape(values, {slices, shape.numel()});
        shape[0] = n;
        return reshape({scatter_rows({matrix, values.where()}, segments, n), values.where()}, shape);
    });
}

}  // namespace wengert
