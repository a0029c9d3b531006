#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Normalisations: (x - mean) / sqrt(variance + eps) * weight + bias, where the mean and the variance, divided by n,
/// are those of a part of x. Weights and biases may be undefined tensors, which count as 1 and 0. Derivatives: of the
/// formula, to any order. Throw ShapeError if the operands do not fit, DtypeError unless they are of one floating type,
/// ValueError unless eps is 0 or more.
namespace WENGERT_EXPORT wengert {

/// Of each row, over the last axis (Ba et al. 2016, arXiv:1607.06450): x [.., n], weight and bias [n] -> [.., n].
Tensor layer_norm(const Input& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);

/// x / sqrt(mean of x² + eps) * weight over the last axis (Zhang and Sennrich 2019, arXiv:1910.07467): x [.., n],
/// weight [n] -> [.., n]. PyTorch's default for eps is that of float32: the distance from 1 to the next number.
Tensor rms_norm(const Input& x, const Tensor& weight, double eps = 0x1p-23);

/// What both are, and group_norm() over its groups as rows: one pass over the rows forward, one backward. Operands: x,
/// then the weight and the bias, if they are defined. The mean is 0 unless `centered`.
template <bool centered>
struct NormalisedRows {
    static constexpr std::string_view name = centered ? "layer_norm" : "rms_norm";
    static constexpr OpDoc doc =
        centered ? OpDoc{"layer_norm(x, weight, bias, eps = 1e-5)", "[.., n], [n], [n] -> [.., n]",
                         "y weight + bias, y = (x - mean) / √(variance + eps) of each row",
                         "(g - mean of g - y mean of g y) / √(variance + eps), g = ct weight; Σ ct y; Σ ct"}
                 : OpDoc{"rms_norm(x, weight, eps = 2⁻²³)", "[.., n], [n] -> [.., n]",
                         "y weight, y = x / √(mean of x² + eps) of each row",
                         "(g - y mean of g y) / √(mean of x² + eps), g = ct weight; Σ ct y"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t workspace = 1;  ///< each row's mean and scale 1 / √(variance + eps)
    double eps;
    bool has_weight;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out, const Workspace& workspace) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// Of each example and each group of channels (Wu and He 2018, arXiv:1803.08494): x [B, C, ..], weight and bias [C] ->
/// the same. Throws ValueError unless groups is 1 or more.
Tensor group_norm(const Input& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps = 1e-5);

/// Of each channel over the batch (Ioffe and Szegedy 2015, arXiv:1502.03167): x [B, C, ..], weight and bias [C] -> the
/// same, with the mean and the variance [C] that it found, for statistics of a whole training. Derivatives take the
/// statistics as what they are, functions of x. Throws ShapeError, too, for fewer than two elements of a channel.
struct BatchNormalised {
    Tensor outputs, mean, variance;  ///< the result, and [C] each of the channels
};
BatchNormalised batch_norm(const Input& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);

/// The same by a mean and a variance [C] that are given.
Tensor batch_norm(const Input& x, const Tensor& mean, const Tensor& variance, const Tensor& weight, const Tensor& bias,
                  double eps = 1e-5);

// clang-format off
using NormalisationOps = OpList<
    NormalisedRows<true>,
    NormalisedRows<false>>;
// clang-format on
template <class Op>
requires is_in<Op, NormalisationOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
