#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/network/reduction.hpp>

namespace WENGERT_EXPORT wengert {

struct CtcOptions {
    std::int64_t blank = 0;  ///< the class that stands for no label
    /// none: [B]. mean: each loss over its target's length, or 1 if that is 0, and then the mean over the batch.
    Reduction reduction = Reduction::mean;
    /// Whether the loss of a target that its input cannot spell, which is infinite, counts as 0 and has no gradient.
    bool zero_infinity = false;
};

/// Connectionist temporal classification (Graves et al. 2006): -ln of the probability that the frames spell the target,
/// summed over every path of one class a frame that is the target once repeated classes are one and blanks are left
/// out. Logarithms of probabilities [T, B, C], targets int64 [B, S], input_lengths and target_lengths int64 [B] -> []
/// or, with Reduction::none, [B]. What stands after a row's lengths is not read. The sums are of float64; those of a
/// recorded pass are of the operands' dtype.
///
/// Derivative by the logarithm of class c at frame t: minus the probability that a path which spells the target is
/// there; to any order. PyTorch's has e^x added, which a log_softmax before it takes away again. An infinite loss has
/// the gradient 0; PyTorch's is NaN. Throws ShapeError if the shapes do not fit, DtypeError for other dtypes,
/// ValueError for a length outside [0, T] or [0, S], a blank or label outside [0, C), and a label that is the blank.
Tensor ctc_loss(const Input& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcOptions& options = {});

/// The loss of each row of the batch: [B].
struct CtcLoss {
    static constexpr std::string_view name = "ctc_loss";
    static constexpr OpDoc doc{"ctc_loss(log_probs, targets, input_lengths, target_lengths, options = {})",
                               "[T, B, C], int64 [B, S], [B], [B] -> []",
                               "-ln Σ over the paths that spell the target ∏ of their probabilities",
                               "-ct times the probability of being in class c at frame t on such a path"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 4> operands{"log_probs", "targets", "input_lengths",
                                                              "target_lengths"};
    std::int64_t blank;
    bool zero_infinity;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using CtcOps = OpList<
    CtcLoss>;
// clang-format on
template <class Op>
requires is_in<Op, CtcOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
