#include <fmt/format.h>

#include <wengert/autograd/cotangents.hpp>
#include <wengert/ops/embedding.hpp>
#include <wengert/ops/listed.hpp>

namespace wengert {

Tensor embedding(const Input& weight, const Tensor& ids) {
    static_assert(is_listed<EmbeddingLookup> && is_listed<ScatterRows>, "an op is missing in AllOps (listed.hpp)");
    return apply(EmbeddingLookup{}, {&weight.tensor(), &ids}, weight.where());
}

Shape EmbeddingLookup::shape(const Inputs& in) const {
    const Tensor &weight = in[0], &ids = in[1];
    if (weight.rank() != 2) throw ShapeError("the table must be [rows, features], not " + to_string(weight.shape()));
    if (!is_floating(weight.dtype()) || ids.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("the table must be float32 or float64 and ids int64, not {} and {}", to_string(weight.dtype()),
                                     to_string(ids.dtype())));
    const std::vector<std::int64_t> rows = ids.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i] < 0 || rows[i] >= weight.shape()[0])
            throw ValueError(fmt::format("id {} at position {} is outside a table of {} rows", rows[i], i, weight.shape()[0]));
    Shape result = ids.shape();
    result.push_back(weight.shape()[1]);
    return result;
}

void EmbeddingLookup::forward(const Inputs& in, const Destination& out) const {
    const Tensor table = in[0].is_contiguous() ? in[0] : in[0].clone();
    const std::vector<std::int64_t> rows = in[1].to_vector<std::int64_t>();
    const std::int64_t features = table.shape()[1];
    visit_floating(table.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const from = static_cast<const T*>(table.raw());
        T* to = static_cast<T*>(out.tensor.raw());
        for (const std::int64_t row : rows) to = std::copy_n(from + row * features, features, to);
    });
}

void EmbeddingLookup::vjp(Backward& back) const {
    back.add(0, ScatterRows{back.input_shape(0)[0]}, back.cotangent(), back.saved(1));
}

Shape ScatterRows::shape(const Inputs& in) const { return {rows, in[0].shape().back()}; }

void ScatterRows::forward(const Inputs& in, const Destination& out) const {
    const Tensor values = in[0].is_contiguous() ? in[0] : in[0].clone();
    const std::vector<std::int64_t> ids = in[1].to_vector<std::int64_t>();
    const std::int64_t features = values.shape().back(), row_step = out.tensor.strides()[0], step = out.tensor.strides()[1];
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
    return {{"[5, 3] at [2, 4], repeated ids", {sample_values({5, 3}, -1, 1, 1), tensor(std::vector<std::int64_t>{0, 4, 4, 1, 4, 0, 2, 4}, {2, 4})}, lookup},
            {"no ids", {sample_values({5, 3}, -1, 1, 2), tensor(std::vector<std::int64_t>{}, {0})}, lookup}};
}

std::vector<Sample> ScatterRows::samples() {
    return {{"[4, 3] into 5 rows", {sample_values({4, 3}, -1, 1, 1), tensor(std::vector<std::int64_t>{4, 0, 4, 2}, {4})},
             [](const auto& in) { return apply(ScatterRows{5}, {&in[0], &in[1]}, {}); }}};
}

}  // namespace wengert
