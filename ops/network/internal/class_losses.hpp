#pragma once

#include <cmath>
#include <span>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/reduce/internal/softmax_rows.hpp>

/// What the losses of rows of logits with class labels share.
namespace wengert::class_losses {

using Labels = std::span<const std::int64_t>;

/// Of a contiguous tensor.
inline Labels labels_of(const Tensor& x) { return {x.data<std::int64_t>(), static_cast<std::size_t>(x.numel())}; }

/// What each row's loss is multiplied by in the result.
double row_scale(Labels labels, const CrossEntropyOptions& options);

/// Throws unless the labels are classes of the rows of logits, and the options are in their domain.
void require_labels(const Shape& logits, Dtype dtype, const Tensor& labels, const CrossEntropyOptions& options);

/// The gradient by the logits as a composition of ops, to be recorded: q and the rows' weights are constants.
Tensor composed_gradient(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options,
                         const Tensor& cotangent);

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

}  // namespace wengert::class_losses
