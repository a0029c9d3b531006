#pragma once

#include <wengert/nn/linear.hpp>

namespace WENGERT_EXPORT wengert {

/// Additive attention (Bahdanau et al. 2015, arXiv:1409.0473): of a decoder's state over the encoder's states.
///
///     score_s = v . tanh(W_q state + b + W_k memory_s)
///     weights = softmax(scores), exactly 0 at padded positions
///     context = sum_s weights_s memory_s
struct BahdanauAttention {
    Linear query;  ///< W_q [A, H] and b [A]
    Linear key;    ///< W_k [A, M]
    Linear score;  ///< v [1, A]

    /// What a batch's encoder states are looked up by; the keys are projected once.
    struct Memory {
        Tensor states;   ///< [B, S, M]
        Tensor keys;     ///< [B, S, A]
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

    BahdanauAttention() = default;
    /// Throws ValueError unless the numbers of features are 1 or more.
    BahdanauAttention(std::int64_t state, std::int64_t memory, std::int64_t attention, Generator& generator)
        : query(state, attention, generator),
          key(memory, attention, generator, false),
          score(attention, 1, generator, false) {
        name_parameters(*this);
    }

    /// states [B, S, M]; lengths int64 [B], or bool [B, S], true where there is no token, or undefined if all rows are
    /// full. Throws ShapeError if they do not fit, ValueError unless 0 <= length <= S, and if the layer has no
    /// parameters.
    Memory remember(const Input& states, const Tensor& lengths = {}) const;
    /// state [B, H].  Throws ShapeError unless the memory is of as many rows (or either has one), ValueError if it is
    /// empty and if the layer has no parameters.
    Result operator()(const Input& state, const Memory& memory) const;

    void visit(auto&& f) {
        f("query", query);
        f("key", key);
        f("score", score);
    }
};

}  // namespace wengert
