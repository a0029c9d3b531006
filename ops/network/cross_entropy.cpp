#include <fmt/format.h>

#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/elementwise_op.hpp>
#include <wengert/ops/index/embedding.hpp>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/internal/softmax_rows.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

using Labels = std::span<const std::int64_t>;

/// Of a contiguous tensor.
Labels labels_of(const Tensor& x) { return {x.data<std::int64_t>(), static_cast<std::size_t>(x.numel())}; }

/// What each row's loss is multiplied by in the result.
double row_scale(Labels labels, const CrossEntropyOptions& options) {
    if (options.reduction == Reduction::sum) return 1;
    const auto counted = std::ssize(labels) - std::ranges::count(labels, options.ignore_index);
    return 1.0 / static_cast<double>(std::max<std::ptrdiff_t>(1, counted));
}

/// Throws unless the labels are classes of the rows of logits, and the options are in their domain.
void require_labels(const Shape& logits, Dtype dtype, const Tensor& labels, const CrossEntropyOptions& options) {
    if (!is_floating(dtype) || labels.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("logits must be float32 or float64 and labels int64, not {} and {}",
                                     to_string(dtype), to_string(labels.dtype())));
    Shape rows = logits;
    if (rows.rank() > 0) rows.erase(rows.rank() - 1);
    if (logits.rank() == 0 || rows != labels.shape())
        throw ShapeError(
            fmt::format("labels {} do not fit the rows of logits {}", to_string(labels.shape()), to_string(logits)));
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
        throw ValueError(fmt::format("label_smoothing is {}, outside [0, 1]", options.label_smoothing));
    const Tensor packed_labels = packed(labels);
    const Labels ids = labels_of(packed_labels);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (ids[i] != options.ignore_index && (ids[i] < 0 || ids[i] >= logits.back()))
            throw ValueError(fmt::format("label {} of row {} is outside [0, {})", ids[i], i, logits.back()));
}

template <class T>
struct RowLoss {
    double loss;
    T sum;  ///< of e^(x - shift)
};

/// The loss of a row that counts; if `exponentials` is not null, which may be the row itself, the terms e^(x - shift)
/// are left there.
template <class T>
RowLoss<T> row_loss(const T* row, std::int64_t classes, std::int64_t label, double smoothing, T* exponentials) {
    const auto at_label = static_cast<double>(row[label]);
    double mean = 0;
    if (smoothing > 0) {
        for (std::int64_t v = 0; v < classes; ++v) mean += static_cast<double>(row[v]);
        mean /= static_cast<double>(classes);
    }
    const auto [shift, sum] = sum_exponentials(row, classes, exponentials);
    const double log_sum = std::log(static_cast<double>(sum));
    double loss = (1 - smoothing) * (log_sum - (at_label - shift));
    if (smoothing > 0) loss += smoothing * (log_sum - (mean - shift));
    return {loss, sum};
}

/// Turns a row of e^(x - shift), whose sum is given, into the gradient times `factor`.
template <class T>
void exponentials_to_gradient(T* row, std::int64_t classes, std::int64_t label, double smoothing, T sum, T factor) {
    const T share = factor / sum, spread = factor * static_cast<T>(smoothing / static_cast<double>(classes));
    for (std::int64_t v = 0; v < classes; ++v) row[v] = row[v] * share - spread;
    row[label] -= factor * static_cast<T>(1 - smoothing);
}

/// The gradient by the logits as a composition of ops, to be recorded: q and the rows' weights are constants.
Tensor composed_gradient(const Tensor& logits, const Tensor& all_labels, const CrossEntropyOptions& options,
                         const Tensor& cotangent) {
    const Tensor packed_labels = packed(all_labels);
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    const double even = options.label_smoothing / static_cast<double>(classes), scale = row_scale(labels, options);
    std::vector<double> q(static_cast<std::size_t>(logits.numel())), weights(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] == options.ignore_index) continue;
        weights[i] = scale;
        for (std::int64_t v = 0; v < classes; ++v)
            q[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(v)] =
                even + (v == labels[i] ? 1 - options.label_smoothing : 0);
    }
    Shape rows = logits.shape();
    rows[rows.rank() - 1] = 1;
    const Tensor target = cast(tensor(q, logits.shape()), logits.dtype());
    const Tensor weight = cast(tensor(weights, rows), logits.dtype());
    return (softmax(logits) - target) * (weight * cotangent);
}

}  // namespace

Tensor cross_entropy(const Input& logits, const Tensor& labels, const CrossEntropyOptions& options) {
    static_assert(is_listed<CrossEntropy>, "the op is missing in AllOps (listed.hpp)");
    return apply(CrossEntropy{options}, {&logits.tensor(), &labels}, logits.where());
}

Shape CrossEntropy::shape(const Inputs& in) const {
    require_labels(in[0].shape(), in[0].dtype(), in[1], options);
    return {};
}

void CrossEntropy::forward(const Inputs& in, const Destination& out) const {
    const Tensor logits = packed(in[0]), packed_labels = packed(in[1]);
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    std::vector<double, CachedAllocator<double>> losses(labels.size());
    visit_floating(logits.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const x = static_cast<const T*>(logits.raw());
        parallel_ranges(static_cast<std::int64_t>(labels.size()), 1, logits.numel(),
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end; ++i) {
                                const std::int64_t label = labels[static_cast<std::size_t>(i)];
                                if (label == options.ignore_index) continue;
                                losses[static_cast<std::size_t>(i)] =
                                    row_loss<T>(x + i * classes, classes, label, options.label_smoothing, nullptr).loss;
                            }
                        });
        double total = 0;
        for (const double loss : losses) total += loss;
        *static_cast<T*>(out.tensor.raw()) = static_cast<T>(total * row_scale(labels, options));
    });
}

void CrossEntropy::vjp(Backward& back) const {
    const Tensor& logits = back.saved(0);
    if (back.is_recorded()) return back.add(0, composed_gradient(logits, back.saved(1), options, back.cotangent()));
    if (!back.needs(0)) return;
    const Tensor packed_labels = packed(back.saved(1));
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    // The logits are the largest tensor of a language model: if nobody else reads them, the gradient takes their place.
    Tensor x = packed(back.take_saved(0)), gradient;
    const void* const elements = x.raw();
    const bool in_place = x.is_unique();
    gradient = in_place ? std::move(x) : Tensor::empty(x.shape(), x.dtype());
    visit_floating(gradient.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const from = static_cast<const T*>(elements);
        T* const to = static_cast<T*>(gradient.raw());
        const T factor = static_cast<T>(row_scale(labels, options)) * back.cotangent().item<T>();
        parallel_ranges(
            static_cast<std::int64_t>(labels.size()), 1, gradient.numel(), [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    const std::int64_t label = labels[static_cast<std::size_t>(i)];
                    T* const row = to + i * classes;
                    if (label == options.ignore_index) {
                        std::fill_n(row, classes, T{0});
                        continue;
                    }
                    const RowSum<T> total = sum_exponentials(from + i * classes, classes, row);
                    exponentials_to_gradient(row, classes, label, options.label_smoothing, total.sum, factor);
                }
            });
    });
    back.add(0, std::move(gradient));
}

std::vector<Sample> CrossEntropy::samples() {
    const auto ids = [](std::vector<std::int64_t> values, const Shape& shape) { return tensor(values, shape); };
    const auto with = [](const CrossEntropyOptions& options) {
        return [=](const std::vector<Tensor>& in) { return cross_entropy(in[0], in[1], options); };
    };
    return {{"[4, 5]", {sample_values({4, 5}, -2, 2, 1), ids({0, 4, 2, 2}, {4})}, with({})},
            {"ignored rows",
             {sample_values({2, 3, 20}, -2, 2, 2), ids({0, 7, 19, 0, 1, 0}, {2, 3})},
             with({.ignore_index = 0})},
            {"smoothed sum",
             {sample_values({3, 6}, -2, 2, 3), ids({5, 0, 1}, {3})},
             with({.label_smoothing = 0.1, .reduction = Reduction::sum})},
            {"all ignored", {sample_values({2, 3}, -2, 2, 4), ids({1, 1}, {2})}, with({.ignore_index = 1})},
            {"extremes", {tensor({500, -500, 0, -1000, 30, 2}, {2, 3}, Dtype::float64), ids({1, 1}, {2})}, with({})}};
}

Tensor linear_cross_entropy(const Input& x, const Input& weight, const Input& bias, const Tensor& labels,
                            const CrossEntropyOptions& options, std::int64_t chunk) {
    static_assert(is_listed<LinearCrossEntropy>, "the op is missing in AllOps (listed.hpp)");
    const auto gradient_of = [&](const Tensor& operand) {
        const bool is_followed = located(LinearCrossEntropy::name, {&operand}, x.where(), [&] {
            Recording* const recording = Recording::current();
            return recording != nullptr && recording->follows({&operand});
        });
        return Tensor::empty(is_followed ? operand.shape() : Shape{0}, operand.dtype());
    };
    const Tensor &rows = x.tensor(), &w = weight.tensor(), &b = bias.tensor();
    if (chunk < 1)
        located(LinearCrossEntropy::name, {&rows}, x.where(),
                [chunk] { throw ValueError(fmt::format("a chunk must have one element at least, not {}", chunk)); });
    const Tensor dx = gradient_of(rows), dweight = gradient_of(w), dbias = gradient_of(b);
    return apply(LinearCrossEntropy{options, chunk}, {&rows, &w, &b, &labels, &dx, &dweight, &dbias}, x.where());
}

Shape LinearCrossEntropy::shape(const Inputs& in) const {
    const Tensor &x = in[0], &weight = in[1], &bias = in[2];
    const Shape logits = LinearProduct{}.shape({&x, &weight, &bias});
    if (bias.shape() != Shape{weight.shape()[0]})
        throw ShapeError(fmt::format("the bias must be [{}] for the weight {}, not {}", weight.shape()[0],
                                     to_string(weight.shape()), to_string(bias.shape())));
    require_labels(logits, x.dtype(), in[3], options);
    return {};
}

void LinearCrossEntropy::forward(const Inputs& in, const Destination& out) const {
    const Tensor &weight = in[1], &bias = in[2], &dx = in[4], &dweight = in[5], &dbias = in[6];
    const Tensor packed_labels = packed(in[3]);
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = weight.shape()[0], features = weight.shape()[1];
    const auto as_table = [&](const Tensor& rows) {
        return rows.view({std::ssize(labels), features}, {features, 1}, rows.offset());
    };
    const Tensor x = as_table(packed(in[0]));
    const bool is_differentiated = dx.numel() > 0 || dweight.numel() > 0 || dbias.numel() > 0;
    for (const Tensor* gradient : {&dx, &dweight, &dbias}) fill(*gradient, 0);

    const Tensor counted = Tensor::empty({std::ssize(labels)}, Dtype::int64);  // the rows that count, n of them
    std::int64_t n = 0;
    for (std::int64_t i = 0; i < std::ssize(labels); ++i)
        if (labels[static_cast<std::size_t>(i)] != options.ignore_index)
            static_cast<std::int64_t*>(counted.raw())[n++] = i;

    const double scale = row_scale(labels, options);
    const std::int64_t chunks = std::min(n, n * classes / chunk + 1);
    std::vector<double, CachedAllocator<double>> losses(static_cast<std::size_t>(n));
    for (std::int64_t c = 0; c < chunks; ++c) {
        const std::int64_t first = n * c / chunks, count = n * (c + 1) / chunks - first;
        const Tensor rows = Slice{0, first, first + count}.view(counted);
        const Tensor part = Tensor::empty({count, features}, x.dtype());
        const Tensor logits = Tensor::empty({count, classes}, x.dtype());
        EmbeddingLookup{}.forward({&x, &rows}, {part});
        LinearProduct{.precision = precision, .may_pack = false}.forward({&part, &weight, &bias}, {logits});
        visit_floating(x.dtype(), [&](auto type) {
            using T = decltype(type);
            parallel_ranges(count, 1, logits.numel(), [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    const std::int64_t label = labels[static_cast<std::size_t>(rows.data<std::int64_t>()[i])];
                    T* const row = static_cast<T*>(logits.raw()) + i * classes;
                    const auto [loss, sum] =
                        row_loss<T>(row, classes, label, options.label_smoothing, is_differentiated ? row : nullptr);
                    losses[static_cast<std::size_t>(first + i)] = loss;
                    if (is_differentiated)
                        exponentials_to_gradient(row, classes, label, options.label_smoothing, sum,
                                                 static_cast<T>(scale));
                }
            });
        });
        // The logits have become their gradient.
        if (dx.numel() > 0) {
            const Tensor product = Tensor::empty(part.shape(), x.dtype());
            MatMul{.precision = precision, .may_pack = false}.forward({&logits, &weight}, {product});
            ScatterRows{std::ssize(labels)}.forward({&product, &rows}, {as_table(dx), true});
        }
        if (dweight.numel() > 0) {
            const Tensor columns = Permute{{1, 0}}.view(logits);
            MatMul{.precision = precision}.forward({&columns, &part}, {dweight, true});
        }
        if (dbias.numel() > 0) Map<SumOf, 1, true>{{}, 0}.forward({&logits}, {dbias, true});
    }

    double total = 0;
    for (const double loss : losses) total += loss;
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        *static_cast<T*>(out.tensor.raw()) = static_cast<T>(total * scale);
    });
}

void LinearCrossEntropy::vjp(Backward& back) const {
    if (back.is_recorded()) {
        const Tensor &x = back.saved(0), &weight = back.saved(1), &bias = back.saved(2), &labels = back.saved(3);
        const ProductPrecision as_forward(precision);
        const Tensor ct = composed_gradient(linear(x, weight, bias), labels, options, back.cotangent());
        const auto as_rows = [&](const Tensor& t) { return reshape(t, {labels.numel(), t.shape().back()}); };
        back.add(0, MatMul{}, ct, weight);
        if (back.needs(1)) back.add(1, MatMul{}, transpose(as_rows(ct)), as_rows(x));
        if (back.needs(2)) back.add(2, Map<SumOf, 1, true>{{}, 0}, as_rows(ct));
        return;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        if (!back.needs(i)) continue;
        Tensor gradient = back.take_saved(4 + i);
        if (const Tensor& ct = back.cotangent(); ct.item() != 1) {
            const Tensor scaled = gradient.is_unique() ? gradient : Tensor::empty(gradient.shape(), gradient.dtype());
            Map<Function<calculus::Mul>, 2>{}.forward({&gradient, &ct}, {scaled});
            gradient = scaled;
        }
        back.add(i, std::move(gradient));
    }
}

std::vector<Sample> LinearCrossEntropy::samples() {
    const auto inputs = [](const Shape& x, std::int64_t classes, std::vector<std::int64_t> labels) {
        Shape rows = x;
        rows.erase(x.rank() - 1);
        return std::vector{sample_values(x, -1, 1, 1), sample_values({classes, x.back()}, -1, 1, 2),
                           sample_values({classes}, -1, 1, 3), tensor(labels, rows)};
    };
    const auto with = [](const CrossEntropyOptions& options, std::int64_t chunk) {
        return [=](const std::vector<Tensor>& in) {
            return linear_cross_entropy(in[0], in[1], in[2], in[3], options, chunk);
        };
    };
    return {{"[4, 3], at once", inputs({4, 3}, 5, {0, 4, 2, 2}), with({}, 100)},
            {"[2, 3, 2], two rows at a time", inputs({2, 3, 2}, 4, {3, 0, 1, 1, 2, 3}), with({}, 10)},
            {"ignored rows", inputs({2, 3, 2}, 4, {0, 3, 1, 1, 0, 2}), with({.ignore_index = 0}, 8)},
            {"smoothed sum, row by row", inputs({3, 2}, 6, {5, 0, 1}),
             with({.label_smoothing = 0.1, .reduction = Reduction::sum}, 1)},
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
