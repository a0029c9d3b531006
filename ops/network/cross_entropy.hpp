#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/network/reduction.hpp>

namespace wengert {

struct CrossEntropyOptions {
    /// Rows with this label count for nothing: neither in the sum nor in the mean.
    std::int64_t ignore_index = -100;
    /// The share of the target distribution that is spread evenly over all classes.
    double label_smoothing = 0;
    /// mean: over the rows that count; 0 if there is none. The loss of each row is nll_loss(log_softmax(logits), ..).
    Reduction reduction = Reduction::mean;
};

/// Cross entropy of rows of logits [.., V] with class labels, int64 [..] -> []:
///     -sum_v q_v log_softmax(logits)_v,  q = (1 - s) one_hot(label) + s / V.
/// Derivative by the logits: (softmax(logits) - q), over the number of rows for the mean. Throws ValueError for a label
/// outside [0, V), a smoothing outside [0, 1] and Reduction::none, ShapeError if the labels do not fit the rows.
Tensor cross_entropy(const Input& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

struct CrossEntropy {
    static constexpr std::string_view name = "cross_entropy";
    static constexpr OpDoc doc{"cross_entropy(logits, labels, options = {})", "[.., V], int64 [..] -> []",
                               "-Σ q log_softmax(logits), the mean over the rows that count; q is 1 at the label",
                               "(softmax(logits) - q) ct / n for the n rows that count, 0 for the others"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 2> operands{"logits", "labels"};
    CrossEntropyOptions options;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

// clang-format off
using LossOps = OpList<
    CrossEntropy>;
// clang-format on
template <class Op>
requires is_in<Op, LossOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
