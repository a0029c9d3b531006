#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/products/precision.hpp>

namespace wengert {

enum class Reduction { mean, sum };

struct CrossEntropyOptions {
    /// Rows with this label count for nothing: neither in the sum nor in the mean.
    std::int64_t ignore_index = -100;
    /// The share of the target distribution that is spread evenly over all classes.
    double label_smoothing = 0;
    /// mean: over the rows that count; 0 if there is none.
    Reduction reduction = Reduction::mean;
};

/// Cross entropy of rows of logits [.., V] with class labels, int64 [..] -> []:
///     -sum_v q_v log_softmax(logits)_v,  q = (1 - s) one_hot(label) + s / V.
/// Derivative by the logits: (softmax(logits) - q), over the number of rows for the mean. Throws ValueError for a label
/// outside [0, V) and a smoothing outside [0, 1], ShapeError if the labels do not fit the rows.
Tensor cross_entropy(const Input& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

/// cross_entropy(linear(x, weight, bias), labels, options) of rows x [.., in] (two axes or more) with weight [V, in],
/// bias [V] and labels int64 [..] -> [], without the logits of all rows: some `chunk` elements of them are held at a
/// time, one row's at least. Rows that do not count are left out of the products. If a tape follows x, weight or bias,
/// their gradients are computed along with the loss, while a chunk's logits are there. Throws what linear() and
/// cross_entropy() throw, ShapeError for any other bias, ValueError for a chunk below 1.
Tensor linear_cross_entropy(const Input& x, const Input& weight, const Input& bias, const Tensor& labels,
                            const CrossEntropyOptions& options = {}, std::int64_t chunk = 1 << 22);

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

/// Behind its four operands stand three tensors that forward() fills with the gradients by x, weight and bias under a
/// cotangent of 1; one without elements is not asked for. As operands they are kept for the rule, and let go of, like
/// whatever else a node saves.
struct LinearCrossEntropy {
    static constexpr std::string_view name = "linear_cross_entropy";
    static constexpr OpDoc doc{
        "linear_cross_entropy(x, weight, bias, labels, options = {}, chunk = 1 << 22)",
        "[.., k] of two axes or more, [V, k], [V], int64 [..] -> []",
        "cross_entropy(linear(x, weight, bias), labels, options), without the logits of all rows",
        "theirs, computed along with the loss"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 4> operands{"x", "weight", "bias", "labels"};
    CrossEntropyOptions options;
    std::int64_t chunk;
    Precision precision = ProductPrecision::current();
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

}  // namespace wengert
