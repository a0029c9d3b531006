#include <fmt/format.h>

#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/index/embedding.hpp>
#include <wengert/ops/network/internal/class_losses.hpp>
#include <wengert/ops/network/linear_cross_entropy.hpp>
#include <wengert/ops/products/linear.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/internal/sum_op.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

using namespace class_losses;

Tensor linear_cross_entropy(const Input& x, const Input& weight, const Input& bias, const Tensor& labels,
                            const CrossEntropyOptions& options, std::int64_t chunk) {
    static_assert(is_listed<LinearCrossEntropy>, "the op is missing in its family's list");
    const LinearCrossEntropy op{options, chunk, ProductPrecision::current()};
    const Tensor &states = tensor_of(x, LinearCrossEntropy::name),
                 &rows = tensor_of(weight, LinearCrossEntropy::name, 1),
                 &added = tensor_of(bias, LinearCrossEntropy::name, 2), whole = as_int64(labels);
    if (!options.weight.defined()) return apply(op, {&states, &rows, &added, &whole}, x.where());
    return apply(op, {&states, &rows, &added, &whole, &options.weight}, x.where());
}

Shape LinearCrossEntropy::shape(const Inputs& in) const {
    const Tensor &x = in[0], &weight = in[1], &bias = in[2];
    if (chunk < 1) throw ValueError(fmt::format("a chunk must have one element at least, not {}", chunk));
    const Shape logits = LinearProduct{precision}.shape({&x, &weight, &bias});
    if (bias.shape() != Shape{weight.shape()[0]})
        throw ShapeError(fmt::format("the bias must be [{}] for the weight {}, not {}", weight.shape()[0],
                                     to_string(weight.shape()), to_string(bias.shape())));
    require_labels(logits, x.dtype(), in[3], options, weight_among(in, 4));
    return {};
}

void LinearCrossEntropy::forward(const Inputs& in, const Destination& out, const Workspace& workspace) const {
    const Tensor &weight = in[1], &bias = in[2];
    bool is_differentiated = false;
    for (std::size_t i = 0; i < 3; ++i) {
        if (!workspace.follows(i)) continue;
        workspace.tensors[i] = zeros(in[i].shape(), in[i].dtype());
        is_differentiated = true;
    }
    const Tensor &dx = workspace.tensors[0], &dweight = workspace.tensors[1], &dbias = workspace.tensors[2];
    const Tensor packed_labels = packed(in[3]);
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = weight.shape()[0], features = weight.shape()[1];
    const auto as_table = [&](const Tensor& rows) {
        return rows.view({std::ssize(labels), features}, {features, 1}, rows.offset());
    };
    const Tensor x = as_table(packed(in[0]));

    const Tensor counted = Tensor::empty({std::ssize(labels)}, Dtype::int64);  // the rows that count, n of them
    std::int64_t n = 0;
    for (std::int64_t i = 0; i < std::ssize(labels); ++i)
        if (labels[static_cast<std::size_t>(i)] != options.ignore_index)
            static_cast<std::int64_t*>(counted.raw())[n++] = i;

    const Targets targets(options, weight_among(in, 4));
    const double scale = targets.row_scale(labels, options);
    const std::int64_t chunks = std::min(n, n * classes / chunk + 1);
    std::vector<double, CachedAllocator<double>> losses(static_cast<std::size_t>(n));
    for (std::int64_t c = 0; c < chunks; ++c) {
        const std::int64_t first = n * c / chunks, count = n * (c + 1) / chunks - first;
        const Tensor rows = Slice{0, first, first + count}.view(counted);
        const Tensor part = Tensor::empty({count, features}, x.dtype());
        const Tensor logits = Tensor::empty({count, classes}, x.dtype());
        EmbeddingLookup{}.forward({&x, &rows}, {part});
        LinearProduct{precision, false}.forward({&part, &weight, &bias}, {logits});
        visit_floating(x.dtype(), [&](auto type) {
            using T = decltype(type);
            for_each_row<const T, T>(
                -1, {&logits, &logits}, [&](std::int64_t i, std::span<const T>, std::span<T> in_place) {
                    const std::int64_t label = labels[static_cast<std::size_t>(rows.data<std::int64_t>()[i])];
                    T* const row = in_place.data();
                    const auto [loss, sum] =
                        row_loss<T>(row, classes, label, targets, is_differentiated ? row : nullptr);
                    losses[static_cast<std::size_t>(first + i)] = loss;
                    if (is_differentiated)
                        exponentials_to_gradient(row, classes, label, targets, sum, static_cast<T>(scale));
                });
        });
        // The logits have become their gradient.
        if (dx.defined()) {
            const Tensor product = Tensor::empty(part.shape(), x.dtype());
            MatMul{precision, false}.forward({&logits, &weight}, {product});
            ScatterRows{std::ssize(labels)}.forward({&product, &rows}, {as_table(dx), true});
        }
        if (dweight.defined()) {
            const Tensor columns = Permute{{1, 0}}.view(logits);
            MatMul{precision}.forward({&columns, &part}, {dweight, true});
        }
        if (dbias.defined()) sum_op(0).forward({&logits}, {dbias, true});
    }

    double total = 0;
    for (const double loss : losses) total += loss;
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        *static_cast<T*>(out.tensor.raw()) = static_cast<T>(total * scale);
    });
}

void LinearCrossEntropy::vjp(Backward& back) const {
    const Tensor class_weights = saved_weight(back, 4);
    if (back.is_recorded()) {
        const Tensor &x = back.saved(0), &weight = back.saved(1), &bias = back.saved(2), &labels = back.saved(3);
        const Tensor ct = composed_gradient(apply(LinearProduct{precision}, {&x, &weight, &bias}, {}), labels, options,
                                            class_weights, back.cotangent());
        const auto as_rows = [&](const Tensor& t) { return reshape(t, {labels.numel(), t.shape().back()}); };
        back.add(0, MatMul{precision}, ct, weight);
        if (back.needs(1)) back.add(1, MatMul{precision}, transpose(as_rows(ct)), as_rows(x));
        if (back.needs(2)) back.add(2, sum_op(0), as_rows(ct));
        return;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        if (!back.needs(i)) continue;
        Tensor gradient = back.take_workspace(i);
        if (const Tensor& ct = back.cotangent(); ct.item() != 1) {
            const Tensor scaled = gradient.is_unique() ? gradient : Tensor::empty(gradient.shape(), gradient.dtype());
            function_op<Mul>().forward({&gradient, &ct}, {scaled});
            gradient = scaled;
        }
        back.add(i, std::move(gradient));
    }
}

Tensor LinearCrossEntropy::jvp(const Forward& forward) const {
    const Tensor class_weights = given_weight(forward, 4);
    const LinearProduct linear{precision};
    const auto product = [&](const Inputs& in) { return apply(linear, in, forward.where()); };
    const Tensor dlogits = forward.bilinear(product);
    const Tensor logits = product({&forward.input(0), &forward.input(1), &forward.input(2)});
    const Tensor ct = composed_gradient(logits, forward.input(3), options, class_weights, ones({}, logits.dtype()));
    return sum(ct * dlogits);
}

std::vector<Sample> LinearCrossEntropy::samples() {
    const auto inputs = [](const Shape& x, std::int64_t classes, std::vector<std::int64_t> labels) {
        Shape rows = x;
        rows.erase(x.rank() - 1);
        return std::vector{sample_values(x, -1, 1, 1), sample_values({classes, x.back()}, -1, 1, 2),
                           sample_values({classes}, -1, 1, 3), tensor(labels, rows)};
    };
    const auto with = [](const CrossEntropyOptions& given, std::int64_t chunk) {
        return [=](const std::vector<Tensor>& in) {
            CrossEntropyOptions options = given;
            if (given.weight.defined() && is_floating(in[0].dtype()))
                options.weight = cast(given.weight, in[0].dtype());
            return linear_cross_entropy(in[0], in[1], in[2], in[3], options, chunk);
        };
    };
    return {{"[4, 3], at once", inputs({4, 3}, 5, {0, 4, 2, 2}), with({}, 100)},
            {"[2, 3, 2], two rows at a time", inputs({2, 3, 2}, 4, {3, 0, 1, 1, 2, 3}), with({}, 10)},
            {"ignored rows", inputs({2, 3, 2}, 4, {0, 3, 1, 1, 0, 2}), with({.ignore_index = 0}, 8)},
            {"smoothed sum, row by row", inputs({3, 2}, 6, {5, 0, 1}),
             with({.label_smoothing = 0.1, .reduction = Reduction::sum}, 1)},
            {"weights of the classes", inputs({4, 2}, 3, {0, 2, 1, 2}),
             with({.label_smoothing = 0.2, .weight = tensor({0.5, 2, 0}, Dtype::float64)}, 5)},
            {"all ignored", inputs({2, 3}, 2, {1, 1}), with({.ignore_index = 1}, 100)},
            {"one class", inputs({3, 2}, 1, {0, 0, 0}), with({}, 2)},
            {"no rows", inputs({0, 2}, 3, {}), with({}, 100)},
            {"no features", inputs({2, 0}, 3, {2, 0}), with({}, 3)},
            {"a transposed x and a slice of a weight",
             {sample_values({2, 3}, -1, 1, 1), sample_values({6, 4}, -1, 1, 2), sample_values({3}, -1, 1, 3),
              tensor(std::vector<std::int64_t>{2, 0, 1}, {3})},
             [](const auto& in) {
                 return linear_cross_entropy(transpose(in[0]), slice(slice(in[1], 0, 1, 4), 1, 1, 3), in[2], in[3]);
             }}};
}

}  // namespace wengert
