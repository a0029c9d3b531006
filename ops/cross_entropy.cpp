#include <fmt/format.h>

#include <wengert/autograd/parallel.hpp>
#include <wengert/ops/cross_entropy.hpp>
#include <wengert/ops/elementwise.hpp>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/softmax.hpp>
#include <wengert/ops/softmax_rows.hpp>
#include <wengert/ops/views.hpp>

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

}  // namespace

Tensor cross_entropy(const Input& logits, const Tensor& labels, const CrossEntropyOptions& options) {
    static_assert(is_listed<CrossEntropy>, "the op is missing in AllOps (listed.hpp)");
    return apply(CrossEntropy{options}, {&logits.tensor(), &labels}, logits.where());
}

Shape CrossEntropy::shape(const Inputs& in) const {
    const Tensor &logits = in[0], &labels = in[1];
    if (!is_floating(logits.dtype()) || labels.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("logits must be float32 or float64 and labels int64, not {} and {}",
                                     to_string(logits.dtype()), to_string(labels.dtype())));
    Shape rows = logits.shape();
    if (rows.rank() > 0) rows.erase(rows.rank() - 1);
    if (logits.rank() == 0 || rows != labels.shape())
        throw ShapeError(fmt::format("labels {} do not fit the rows of logits {}", to_string(labels.shape()),
                                     to_string(logits.shape())));
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
        throw ValueError(fmt::format("label_smoothing is {}, outside [0, 1]", options.label_smoothing));
    const Tensor packed_labels = packed(labels);
    const Labels ids = labels_of(packed_labels);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (ids[i] != options.ignore_index && (ids[i] < 0 || ids[i] >= logits.shape().back()))
            throw ValueError(fmt::format("label {} of row {} is outside [0, {})", ids[i], i, logits.shape().back()));
    return {};
}

void CrossEntropy::forward(const Inputs& in, const Destination& out) const {
    const Tensor logits = packed(in[0]), packed_labels = packed(in[1]);
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    const double smoothing = options.label_smoothing;
    std::vector<double, CachedAllocator<double>> losses(labels.size());
    visit_floating(logits.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const x = static_cast<const T*>(logits.raw());
        parallel_ranges(static_cast<std::int64_t>(labels.size()), 1, logits.numel(),
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end; ++i) {
                                const std::int64_t label = labels[static_cast<std::size_t>(i)];
                                if (label == options.ignore_index) continue;
                                const T* const row = x + i * classes;
                                const auto [shift, sum] = sum_exponentials<T>(row, classes, nullptr);
                                const double log_sum = std::log(static_cast<double>(sum));
                                double loss = (1 - smoothing) * (log_sum - (static_cast<double>(row[label]) - shift));
                                if (smoothing > 0) {
                                    double total = 0;
                                    for (std::int64_t v = 0; v < classes; ++v)
                                        total += static_cast<double>(row[v]) - shift;
                                    loss += smoothing * (log_sum - total / static_cast<double>(classes));
                                }
                                losses[static_cast<std::size_t>(i)] = loss;
                            }
                        });
        double total = 0;
        for (const double loss : losses) total += loss;
        *static_cast<T*>(out.tensor.raw()) = static_cast<T>(total * row_scale(labels, options));
    });
}

void CrossEntropy::vjp(Backward& back) const {
    const Tensor& logits = back.saved(0);
    const Tensor packed_labels = packed(back.saved(1));
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    const double even = options.label_smoothing / static_cast<double>(classes), scale = row_scale(labels, options);
    if (back.recording()) {
        // q and the rows' weights are constants; the rest is a composition.
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
        back.add(0, (softmax(logits) - target) * (weight * back.cotangent()));
        return;
    }
    if (!back.needs(0)) return;
    // The logits are the largest tensor of a language model: if nobody else reads them, the gradient takes their place.
    Tensor x = packed(back.take_saved(0)), gradient;
    const void* const elements = x.raw();
    const bool in_place = x.is_unique();
    gradient = in_place ? std::move(x) : Tensor::empty(x.shape(), x.dtype());
    visit_floating(gradient.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const from = static_cast<const T*>(elements);
        T* const to = static_cast<T*>(gradient.raw());
        const T factor = static_cast<T>(scale) * back.cotangent().item<T>();
        parallel_ranges(static_cast<std::int64_t>(labels.size()), 1, gradient.numel(),
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end; ++i) {
                                const std::int64_t label = labels[static_cast<std::size_t>(i)];
                                T* const row = to + i * classes;
                                if (label == options.ignore_index) {
                                    std::fill_n(row, classes, T{0});
                                    continue;
                                }
                                const RowSum<T> total = sum_exponentials(from + i * classes, classes, row);
                                const T share = factor / total.sum, spread = factor * static_cast<T>(even);
                                for (std::int64_t v = 0; v < classes; ++v) row[v] = row[v] * share - spread;
                                row[label] -= factor * static_cast<T>(1 - options.label_smoothing);
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

}  // namespace wengert
