#pragma once

#include <wengert/models/seq2seq/system_options.hpp>
#include <wengert/nn/nn.hpp>

namespace wengert {

/// Reads source sentences: an embedding and a stack of GRU layers in one direction or two.
struct Encoder {
    Embedding embedding;
    Gru gru;
    Linear
        bridge;  ///< [H, 2H], or [H, H] from the backward state alone: of two directions, to the decoder's first state

    struct Result {
        Tensor outputs;  ///< [B, S, directions * H]
        Tensor state;    ///< [B, H]: the top layer's last state; of two directions tanh(bridge(..)) of both or of one
    };

    Encoder() = default;
    Encoder(const SystemOptions& options, Generator& generator);

    /// The number of features of an output.
    std::int64_t features() const { return options_.hidden * (options_.bidirectional ? 2 : 1); }

    /// source int64 [B, S]; lengths int64 [B], or undefined if all rows are full. With a source of noise, dropout acts
    /// on the embeddings and between layers.
    Result operator()(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;

    void visit(auto&& f) {
        f("embedding", embedding);
        f("gru", gru);
        f("bridge", bridge);
    }

  private:
    SystemOptions options_;
};

}  // namespace wengert
