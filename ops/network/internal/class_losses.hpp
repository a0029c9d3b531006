#pragma once

#include <cmath>
#include <span>
#include <vector>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/reduce/internal/softmax_rows.hpp>

/// What the losses of rows of logits with class labels share.
namespace wengert::class_losses {

using Labels = std::span<const std::int64_t>;

/// Of a contiguous tensor.
inline Labels labels_of(const Tensor& x) { return {x.data<std::int64_t>(), static_cast<std::size_t>(x.numel())}; }

/// The distributions q_v = weight_v ((1 - s) one_hot(label)_v + s / V), which the rows are compared with.
struct Targets {
    double smoothing;
    std::vector<double> weights;  ///< of the classes; empty if each is 1
    double mean_weight = 1;

    Targets(const CrossEntropyOptions& options, const Tensor& weight);
    double weight(std::int64_t v) const { return weights.empty() ? 1 : weights[static_cast<std::size_t>(v)]; }
    /// Of q's elements.
    double total(std::int64_t label) const { return (1 - smoothing) * weight(label) + smoothing * mean_weight; }
    /// What each row's loss is multiplied by in the result.
    double row_scale(Labels labels, const CrossEntropyOptions& options) const;
};

/// The weights of the classes, operand `i`; undefined if there is no such.
inline Tensor weight_among(const Inputs& in, std::size_t i) { return in.size() > i ? in[i] : Tensor(); }
/// The same of a rule. Throws NotDifferentiableError if a gradient by them is wanted.
Tensor saved_weight(const Backward& back, std::size_t i);
Tensor given_weight(const Forward& forward, std::size_t i);

/// Throws unless the labels are classes of the rows of logits, and the options and weights are in their domain.
void require_labels(const Shape& logits, Dtype dtype, const Tensor& labels, const CrossEntropyOptions& options,
                    const Tensor& weight);

/// The logits with zeros in the rows that have the ignored label, so that what stands there, even NaN, counts for
/// nothing.
Tensor without_ignored(const Input& logits, const Tensor& labels, std::int64_t ignored);

/// The gradient by the logits as a composition of ops, to be recorded: q and the rows' weights are constants.
Tensor composed_gradient(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options,
                         const Tensor& weight, const Tensor& cotangent);

template <class T>
struct RowLoss {
    double loss;
    T sum;  ///< of e^(x - shift)
};

/// The loss of a row that counts; if `exponentials` is not null, which may be the row itself, the terms e^(x - shift)
/// are left there.
template <class T>
RowLoss<T> row_loss(const T* row, std::int64_t classes, std::int64_t label, const Targets& targets, T* exponentials) {
    const auto at_label = static_cast<double>(row[label]);
    const double smoothing = targets.smoothing;
    double mean = 0;
    if (smoothing > 0) {
        for (std::int64_t v = 0; v < classes; ++v) mean += targets.weight(v) * static_cast<double>(row[v]);
        mean /= static_cast<double>(classes);
    }
    const auto [shift, sum] = sum_exponentials(row, classes, exponentials);
    const double log_sum = std::log(static_cast<double>(sum));
    double loss = (1 - smoothing) * targets.weight(label) * (log_sum - (at_label - shift));
    if (smoothing > 0) loss += smoothing * (targets.mean_weight * log_sum - (mean - targets.mean_weight * shift));
    return {loss, sum};
}

/// Turns a row of e^(x - shift), whose sum is given, into the gradient times `factor`.
template <class T>
void exponentials_to_gradient(T* row, std::int64_t classes, std::int64_t label, const Targets& targets, T sum,
                              T factor) {
    const T share = factor * static_cast<T>(targets.total(label)) / sum;
    const T spread = factor * static_cast<T>(targets.smoothing / static_cast<double>(classes));
    if (targets.weights.empty() || targets.smoothing == 0)
        for (std::int64_t v = 0; v < classes; ++v) row[v] = row[v] * share - spread;
    else
        for (std::int64_t v = 0; v < classes; ++v) row[v] = row[v] * share - spread * static_cast<T>(targets.weight(v));
    row[label] -= factor * static_cast<T>((1 - targets.smoothing) * targets.weight(label));
}

}  // namespace wengert::class_losses
