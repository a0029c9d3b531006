#pragma once

#include <wengert/models/seq2seq/system_options.hpp>
#include <wengert/nn/nn.hpp>

namespace wengert {

/// What the output layer reads of a step, [.., R]. `layer` is over state, context and token, [R, ..] or, for maxout, of
/// two rows for each feature; undefined, it is the state alone.
struct ReadoutLayer {
    Linear layer;
    Readout kind = Readout::state;

    ReadoutLayer() = default;
    ReadoutLayer(Readout kind, std::int64_t in, std::int64_t out, Generator& generator);
    /// What is read is [.., ..] each, the state first.
    Tensor operator()(const std::vector<Tensor>& read) const;

    void visit(auto&& f) { layer.visit(f); }
};

/// An output layer [V, R], tied to the embedding if the options say so. Throws ValueError unless the sizes allow that.
Linear output_layer(const SystemOptions& options, std::int64_t features, Embedding& embedding, Generator& generator);

/// Writes target sentences: each step attends with the previous state, and a GRU cell reads [embedding; context].
struct Decoder {
    Embedding embedding;
    BahdanauAttention attention;
    GruCell cell;
    ReadoutLayer readout;
    Linear output;

    /// What all steps use.
    struct Memory {
        BahdanauAttention::Memory attended;
        Tensor context_weight;  ///< [3H, M]: the part of cell.weight_ih that the context meets

        /// What has a row for each source.
        void visit(auto&& f) {
            f("states", attended.states);
            f("keys", attended.keys);
            f("padding", attended.padding);
        }
    };
    struct State {
        Tensor hidden;  ///< [B, H]
        void visit(auto&& f) { f("hidden", hidden); }
    };
    struct Advance {
        State state;
        std::vector<Tensor> features;  ///< the state, and if there is a readout layer, the context [B, M]
        Tensor weights;                ///< [B, S]: attention over the source
    };

    Decoder() = default;
    /// `memory` is the number of features of an encoder output.
    Decoder(const SystemOptions& options, std::int64_t memory, Generator& generator);

    /// The encoder's states [B, S, M], of which each row has lengths[b], int64 [B]; undefined lengths: all S.
    Memory remember(const Tensor& states, const Tensor& lengths = {}) const;
    /// ids int64 [.., ] -> [.., E].
    Tensor embed(const Tensor& ids, Generator* noise = nullptr) const;
    /// What the embeddings of all steps contribute to the gates: [.., E] -> [.., 3H]: one product.
    Tensor project(const Tensor& embedded) const;
    /// One step: projection [B, 3H] of the previous token.
    Advance advance(const Tensor& projection, const State& state, const Memory& memory, Generator* noise) const;
    /// What the output layer reads of features and embeddings, [.., ..] each -> [.., R].
    Tensor read_out(const std::vector<Tensor>& features, const Tensor& embedded, Generator* noise) const;

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

}  // namespace wengert
