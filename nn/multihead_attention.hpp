#pragma once

#include <wengert/nn/dropout.hpp>
#include <wengert/nn/linear.hpp>

namespace WENGERT_EXPORT wengert {

struct MultiHeadOptions {
    double dropout = 0;     ///< on the weights
    bool bias = true;       ///< in_proj_bias and out_proj.bias
    std::int64_t kdim = 0;  ///< features of the keys' states; 0: E
    std::int64_t vdim = 0;  ///< features of the values' states; 0: E
};

/// What a call of MultiHeadAttention may ask for.
struct AttendOptions {
    bool causal = false;         ///< whether a query sees no position after its own
    Generator* noise = nullptr;  ///< of dropout; without one there is none
    bool need_weights = true;    ///< without them the scores of all queries are not held
    /// PyTorch's: bool, true where a query must *not* look (the functions' masks are the other way round), or what is
    /// added to the scores, of their dtype; it has a gradient then. It is [T, S], or four axes that broadcast to
    /// [B, heads, T, S].
    Tensor attn_mask = {};
};

/// Scaled dot-product attention in several heads (Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762).
/// Each head has its own E / heads = d features of the projections:
///
///     q = W_q x + b_q,  k = W_k key + b_k,  v = W_v value + b_v
///     weights = softmax(q . k / sqrt(d)), exactly 0 where the query must not look
///     y       = W_o [weights v of each head] + b_o
///
/// Parameters have PyTorch's names, layout and initial values (Glorot's uniform for the projections, biases 0): one
/// in_proj_weight of W_q, W_k, W_v if all read E features, else three.
///
/// For self-attention the memory is of the queries' own states. Step by step it grows: extend() adds a step's keys and
/// values to those of the steps before.
struct MultiHeadAttention {
    Tensor in_proj_weight;   ///< [3E, E]: W_q, W_k, W_v one after another; undefined if kdim or vdim is not E
    Tensor q_proj_weight;    ///< [E, E]; if kdim or vdim is not E, as are the next two
    Tensor k_proj_weight;    ///< [E, kdim]
    Tensor v_proj_weight;    ///< [E, vdim]
    Tensor in_proj_bias;     ///< [3E], or undefined
    Linear out_proj;         ///< W_o [E, E] and b_o [E]
    std::int64_t heads = 1;  ///< how many heads share the features
    double dropout = 0;      ///< the probability that a weight is 0, if a call has a source of noise

    /// What queries look at, already projected.
    struct Memory {
        Tensor keys;     ///< [B, heads, S, d]
        Tensor values;   ///< [B, heads, S, d]
        Tensor padding;  ///< [B, S], 1 where there is no token; undefined if all rows are full

        /// What has a row for each source.
        void visit(auto&& f) {
            f("keys", keys);
            f("values", values);
            f("padding", padding);
        }
    };
    /// What queries get.
    struct Result {
        Tensor outputs;  ///< [B, T, E]
        Tensor weights;  ///< [B, heads, T, S], after dropout, or undefined; PyTorch's are the mean over the heads
    };

    MultiHeadAttention() = default;
    /// Throws ValueError unless the numbers are 1 or more, the heads divide E, and 0 <= dropout < 1.
    MultiHeadAttention(std::int64_t embed_dim, std::int64_t num_heads, Generator& generator,
                       const MultiHeadOptions& options = {});

    /// key [B, S, kdim], value [B, S, vdim]; lengths int64 [B], or PyTorch's key_padding_mask, bool [B, S], true where
    /// there is no token, or Tensor() if all rows are full. Throws ShapeError if they do not fit, ValueError unless 0
    /// <= length <= S, and if the layer has no parameters, DtypeError for lengths that are no int64 or int32.
    Memory remember(const Input& key, const Input& value, const Tensor& lengths) const;
    /// The same of states [B, S, E] that are both.
    Memory remember(const Input& states, const Tensor& lengths = {}) const { return remember(states, states, lengths); }
    /// The memory `past`, which may be empty, with the states [B, n, E] of n more steps at its end. Throws ShapeError
    /// if they do not fit, ValueError if `past` has padding and if the layer has no parameters.
    Memory extend(const Memory& past, const Input& states) const;

    /// query [B, T, E].  With `causal`, query t sees the positions up to S - T + t: the last query all of them. A query
    /// that may look at nothing gets b_o. Throws ShapeError if they do not fit, and for causal unless T <= S,
    /// ValueError if the memory is empty and if the layer has no parameters, DtypeError for an attn_mask that is
    /// neither bool nor of the query's dtype.
    Result operator()(const Input& query, const Memory& memory, const AttendOptions& options = {}) const;

    void visit(auto&& f) {
        f("in_proj_weight", in_proj_weight);
        f("q_proj_weight", q_proj_weight);
        f("k_proj_weight", k_proj_weight);
        f("v_proj_weight", v_proj_weight);
        f("in_proj_bias", in_proj_bias);
        f("out_proj", out_proj);
    }

  private:
    void require_parameters(const SourceLine& where) const;
    Tensor project(const Input& x, int first, int count) const;
    Tensor by_heads(const Tensor& x) const;
};

}  // namespace wengert
