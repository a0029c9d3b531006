#pragma once

#include <wengert/nn/nn.hpp>

namespace wengert {

/// Writes target sentences: each step attends with the previous state, and a GRU cell reads [embedding; context].
struct Decoder {
    Embedding embedding;
    BahdanauAttention attention;
    GruCell cell;
    Linear output;

    /// What all steps use.
    struct Memory {
        BahdanauAttention::Memory attended;
        Tensor context_weight;  ///< [3H, M]: the part of cell.weight_ih that the context meets
    };
    struct Step {
        Tensor state;    ///< [B, H]
        Tensor weights;  ///< [B, S]: attention over the source
    };
    struct Outputs {
        Tensor states;   ///< [B, T, H]: what the output layer reads
        Tensor weights;  ///< [B, T, S]
    };
    struct Result {
        Tensor logits;   ///< [B, T, V]
        Tensor weights;  ///< [B, T, S]
    };

    Decoder() = default;
    /// `memory` is the number of features of an encoder output, `attention_size` that of keys and queries.
    Decoder(std::int64_t vocabulary, std::int64_t features, std::int64_t hidden, std::int64_t memory,
            std::int64_t attention_size, double dropout, Generator& generator);

    /// The encoder's states [B, S, M], of which each row has lengths[b], int64 [B]; undefined lengths: all S.
    Memory remember(const Tensor& states, const Tensor& lengths = {}) const;
    /// What the embeddings of all steps contribute to the gates: ids int64 [.., ] -> [.., 3H]: one product.
    Tensor project(const Tensor& ids, Generator* noise = nullptr) const;
    /// One step: projection [B, 3H] of the previous token, state [B, H].
    Step step(const Tensor& projection, const Tensor& state, const Memory& memory) const;
    /// Teacher forcing: the states after each of the given tokens, ids int64 [B, T].
    Outputs follow(const Tensor& ids, const Tensor& state, const Memory& memory, Generator* noise = nullptr) const;
    /// The same, and the output layer: the logits after each token.
    Result operator()(const Tensor& ids, const Tensor& state, const Memory& memory, Generator* noise = nullptr) const;

    void visit(auto&& f) {
        f("embedding", embedding);
        f("attention", attention);
        f("cell", cell);
        f("output", output);
    }

  private:
    Dropout dropout_;
};

}  // namespace wengert
