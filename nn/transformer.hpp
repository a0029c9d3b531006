#pragma once

#include <wengert/nn/layer_norm.hpp>
#include <wengert/nn/multihead_attention.hpp>

/// The layers of the Transformer (Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762), with PyTorch's
/// parameter names and defaults. Sequences are [B, T, E] throughout, PyTorch's batch_first. Around each sublayer f,
///
///     x' = norm(x + dropout(f(x)))           or, with norm_first,  x' = x + dropout(f(norm(x)))
///
/// (the second: Xiong et al. 2020, arXiv:2002.04745), and the feed-forward sublayer is
///
///     f(x) = W_2 dropout(activation(W_1 x + b_1)) + b_2
///
/// Dropout needs a source of noise; without one there is none.
namespace WENGERT_EXPORT wengert {

/// What stands between the two products of a feed-forward sublayer.
enum class FeedForwardActivation { relu, gelu };

struct TransformerOptions {
    std::int64_t dim_feedforward = 2048;  ///< the features between the two products of the feed-forward sublayer
    double dropout = 0.1;                 ///< the probability that an element is 0, if a call has a source of noise
    FeedForwardActivation activation = FeedForwardActivation::relu;  ///< between the two products
    double layer_norm_eps = 1e-5;                                    ///< the eps of all norms
    bool norm_first = false;  ///< whether a sublayer's norm stands before it (pre-norm) or behind its sum
    bool final_norm = true;   ///< whether a stack ends with a norm; layers have no use for it
};

/// Self-attention and the feed-forward sublayer.
struct TransformerEncoderLayer {
    MultiHeadAttention self_attn;  ///< the attention of each position over all of them
    Linear linear1;                ///< W_1 [dim_feedforward, E] and b_1
    Linear linear2;                ///< W_2 [E, dim_feedforward] and b_2
    LayerNorm norm1, norm2;        ///< of self-attention and of the feed-forward sublayer
    TransformerOptions options;    ///< with which it was made

    TransformerEncoderLayer() = default;
    /// Throws ValueError unless the numbers are 1 or more, the heads divide E = d_model, and 0 <= dropout < 1.
    TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
                            const TransformerOptions& options = {});

    /// x [B, T, E] -> [B, T, E]; lengths int64 [B], or a mask as MultiHeadAttention::remember() has it, or undefined if
    /// all rows are full. No real position sees padding; what comes out at padding means nothing. PyTorch's src_mask is
    /// attend.attn_mask. Throws ShapeError if they do not fit, ValueError unless 0 <= length <= T, and if the layer has
    /// no parameters.
    Tensor operator()(const Input& x, const Tensor& lengths = {}, const AttendOptions& attend = {}) const;

    void visit(auto&& f) {
        f("self_attn", self_attn);
        f("linear1", linear1);
        f("linear2", linear2);
        f("norm1", norm1);
        f("norm2", norm2);
    }
};

/// A stack of encoder layers: layers.0, layers.1, ... and the final norm.
struct TransformerEncoder {
    std::vector<TransformerEncoderLayer> layers;  ///< in the order in which they are applied
    LayerNorm norm;                               ///< without parameters if there is no final norm

    TransformerEncoder() = default;
    /// Throws ValueError unless there is a layer, and what a layer does.
    TransformerEncoder(std::int64_t d_model, std::int64_t nhead, int num_layers, Generator& generator,
                       const TransformerOptions& options = {});

    /// As a layer's call, and throws what that does.
    Tensor operator()(const Input& x, const Tensor& lengths = {}, const AttendOptions& attend = {}) const;

    void visit(auto&& f) {
        for (std::size_t i = 0; i < layers.size(); ++i) f("layers." + std::to_string(i), layers[i]);
        f("norm", norm);
    }
};

/// PyTorch's tgt_mask and memory_mask, as AttendOptions has its attn_mask. The target's positions are causal anyhow.
struct DecoderMasks {
    Tensor target;  ///< of scores [B, heads, T, T]; with steps before, [B, heads, T, all steps]
    Tensor memory;  ///< of scores [B, heads, T, S]
};

/// Causal self-attention, attention over the encoder's states, and the feed-forward sublayer.
///
/// A target needs no lengths: padding at its end is later than every real position, so that none sees it. That before
/// its beginning is hidden by a mask.
struct TransformerDecoderLayer {
    MultiHeadAttention self_attn, multihead_attn;  ///< over the target's own positions, and over the encoder's states
    Linear linear1;                                ///< W_1 [dim_feedforward, E] and b_1
    Linear linear2;                                ///< W_2 [E, dim_feedforward] and b_2
    LayerNorm norm1, norm2, norm3;                 ///< of the three sublayers, in their order
    TransformerOptions options;                    ///< with which it was made

    /// What one step of decoding computes.
    struct Step {
        Tensor outputs;                   ///< [B, T, E]
        MultiHeadAttention::Memory past;  ///< the self-attention's keys and values of all steps so far
        Tensor weights;                   ///< [B, heads, T, S]: of the attention over the encoder's states
    };

    TransformerDecoderLayer() = default;
    /// Throws ValueError unless the numbers are 1 or more, the heads divide E = d_model, and 0 <= dropout < 1.
    TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
                            const TransformerOptions& options = {});

    /// The keys and values of the encoder's states [B, S, E], once for all steps; lengths int64 [B], or a mask, or
    /// undefined if all rows are full. Throws what MultiHeadAttention::remember() does.
    MultiHeadAttention::Memory remember(const Input& states, const Tensor& lengths = {}) const {
        return multihead_attn.remember(states, lengths);
    }
    /// The next steps x [B, T, E] after those that `past` knows; an empty `past` knows none. All steps at once are the
    /// same as one after another. Throws ShapeError if they do not fit, ValueError if the memory is empty and if the
    /// layer has no parameters.
    Step step(const Input& x, const MultiHeadAttention::Memory& memory, const MultiHeadAttention::Memory& past,
              Generator* noise = nullptr, const DecoderMasks& masks = {}) const;
    /// All steps at once: x [B, T, E] -> [B, T, E]. Throws what step() throws.
    Tensor operator()(const Input& x, const MultiHeadAttention::Memory& memory, Generator* noise = nullptr,
                      const DecoderMasks& masks = {}) const {
        return step(x, memory, {}, noise, masks).outputs;
    }

    void visit(auto&& f) {
        f("self_attn", self_attn);
        f("multihead_attn", multihead_attn);
        f("linear1", linear1);
        f("linear2", linear2);
        f("norm1", norm1);
        f("norm2", norm2);
        f("norm3", norm3);
    }
};

/// A stack of decoder layers: layers.0, layers.1, ... and the final norm.
///
///     const auto memory = decoder.remember(states, lengths);       // once for each sentence
///     TransformerDecoder::Past past;                               // of no step
///     for (...) {
///         auto [outputs, next, weights] = decoder.step(x, memory, past);  // x [B, 1, E]
///         past = next;
///     }
struct TransformerDecoder {
    std::vector<TransformerDecoderLayer> layers;  ///< in the order in which they are applied
    LayerNorm norm;                               ///< without parameters if there is no final norm

    using Memory = std::vector<MultiHeadAttention::Memory>;  ///< one for each layer
    using Past = std::vector<MultiHeadAttention::Memory>;    ///< one for each layer, or none before the first step
    /// What one step of decoding computes.
    struct Step {
        Tensor outputs;  ///< [B, T, E]
        Past past;       ///< for the next step
        Tensor weights;  ///< [B, heads, T, S]: the last layer's attention over the encoder's states
    };

    TransformerDecoder() = default;
    /// Throws ValueError unless there is a layer, and what a layer does.
    TransformerDecoder(std::int64_t d_model, std::int64_t nhead, int num_layers, Generator& generator,
                       const TransformerOptions& options = {});

    /// As a layer's remember(), for all layers.
    Memory remember(const Input& states, const Tensor& lengths = {}) const;
    /// As a layer's step(), through all layers. Throws ValueError unless the memory is one for each layer and so is
    /// `past`, if it is not empty, and what a layer does.
    Step step(const Input& x, const Memory& memory, const Past& past, Generator* noise = nullptr,
              const DecoderMasks& masks = {}) const;
    /// All steps at once: x [B, T, E] -> [B, T, E]. Throws what step() throws.
    Tensor operator()(const Input& x, const Memory& memory, Generator* noise = nullptr,
                      const DecoderMasks& masks = {}) const {
        return step(x, memory, {}, noise, masks).outputs;
    }

    void visit(auto&& f) {
        for (std::size_t i = 0; i < layers.size(); ++i) f("layers." + std::to_string(i), layers[i]);
        f("norm", norm);
    }
};

}  // namespace wengert
