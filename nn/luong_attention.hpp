#pragma once

#include <wengert/nn/linear.hpp>

/// Multiplicative attention and its local forms (Luong et al. 2015, Effective approaches to attention-based neural
/// machine translation, arXiv:1508.04025). In the paper's decoder the state is that of the current step, after the
/// cell, and what the output layer reads is tanh(W_c [context; state]).
namespace WENGERT_EXPORT wengert {

/// How a state h is compared with a position's state m.
enum class LuongScore {
    dot,      ///< h . m
    general,  ///< h . (W m)
    concat,   ///< v . tanh(W_q h + W_k m), which is v . tanh(W [h; m])
};

struct LuongOptions {
    LuongScore score = LuongScore::general;  ///< how states are compared
    std::int64_t attention = 0;              ///< A, the features of `concat`; 0: as many as the state has
};

/// Global attention: of a decoder's state over all of the encoder's states.
///
///     weights = softmax(scores), exactly 0 at padded positions
///     context = sum_s weights_s memory_s
struct LuongAttention {
    Linear query;                           ///< W_q [A, H]; concat only
    Linear key;                             ///< W [H, M] of general, W_k [A, M] of concat
    Linear score;                           ///< v [1, A]; concat only
    LuongScore kind = LuongScore::general;  ///< how states are compared

    /// What a batch's encoder states are looked up by; the keys are projected once.
    struct Memory {
        Tensor states;   ///< [B, S, M]
        Tensor keys;     ///< [B, S, H], or [B, S, A] for concat
        Tensor padding;  ///< [B, S], 1 where there is no token; undefined if all rows are full

        /// What has a row for each source.
        void visit(auto&& f) {
            f("states", states);
            f("keys", keys);
            f("padding", padding);
        }
    };
    /// What a query gets.
    struct Result {
        Tensor context;  ///< [B, M]
        Tensor weights;  ///< [B, S]
    };

    LuongAttention() = default;
    /// Throws ValueError unless the numbers of features are 1 or more and, for dot, equal.
    LuongAttention(std::int64_t state, std::int64_t memory, Generator& generator, const LuongOptions& options = {});

    /// states [B, S, M]; lengths int64 [B], or bool [B, S], true where there is no token, or undefined if all rows are
    /// full. Throws ShapeError if they do not fit, ValueError unless 0 <= length <= S, and if the layer has no
    /// parameters.
    Memory remember(const Input& states, const Tensor& lengths = {}) const;
    /// state [B, H].  Throws ShapeError unless the memory is of as many rows (or either has one) and of H features,
    /// ValueError if it is empty and if the layer has no parameters.
    Result operator()(const Input& state, const Memory& memory) const;
    /// The scores alone, padding included: state [B, H] -> [B, S]. Throws what the call throws.
    Tensor scores(const Input& state, const Memory& memory) const;

    void visit(auto&& f) {
        f("query", query);
        f("key", key);
        f("score", score);
    }
};

/// Local attention around the position of the step, local-m: the source positions t - D ... t + D of step t, as if the
/// translation went along with the source.
///
/// Of the window only what lies inside of the sentence counts: the softmax is over its real positions, and all others
/// weigh exactly 0. If there is none, because the step is further than D behind the end of a row, the row's weights and
/// context are 0.
struct LocalMonotonicAttention {
    LuongAttention content;    ///< the scores of a window's positions
    std::int64_t window = 10;  ///< D

    /// As LuongAttention's.
    using Memory = LuongAttention::Memory;
    /// As LuongAttention's.
    using Result = LuongAttention::Result;

    LocalMonotonicAttention() = default;
    /// Throws ValueError unless the window is 1 or more, and what LuongAttention does.
    LocalMonotonicAttention(std::int64_t state, std::int64_t memory, std::int64_t window, Generator& generator,
                            const LuongOptions& options = {});

    /// As LuongAttention::remember(). Throws ValueError for a mask with padding before a token, too.
    Memory remember(const Input& states, const Tensor& lengths = {}) const;
    /// state [B, H] of step t, counted from 0. Throws ValueError for a negative step, and what LuongAttention does.
    Result operator()(const Input& state, const Memory& memory, std::int64_t step) const;
    /// The same where each row is at a step of its own: [B, 1], of the state's dtype. Throws ShapeError for others, and
    /// what LuongAttention does.
    Result operator()(const Input& state, const Memory& memory, const Tensor& steps) const;

    void visit(auto&& f) { f("content", content); }
};

/// Local attention around a position that the state predicts, local-p:
///
///     p       = S sigmoid(v_p . tanh(W_p h)), S the length of the row without its padding
///     weights = softmax(scores) exp(-(s - p)^2 / (2 sigma^2)),  sigma = D / 2
///
/// The softmax is over the real positions s with p - D <= s <= p + D, counted from 0; all others weigh exactly 0. The
/// weights are not normalised again, so that they sum to less than 1. p is differentiable: gradients reach it through
/// the Gaussian. Which positions the window has is taken as constant; where it changes, the weights jump. A row of
/// length 0 has weights and context 0.
struct LocalPredictiveAttention {
    LuongAttention content;    ///< the scores of a window's positions
    Linear position_hidden;    ///< W_p [H, H]
    Linear position_score;     ///< v_p [1, H]
    std::int64_t window = 10;  ///< D

    /// What a batch's encoder states are looked up by.
    struct Memory {
        LuongAttention::Memory content;  ///< their states and keys
        Tensor lengths;                  ///< [B, 1], S as numbers of the states' dtype

        /// What has a row for each source.
        void visit(auto&& f) {
            f("content", content);
            f("lengths", lengths);
        }
    };
    /// What a query gets.
    struct Result {
        Tensor context;   ///< [B, M]
        Tensor weights;   ///< [B, S]
        Tensor position;  ///< [B, 1]: p
    };

    LocalPredictiveAttention() = default;
    /// Throws ValueError unless the window is 1 or more, and what LuongAttention does.
    LocalPredictiveAttention(std::int64_t state, std::int64_t memory, std::int64_t window, Generator& generator,
                             const LuongOptions& options = {});

    /// As LocalMonotonicAttention::remember().
    Memory remember(const Input& states, const Tensor& lengths = {}) const;
    /// state [B, H].  Throws what LuongAttention does.
    Result operator()(const Input& state, const Memory& memory) const;

    void visit(auto&& f) {
        f("content", content);
        f("position_hidden", position_hidden);
        f("position_score", position_score);
    }
};

}  // namespace wengert
