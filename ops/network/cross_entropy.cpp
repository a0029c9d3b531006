#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/network/internal/class_losses.hpp>
#include <wengert/ops/network/losses.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>

namespace wengert {

using namespace class_losses;

namespace {

/// The loss of each row.
Tensor losses_of_rows(const Input& logits, const Tensor& labels, CrossEntropyOptions options) {
    return located(CrossEntropy::name, {logits, {labels, logits.where()}}, [&]() -> Tensor {
        const SourceLine& line = logits.where();
        const Tensor whole = as_int64(Input(labels, line).tensor());
        options.reduction = Reduction::sum;
        require_labels(logits.tensor().shape(), logits.tensor().dtype(), whole, options, options.weight);
        const Tensor counting = without_ignored(logits, whole, options.ignore_index);
        const Tensor all = log_softmax({counting, line}, -1);
        const NllOptions at_labels{options.ignore_index, Reduction::none, options.weight};
        const Tensor of_labels = nll_loss({all, line}, whole, at_labels);
        const double smoothing = options.label_smoothing;
        if (smoothing == 0) return of_labels;
        const Tensor weighted = options.weight.defined() ? Input(all, line) * options.weight : all;
        const Tensor spread = mean({weighted, line}, -1);
        return where(whole != options.ignore_index, (1 - smoothing) * of_labels - smoothing * spread, 0.0);
    });
}

}  // namespace

Tensor cross_entropy(const Input& logits, const Tensor& labels, const CrossEntropyOptions& options) {
    static_assert(is_listed<CrossEntropy>, "the op is missing in its family's list");
    if (options.reduction == Reduction::none) return losses_of_rows(logits, labels, options);
    const CrossEntropy op{options};
    const Tensor& x = tensor_of(logits, CrossEntropy::name);
    const Tensor whole = as_int64(labels);
    if (!options.weight.defined()) return apply(op, {&x, &whole}, logits.where());
    return apply(op, {&x, &whole, &options.weight}, logits.where());
}

Shape CrossEntropy::shape(const Inputs& in) const {
    require_labels(in[0].shape(), in[0].dtype(), in[1], options, weight_among(in, 2));
    return {};
}

void CrossEntropy::forward(const Inputs& in, const Destination& out) const {
    const Tensor &logits = in[0], packed_labels = packed(in[1]);
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    const Targets targets(options, weight_among(in, 2));
    std::vector<double, CachedAllocator<double>> losses(labels.size());
    visit_floating(logits.dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T>(-1, {&logits}, [&](std::int64_t i, std::span<const T> row) {
            const std::int64_t label = labels[static_cast<std::size_t>(i)];
            if (label == options.ignore_index) return;
            losses[static_cast<std::size_t>(i)] = row_loss<T>(row.data(), classes, label, targets, nullptr).loss;
        });
        double total = 0;
        for (const double loss : losses) total += loss;
        *static_cast<T*>(out.tensor.raw()) = static_cast<T>(total * targets.row_scale(labels, options));
    });
}

void CrossEntropy::vjp(Backward& back) const {
    const Tensor& logits = back.saved(0);
    const Tensor weight = saved_weight(back, 2);
    if (back.is_recorded())
        return back.add(0, composed_gradient(logits, back.saved(1), options, weight, back.cotangent()));
    if (!back.needs(0)) return;
    const Tensor packed_labels = packed(back.saved(1));
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    const Targets targets(options, weight);
    // The logits are the largest tensor of a language model: if nobody else reads them, the gradient takes their place.
    Tensor x = back.take_saved(0);
    Tensor gradient = x.is_unique() && x.is_contiguous() ? x : Tensor::empty(x.shape(), x.dtype());
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const T factor = static_cast<T>(targets.row_scale(labels, options)) * back.cotangent().item<T>();
        for_each_row<const T, T>(-1, {&x, &gradient}, [&](std::int64_t i, std::span<const T> from, std::span<T> to) {
            const std::int64_t label = labels[static_cast<std::size_t>(i)];
            if (label == options.ignore_index) {
                std::ranges::fill(to, T{0});
                return;
            }
            const RowSum<T> total = sum_exponentials(from.data(), classes, to.data());
            exponentials_to_gradient(to.data(), classes, label, targets, total.sum, factor);
        });
    });
    x = {};  // the gradient is handed over with its last handle
    back.add(0, std::move(gradient));
}

Tensor CrossEntropy::jvp(const Forward& forward) const {
    const Tensor &logits = forward.input(0), weight = given_weight(forward, 2);
    return sum(composed_gradient(logits, forward.input(1), options, weight, ones({}, logits.dtype())) *
               forward.tangent(0));
}

std::vector<Sample> CrossEntropy::samples() {
    const auto ids = [](std::vector<std::int64_t> values, const Shape& shape) { return tensor(values, shape); };
    const auto with = [](const CrossEntropyOptions& given) {
        return [=](const std::vector<Tensor>& in) {
            CrossEntropyOptions options = given;
            if (given.weight.defined() && is_floating(in[0].dtype()))
                options.weight = cast(given.weight, in[0].dtype());
            return cross_entropy(in[0], in[1], options);
        };
    };
    return {{"[4, 5]", {sample_values({4, 5}, -2, 2, 1), ids({0, 4, 2, 2}, {4})}, with({})},
            {"ignored rows",
             {sample_values({2, 3, 20}, -2, 2, 2), ids({0, 7, 19, 0, 1, 0}, {2, 3})},
             with({.ignore_index = 0})},
            {"smoothed sum",
             {sample_values({3, 6}, -2, 2, 3), ids({5, 0, 1}, {3})},
             with({.label_smoothing = 0.1, .reduction = Reduction::sum})},
            {"weights and smoothing",
             {sample_values({4, 3}, -2, 2, 5), ids({0, 2, 1, 2}, {4})},
             with({.label_smoothing = 0.2, .weight = tensor({0.5, 2, 0}, Dtype::float64)})},
            {"all ignored", {sample_values({2, 3}, -2, 2, 4), ids({1, 1}, {2})}, with({.ignore_index = 1})},
            {"extremes", {tensor({500, -500, 0, -1000, 30, 2}, {2, 3}, Dtype::float64), ids({1, 1}, {2})}, with({})}};
}

}  // namespace wengert
