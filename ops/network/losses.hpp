#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/network/reduction.hpp>

/// Losses of one element each, as one fused sum: x and target [..] -> [], or with Reduction::none [..]. They differ in
/// nothing from PyTorch's but that shapes never broadcast: a target [B] beside x [B, 1] is a fault, not a [B, B]. They
/// are formulas, so that different dtypes become one as in map(): labels of int64 beside float32 are float32. Throw
/// ShapeError if the shapes differ, DtypeError if neither is floating.
namespace WENGERT_EXPORT wengert {

/// (x - target)².
Tensor mse_loss(const Input& x, const Input& target, Reduction reduction = Reduction::mean);

/// |x - target|. Derivative where they are equal: 0.
Tensor l1_loss(const Input& x, const Input& target, Reduction reduction = Reduction::mean);

/// With d = x - target: d² / 2 where |d| <= delta, else delta (|d| - delta / 2) (Huber 1964). Throws ValueError unless
/// delta is above 0.
Tensor huber_loss(const Input& x, const Input& target, double delta = 1, Reduction reduction = Reduction::mean);

/// -target ln s - (1 - target) ln(1 - s) with s = 1 / (1 + e^-x), which no logit makes overflow. Targets are
/// probabilities; what stands for target = 1 counts `positive_weight` times.
Tensor binary_cross_entropy_with_logits(const Input& x, const Input& target, double positive_weight = 1,
                                        Reduction reduction = Reduction::mean);

/// target (ln target - x), x the logarithms of probabilities, 0 where target is 0. The mean is over all elements; that
/// of the divergences of a batch's rows is Reduction::batchmean.
Tensor kl_div(const Input& x, const Input& target, Reduction reduction = Reduction::mean);

/// max(0, margin - target x), targets -1 or 1. Derivative at the edge: 0.
Tensor hinge_loss(const Input& x, const Input& target, double margin = 1, Reduction reduction = Reduction::mean);

struct NllOptions {
    std::int64_t ignore_index = -100;       ///< rows with this label count for nothing
    Reduction reduction = Reduction::mean;  ///< over the sum of the labels' weights; 0 if that is 0
    Tensor weight = {};                     ///< how much each class counts, [C]; undefined: 1
};

/// -weight[label] x[.., label] of the logarithms of probabilities x [.., C] and labels int64 or int32 [..] -> [], or
/// [..] with Reduction::none. Derivative by x: -ct weight[label] at the labels; the weights have theirs. Throws
/// ValueError for a label outside [0, C), ShapeError for labels or weights of another shape, DtypeError for labels that
/// are no int64 or int32.
Tensor nll_loss(const Input& x, const Tensor& labels, const NllOptions& options);
Tensor nll_loss(const Input& x, const Tensor& labels, Reduction reduction = Reduction::mean);

/// Σ x y / (max(|x|, epsilon) max(|y|, epsilon)) over an axis of the shape to which x and y broadcast: [.., n, ..],
/// [.., n, ..] -> [.., ..]. So [m, 1, n] and [k, n] are compared each with each. Different dtypes become one as in
/// map(). Throws ShapeError if they do not broadcast, or for an axis that the result of that does not have, DtypeError
/// unless both are float32 or float64.
Tensor cosine_similarity(const Input& x, const Input& y, int axis = -1, double epsilon = 1e-8);

}  // namespace wengert
