#include <fmt/format.h>

#include <wengert/ops/index/embedding.hpp>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

Tensor embedding(const Input& weight, const Tensor& ids) {
    static_assert(is_listed<EmbeddingLookup> && is_listed<ScatterRows>, "an op is missing in AllOps (listed.hpp)");
    return apply(EmbeddingLookup{}, {&weight.tensor(), &ids}, weight.where());
}

Shape EmbeddingLookup::shape(const Inputs& in) const {
    const Tensor &weight = in[0], &ids = in[1];
    if (weight.rank() != 2) throw ShapeError("the table must be [rows, features], not " + to_string(weight.shape()));
    if (!is_floating(weight.dtype()) || ids.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("the table must be float32 or float64 and ids int64, not {} and {}",
                                     to_string(weight.dtype()), to_string(ids.dtype())));
    const Tensor rows = packed(ids);
    const auto* const row = rows.data<std::int64_t>();
    for (std::int64_t i = 0; i < rows.numel(); ++i)
        if (row[i] < 0 || row[i] >= weight.shape()[0])
            throw ValueError(
                fmt::format("id {} at position {} is outside a table of {} rows", row[i], i, weight.shape()[0]));
    Shape result = ids.shape();
    result.push_back(weight.shape()[1]);
    return result;
}

void EmbeddingLookup::forward(const Inputs& in, const Destination& out) const {
    const Tensor rows = packed(in[1]);
    Shape places = out.tensor.shape();  // the positions of the ids, in the order of their rows
    places[places.rank() - 1] = 1;
    const std::int64_t features = in[0].shape()[1], row_step = in[0].strides()[0], step = in[0].strides()[1];
    const std::int64_t out_step = out.tensor.strides().back();
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const table = static_cast<const T*>(in[0].raw());
        T* const to = static_cast<T*>(out.tensor.raw());
        const auto* row = rows.data<std::int64_t>();
        for_each_row(places, std::array{out.tensor.strides()}, [&](const std::array<std::int64_t, 1>& offset) {
            const T* const from = table + *row++ * row_step;
            T* const place = to + offset[0];
            if (step == 1 && out_step == 1 && !out.accumulate) {
                std::copy_n(from, features, place);
            } else {
                for (std::int64_t i = 0; i < features; ++i) {
                    T& element = place[i * out_step];
                    element = out.accumulate ? element + from[i * step] : from[i * step];
                }
            }
        });
    });
}

void EmbeddingLookup::vjp(Backward& back) const {
    back.add(0, ScatterRows{back.input_shape(0)[0]}, back.cotangent(), back.saved(1));
}

Shape ScatterRows::shape(const Inputs& in) const { return {rows, in[0].shape().back()}; }

void ScatterRows::forward(const Inputs& in, const Destination& out) const {
    const Tensor values = packed(in[0]), rows_of = packed(in[1]);
    const std::span ids(rows_of.data<std::int64_t>(), static_cast<std::size_t>(rows_of.numel()));
    const std::int64_t features = values.shape().back(), row_step = out.tensor.strides()[0],
                       step = out.tensor.strides()[1];
    if (!out.accumulate) fill(out.tensor, 0);
    visit_floating(values.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* from = static_cast<const T*>(values.raw());
        T* const to = static_cast<T*>(out.tensor.raw());
        for (const std::int64_t id : ids) {
            T* const row = to + id * row_step;
            for (std::int64_t i = 0; i < features; ++i) row[i * step] += from[i];
            from += features;
        }
    });
}

void ScatterRows::vjp(Backward& back) const { back.add(0, EmbeddingLookup{}, back.cotangent(), back.saved(1)); }

std::vector<Sample> EmbeddingLookup::samples() {
    const auto lookup = [](const std::vector<Tensor>& in) { return embedding(in[0], in[1]); };
    return {{"[5, 3] at [2, 4], repeated ids",
             {sample_values({5, 3}, -1, 1, 1), tensor(std::vector<std::int64_t>{0, 4, 4, 1, 4, 0, 2, 4}, {2, 4})},
             lookup},
            {"no ids", {sample_values({5, 3}, -1, 1, 2), tensor(std::vector<std::int64_t>{}, {0})}, lookup}};
}

std::vector<Sample> ScatterRows::samples() {
    return {{"[4, 3] into 5 rows",
             {sample_values({4, 3}, -1, 1, 1), tensor(std::vector<std::int64_t>{4, 0, 4, 2}, {4})},
             [](const auto& in) {
                 return apply(ScatterRows{5}, {&in[0], &in[1]}, {});
             }},
            {"a slice, used twice",
             {sample_values({2, 3, 4}, -1, 1, 2), tensor(std::vector<std::int64_t>{1, 1, 0, 1}, {2, 2})},
             [](const auto& in) {
                 const Tensor values = slice(in[0], 1, 1, 3);
                 return concat({apply(ScatterRows{2}, {&values, &in[1]}, {}), reshape(values, {4, 4})}, 0);
             }}};
}

}  // namespace wengert
