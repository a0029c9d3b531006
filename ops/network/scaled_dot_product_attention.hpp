#pragma once

#include <optional>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/random/random.hpp>

namespace WENGERT_EXPORT wengert {

struct DotProductOptions {
    /// What is added to the scores, minus infinity where a query must not look; or bool, true where it may. It
    /// broadcasts to [.., Tq, Tk].
    Tensor mask = {};
    /// Whether query t sees no key after number Tk - Tq + t: the last query sees all. PyTorch's, which counts from the
    /// first instead, is the same if there are as many queries as keys.
    bool causal = false;
    /// What the products are multiplied by. Default: 1 / sqrt(D).
    std::optional<double> scale = {};
    /// The share of the weights that is dropped; the others are divided by 1 - dropout.
    double dropout = 0;
    /// Of dropout; without one there is none.
    Generator* noise = nullptr;
};

/// Scaled dot-product attention (Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762) of queries
/// q [.., Tq, D] to keys k [.., Tk, D] with values v [.., Tk, E] -> [.., Tq, E]; leading axes broadcast:
///
///     softmax(scale q k^T + mask) v
///
/// The scores of some query rows are held at a time, in forward and in backward, which computes them anew; those of all
/// if they take no more room than q, k and v, if the pass is recorded, and if the mask has a gradient. A query that may
/// look at nothing gets zeros. A masked key weighs exactly 0, so that its value counts only if it is not finite.
/// Derivative, with weights p: p^T ct by v, and with s = p (ct v^T - sum(p ct v^T)): scale s k by q, scale s^T q by k,
/// s by the mask. Throws ShapeError if the shapes do not fit, and for causal unless Tq <= Tk, DtypeError if the
/// operands are not float32 or float64 and alike, but for a mask of bool, ValueError unless 0 <= dropout < 1.
Tensor scaled_dot_product_attention(const Input& q, const Input& k, const Input& v,
                                    const DotProductOptions& options = {});

/// Of operands with the same leading axes; the mask, if there is one, has the scores' shape. Its workspace are the
/// weights of all queries, if they take no more room than q, k and v.
struct DotProductAttention {
    static constexpr std::string_view name = "scaled_dot_product_attention";
    static constexpr OpDoc doc{"scaled_dot_product_attention(q, k, v, options = {})",
                               "[.., Tq, D], [.., Tk, D], [.., Tk, E] -> [.., Tq, E]",
                               "p v, p = softmax(scale q kᵀ + mask), in memory of the operands' size",
                               "scale s k; scale sᵀ q; pᵀ ct; s by the mask; s = p (ct vᵀ - Σ p ct vᵀ)"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t workspace = 1;
    static constexpr std::array<std::string_view, 4> operands{"q", "k", "v", "mask"};
    double scale;
    bool causal;
    double dropout;   ///< 0 if there is no noise
    Generator noise;  ///< where the numbers of dropout begin
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out, const Workspace& workspace) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using AttentionOps = OpList<
    DotProductAttention>;
// clang-format on
template <class Op>
requires is_in<Op, AttentionOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
