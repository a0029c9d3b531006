#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/network/reduction.hpp>

namespace WENGERT_EXPORT wengert {

struct CrossEntropyOptions {
    /// Rows with this label count for nothing: neither in the sum nor in the mean.
    std::int64_t ignore_index = -100;
    /// The share of the target distribution that is spread evenly over all classes.
    double label_smoothing = 0;
    /// mean: over the rows that count, each as often as its label weighs; 0 if there is none. none: the loss of each
    /// row, 0 of one that does not count, composed of ops: the sum and the mean store no probabilities.
    Reduction reduction = Reduction::mean;
    /// How much each class counts, [V] of the logits' dtype, 0 or more; undefined: 1. A constant.
    Tensor weight = {};
};

/// Cross entropy of rows of logits [.., V] with class labels, int64 or int32 [..] -> [], or with Reduction::none [..]:
///     -sum_v q_v log_softmax(logits)_v,  q_v = weight_v ((1 - s) one_hot(label)_v + s / V),
/// and the mean is over the sum of weight_label. Derivative by the logits: softmax(logits) sum(q) - q, over that sum
/// for the mean. Throws ValueError for a label outside [0, V), a smoothing outside [0, 1], a weight that is not a
/// finite number of 0 or more, ShapeError if the labels do not fit the rows, or the weights the classes, DtypeError
/// unless the logits are float32 or float64, the weights of their dtype and the labels int64 or int32,
/// NotDifferentiableError for a gradient by the weights, which the losses of single rows alone have.
Tensor cross_entropy(const Input& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

struct CrossEntropy {
    static constexpr std::string_view name = "cross_entropy";
    static constexpr OpDoc doc{"cross_entropy(logits, labels, options = {})", "[.., V], int64 [..] -> [], or [..]",
                               "-Σ q log_softmax(logits), the mean over the rows that count; q is 1 at the label",
                               "(softmax(logits) Σ q - q) ct / n for the n rows that count, 0 for the others"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 3> operands{"logits", "labels", "weight"};
    CrossEntropyOptions options;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
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
