#pragma once

#include <wengert/models/seq2seq/systems/encoder.hpp>
#include <wengert/models/seq2seq/systems/recurrent.hpp>
#include <wengert/models/seq2seq/systems/target_words.hpp>

/// The decoder whose cell reads [embedding; context], where the context is what attention finds with the state before.
/// An Attention is a layer with
///
///     struct Memory { ... visit };                                   // names what has a row for each source
///     Memory remember(const Tensor& states, const Tensor& lengths) const;
///
/// and an attend() in attention_decoder.cpp, which calls it.
namespace WENGERT_EXPORT wengert {

/// Multi-head attention with the state as its query.
struct HeadsAttention {
    MultiHeadAttention heads;

    using Memory = MultiHeadAttention::Memory;
    HeadsAttention() = default;
    HeadsAttention(std::int64_t state, std::int64_t memory, int count, Generator& generator)
        : heads(state, count, generator, {.kdim = memory, .vdim = memory}) {}
    Memory remember(const Tensor& states, const Tensor& lengths) const {
        return heads.remember(states, states, lengths);
    }
    void visit(auto&& f) { heads.visit(f); }
};

template <class Attention>
struct AttentionDecoder : TargetWords {
    Attention attention;
    AnyCell cell;

    /// What all steps use.
    struct Memory {
        typename Attention::Memory attended;
        Tensor context_weight;  ///< [gates * H, M]: the part of the cell's weight_ih that the context meets

        void visit(auto&& f) { attended.visit(f); }
    };
    struct State {
        CellState cell;
        Tensor coverage = {};  ///< [B, S, d], of coverage attention only

        void visit(auto&& f) {
            f("cell", cell);
            f("coverage", coverage);
        }
    };
    struct Advance {
        State state;
        std::vector<Tensor> features;  ///< the state [B, H], and if there is a readout layer, the context [B, M]
        Tensor weights;                ///< [B, S]: attention over the source
        Tensor heads;                  ///< [B, H, S]: that of each head, of multi-head attention only
    };

    AttentionDecoder() = default;
    /// `memory` is the number of features of an encoder output. Throws what the constructors of TargetWords and of the
    /// attention throw.
    AttentionDecoder(const SystemOptions& options, std::int64_t memory, Generator& generator);

    /// The encoder's states [B, S, M], of which each row has lengths[b], int64 [B]; undefined lengths: all S.
    Memory remember(const Tensor& states, const Tensor& lengths = {}) const;
    /// The state [B, H] with which an encoder leaves off.
    State first_state(const Tensor& hidden, const Memory& memory) const;
    /// What the embeddings of all steps contribute to the gates: [.., E] -> [.., gates * H]: one product.
    Tensor project(const Tensor& embedded) const;
    /// One step: projection [B, gates * H] of the previous token.
    Advance advance(const Tensor& projection, const State& state, const Memory& memory, StepDropout& drop) const;

    void visit(auto&& f) {
        f("embedding", embedding);
        f("attention", attention);
        f("cell", cell);
        f("readout", readout);
        f("output", output);
    }

  private:
    SystemOptions options_;
};

extern template struct AttentionDecoder<BahdanauAttention>;
extern template struct AttentionDecoder<CoverageAttention>;
extern template struct AttentionDecoder<HeadsAttention>;

/// An encoder and such a decoder.
template <class Attention>
struct AttentionSystem : Recurrent<AttentionSystem<Attention>> {
    Encoder encoder;
    AttentionDecoder<Attention> decoder;

    using Memory = typename AttentionDecoder<Attention>::Memory;
    using State = typename AttentionDecoder<Attention>::State;
    struct Encoded {
        Memory memory;
        State state;
    };

    AttentionSystem() = default;
    AttentionSystem(const SystemOptions& options, Generator& generator)
        : encoder(options, true, generator), decoder(options, encoder.features(), generator) {
        encoder.tie(decoder.embedding);
        name_parameters(*this);
    }

    /// source int64 [B, S], lengths int64 [B], or undefined if all rows are full. Dropout acts if there is a source of
    /// noise.
    Encoded encode(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const {
        Encoder::Result encoded;
        {
            const Scope scope("encoder");
            encoded = encoder(source, lengths, noise);
        }
        const Scope scope("decoder");
        auto memory = decoder.remember(encoded.outputs, lengths);
        auto state = decoder.first_state(encoded.state, memory);
        return {std::move(memory), std::move(state)};
    }
    const TargetWords& words() const { return decoder; }
    Tensor project(const Tensor& embedded) const { return decoder.project(embedded); }
    auto advance(const Tensor& projection, const State& state, const Memory& memory, StepDropout& drop) const {
        return decoder.advance(projection, state, memory, drop);
    }

    void visit(auto&& f) {
        f("encoder", encoder);
        f("decoder", decoder);
    }
};

/// Translation by a GRU encoder, additive attention and a GRU decoder (Bahdanau et al. 2015, arXiv:1409.0473): the
/// reference model. With `bidirectional`, `backward_bridge`, the maxout readout and `gru_reset` before the product it
/// is the article's but for one point: the output layer reads the new state, where the article's appendix has the one
/// before.
using Bahdanau = AttentionSystem<BahdanauAttention>;
/// The same with attention that knows what it has translated (Tu et al. 2016, arXiv:1601.04811).
using CoverageModel = AttentionSystem<CoverageAttention>;
/// The same with multi-head attention (Vaswani et al. 2017, arXiv:1706.03762).
using MultiHeadModel = AttentionSystem<HeadsAttention>;

}  // namespace wengert
