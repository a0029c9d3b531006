#include <fmt/format.h>

#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/index/embedding.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// Rows are copied and added, each element once: how many of them are as much work as one of parallel_ranges().
constexpr std::int64_t elements_as_cheap_as_one = 4;

void require_ids(const Tensor& ids, std::int64_t rows) {
    const Tensor in_order = packed(ids);
    const auto* const id = in_order.data<std::int64_t>();
    for (std::int64_t i = 0; i < in_order.numel(); ++i)
        if (id[i] < 0 || id[i] >= rows)
            throw ValueError(fmt::format("id {} at position {} is outside a table of {} rows", id[i], i, rows));
}

}  // namespace

// embedding

Tensor embedding(const Input& weight, const Tensor& ids) {
    static_assert(is_listed<EmbeddingLookup>, "the op is missing in its family's list");
    const Tensor whole = as_int64(ids);
    return apply(EmbeddingLookup{}, {&tensor_of(weight, EmbeddingLookup::name), &whole}, weight.where());
}

Shape EmbeddingLookup::shape(const Inputs& in) const {
    const Tensor &weight = in[0], &ids = in[1];
    if (weight.rank() != 2) throw ShapeError("the table must be [rows, features], not " + to_string(weight.shape()));
    if (!is_floating(weight.dtype()) || ids.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("the table must be float32 or float64 and ids int64 or int32, not {} and {}",
                                     to_string(weight.dtype()), to_string(ids.dtype())));
    require_ids(ids, weight.shape()[0]);
    Shape result = ids.shape();
    result.push_back(weight.shape()[1]);
    return result;
}

void EmbeddingLookup::forward(const Inputs& in, const Destination& out) const {
    const Tensor &weight = in[0], ids = packed(in[1]);
    const std::int64_t features = weight.shape()[1], row_step = weight.strides()[0], step = weight.strides()[1];
    const std::int64_t out_step = out.tensor.strides().back();
    const bool out_in_order = out.tensor.is_contiguous();
    const std::int64_t work = ids.numel() * features / elements_as_cheap_as_one;
    const auto* const id = ids.data<std::int64_t>();
    /// Where the row of an id begins in the result.
    const auto place_of = [&](std::int64_t i) {
        if (out_in_order) return i * features;
        const Shape index = unravel(i, ids.shape());
        std::int64_t offset = 0;
        for (int axis = 0; axis < index.rank(); ++axis) offset += index[axis] * out.tensor.strides()[axis];
        return offset;
    };
    visit_floating(weight.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const table = static_cast<const T*>(weight.raw());
        T* const to = static_cast<T*>(out.tensor.raw());
        parallel_ranges(ids.numel(), 1, work, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const T* const from = table + id[i] * row_step;
                T* const place = to + place_of(i);
                if (step == 1 && out_step == 1 && !out.accumulate) {
                    std::copy_n(from, features, place);
                } else {
                    for (std::int64_t j = 0; j < features; ++j) {
                        T& element = place[j * out_step];
                        element = out.accumulate ? element + from[j * step] : from[j * step];
                    }
                }
            }
        });
    });
}

void EmbeddingLookup::vjp(Backward& back) const {
    back.add(0, ScatterRows{back.input_shape(0)[0]}, back.cotangent(), back.saved(1));
}

std::vector<Sample> EmbeddingLookup::samples() {
    const auto lookup = [](const std::vector<Tensor>& in) { return embedding(in[0], in[1]); };
    return {{"[5, 3] at [2, 4], repeated ids",
             {sample_values({5, 3}, -1, 1, 1), tensor(std::vector<std::int64_t>{0, 4, 4, 1, 4, 0, 2, 4}, {2, 4})},
             lookup},
            {"no ids", {sample_values({5, 3}, -1, 1, 2), tensor(std::vector<std::int64_t>{}, {0})}, lookup}};
}

// scatter_rows

Tensor scatter_rows(const Input& values, const Tensor& ids, std::int64_t rows) {
    static_assert(is_listed<ScatterRows>, "the op is missing in its family's list");
    const Tensor whole = as_int64(ids);
    return apply(ScatterRows{rows}, {&tensor_of(values, ScatterRows::name), &whole}, values.where());
}

Shape ScatterRows::shape(const Inputs& in) const {
    const Tensor &values = in[0], &ids = in[1];
    if (!is_floating(values.dtype()) || ids.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("values must be float32 or float64 and ids int64 or int32, not {} and {}",
                                     to_string(values.dtype()), to_string(ids.dtype())));
    Shape places = values.shape();
    if (places.rank() > 0) places.erase(places.rank() - 1);
    if (values.rank() == 0 || places != ids.shape())
        throw ShapeError(
            fmt::format("values {} are not rows for ids {}", to_string(values.shape()), to_string(ids.shape())));
    if (rows < 0) throw ValueError(fmt::format("a table cannot have {} rows", rows));
    require_ids(ids, rows);
    return {rows, values.shape().back()};
}

void ScatterRows::forward(const Inputs& in, const Destination& out) const {
    const Tensor values = packed(in[0]), ids = packed(in[1]);
    const std::int64_t features = values.shape().back(), row_step = out.tensor.strides()[0],
                       step = out.tensor.strides()[1];
    const std::int64_t work = values.numel() / elements_as_cheap_as_one;
    const auto* const id = ids.data<std::int64_t>();
    if (!out.accumulate) fill(out.tensor, 0);
    visit_floating(values.dtype(), [&](auto type) {
        using T = decltype(type);
        constexpr std::int64_t cache_line = 64 / sizeof(T);
        const T* const from = static_cast<const T*>(values.raw());
        T* const to = static_cast<T*>(out.tensor.raw());
        // Each thread adds some columns of all rows: an id that stands in many places is no hurdle, and sums keep their
        // order.
        parallel_ranges(features, cache_line, work, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = 0; i < ids.numel(); ++i) {
                T* const row = to + id[i] * row_step;
                const T* const value = from + i * features;
                if (step == 1) {
                    for (std::int64_t j = begin; j < end; ++j) row[j] += value[j];
                } else {
                    for (std::int64_t j = begin; j < end; ++j) row[j * step] += value[j];
                }
            }
        });
    });
}

void ScatterRows::vjp(Backward& back) const { back.add(0, EmbeddingLookup{}, back.cotangent(), back.saved(1)); }

std::vector<Sample> ScatterRows::samples() {
    return {{"[4, 3] into 5 rows",
             {sample_values({4, 3}, -1, 1, 1), tensor(std::vector<std::int64_t>{4, 0, 4, 2}, {4})},
             [](const auto& in) { return scatter_rows(in[0], in[1], 5); }},
            {"a slice, used twice",
             {sample_values({2, 3, 4}, -1, 1, 2), tensor(std::vector<std::int64_t>{1, 1, 0, 1}, {2, 2})},
             [](const auto& in) {
                 const Tensor values = slice(in[0], 1, 1, 3);
                 return concat({scatter_rows(values, in[1], 2), reshape(values, {4, 4})}, 0);
             }}};
}

}  // namespace wengert
