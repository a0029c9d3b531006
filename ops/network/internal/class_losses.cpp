#include <fmt/format.h>

#include <algorithm>
#include <vector>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/internal/class_losses.hpp>
#include <wengert/ops/reduce/softmax.hpp>

namespace wengert::class_losses {

double row_scale(Labels labels, const CrossEntropyOptions& options) {
    if (options.reduction == Reduction::sum) return 1;
    const auto counted = std::ssize(labels) - std::ranges::count(labels, options.ignore_index);
    return 1.0 / static_cast<double>(std::max<std::ptrdiff_t>(1, counted));
}

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
    if (options.reduction == Reduction::none)
        throw ValueError("the losses of single rows are those of nll_loss(log_softmax(logits), labels)");
    const Tensor packed_labels = packed(labels);
    const Labels ids = labels_of(packed_labels);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (ids[i] != options.ignore_index && (ids[i] < 0 || ids[i] >= logits.back()))
            throw ValueError(fmt::format("label {} of row {} is outside [0, {})", ids[i], i, logits.back()));
}

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

}  // namespace wengert::class_losses
