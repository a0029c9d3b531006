#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/products/precision.hpp>

namespace WENGERT_EXPORT wengert {

/// cross_entropy(linear(x, weight, bias), labels, options) of rows x [.., in] (two axes or more) with weight [V, in],
/// bias [V] and labels int64 [..] -> [], without the logits of all rows: some `chunk` elements of them are held at a
/// time, one row's at least. Rows that do not count are left out of the products. If a tape follows x, weight or bias,
/// their gradients are computed along with the loss, while a chunk's logits are there. Throws what linear() and
/// cross_entropy() throw, ShapeError for any other bias, ValueError for a chunk below 1 and for Reduction::none.
Tensor linear_cross_entropy(const Input& x, const Input& weight, const Input& bias, const Tensor& labels,
                            const CrossEntropyOptions& options = {}, std::int64_t chunk = 1 << 22);

/// Its workspace are the gradients by x, weight and bias under a cotangent of 1.
struct LinearCrossEntropy {
    static constexpr std::string_view name = "linear_cross_entropy";
    static constexpr OpDoc doc{
        "linear_cross_entropy(x, weight, bias, labels, options = {}, chunk = 1 << 22)",
        "[.., k] of two axes or more, [V, k], [V], int64 [..] -> []",
        "cross_entropy(linear(x, weight, bias), labels, options), without the logits of all rows",
        "theirs, computed along with the loss"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t workspace = 3;
    static constexpr std::array<std::string_view, 5> operands{"x", "weight", "bias", "labels", "class weights"};
    CrossEntropyOptions options;
    std::int64_t chunk;
    Precision precision;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out, const Workspace& workspace) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using LinearLossOps = OpList<
    LinearCrossEntropy>;
// clang-format on
template <class Op>
requires is_in<Op, LinearLossOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
