#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/internal/class_losses.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert::class_losses {

Targets::Targets(const CrossEntropyOptions& options, const Tensor& weight) : smoothing(options.label_smoothing) {
    if (!weight.defined() || weight.numel() == 0) return;
    weights = weight.to_vector<double>();
    mean_weight = std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
}

double Targets::row_scale(Labels labels, const CrossEntropyOptions& options) const {
    if (options.reduction == Reduction::sum) return 1;
    double counted = 0;
    for (const std::int64_t label : labels)
        if (label != options.ignore_index) counted += this->weight(label);
    return counted > 0 ? 1 / counted : 0;
}

Tensor saved_weight(const Backward& back, std::size_t i) {
    if (back.input_count() <= i) return {};
    if (back.needs(i)) throw NotDifferentiableError("the weights of the classes are constants here");
    return back.saved(i);
}

Tensor given_weight(const Forward& forward, std::size_t i) {
    if (forward.input_count() <= i) return {};
    if (forward.has(i)) throw NotDifferentiableError("the weights of the classes are constants here");
    return forward.input(i);
}

void require_labels(const Shape& logits, Dtype dtype, const Tensor& labels, const CrossEntropyOptions& options,
                    const Tensor& weight) {
    if (!is_floating(dtype) || labels.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("logits must be float32 or float64 and labels int64 or int32, not {} and {}",
                                     to_string(dtype), to_string(labels.dtype())));
    Shape rows = logits;
    if (rows.rank() > 0) rows.erase(rows.rank() - 1);
    if (logits.rank() == 0 || rows != labels.shape())
        throw ShapeError(
            fmt::format("labels {} do not fit the rows of logits {}", to_string(labels.shape()), to_string(logits)));
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
        throw ValueError(fmt::format("label_smoothing is {}, outside [0, 1]", options.label_smoothing));
    require_common(options.reduction);
    if (options.reduction == Reduction::none)
        throw ValueError("the losses of single rows are those of cross_entropy(linear(..), labels)");
    if (weight.defined()) {
        if (weight.dtype() != dtype)
            throw DtypeError(fmt::format("the weights of the classes are {}, but the logits {}",
                                         to_string(weight.dtype()), to_string(dtype)));
        if (weight.shape() != Shape{logits.back()})
            throw ShapeError(fmt::format("the weights of the classes must be [{}] for logits {}, not {}", logits.back(),
                                         to_string(logits), to_string(weight.shape())));
        const std::vector<double> weights = weight.to_vector<double>();
        for (std::size_t v = 0; v < weights.size(); ++v)
            if (!(weights[v] >= 0 && std::isfinite(weights[v])))
                throw ValueError(
                    fmt::format("the weight of class {} is {}, not a finite number of 0 or more", v, weights[v]));
    }
    const Tensor packed_labels = packed(labels);
    const Labels ids = labels_of(packed_labels);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (ids[i] != options.ignore_index && (ids[i] < 0 || ids[i] >= logits.back()))
            throw ValueError(fmt::format("label {} of row {} is outside [0, {})", ids[i], i, logits.back()));
}

Tensor without_ignored(const Input& logits, const Tensor& labels, std::int64_t ignored) {
    const Tensor packed_labels = packed(labels);
    if (std::ranges::find(labels_of(packed_labels), ignored) == labels_of(packed_labels).end()) return logits.tensor();
    const Tensor counts = unsqueeze(labels != ignored, -1);
    return where({counts, logits.where()}, logits, 0.0);
}

Tensor composed_gradient(const Tensor& logits, const Tensor& all_labels, const CrossEntropyOptions& options,
                         const Tensor& weight, const Tensor& cotangent) {
    const Tensor packed_labels = packed(all_labels);
    const Labels labels = labels_of(packed_labels);
    const std::int64_t classes = logits.shape().back();
    const Targets targets(options, weight);
    const double even = options.label_smoothing / static_cast<double>(classes);
    const double scale = targets.row_scale(labels, options);
    std::vector<double> q(static_cast<std::size_t>(logits.numel())), totals(labels.size()), weights(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] == options.ignore_index) continue;
        weights[i] = scale;
        totals[i] = targets.total(labels[i]);
        for (std::int64_t v = 0; v < classes; ++v)
            q[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(v)] =
                targets.weight(v) * (even + (v == labels[i] ? 1 - options.label_smoothing : 0));
    }
    Shape rows = logits.shape();
    rows[rows.rank() - 1] = 1;
    const Tensor target = cast(tensor(q, logits.shape()), logits.dtype());
    const Tensor total = cast(tensor(totals, rows), logits.dtype());
    return (softmax(without_ignored(logits, all_labels, options.ignore_index)) * total - target) *
           (cast(tensor(weights, rows), logits.dtype()) * cotangent);
}

}  // namespace wengert::class_losses
