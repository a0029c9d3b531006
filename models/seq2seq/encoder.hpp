#pragma once

#include <wengert/nn/nn.hpp>

namespace wengert {

/// Reads source sentences: an embedding and a stack of GRU layers in one direction or two.
struct Encoder {
    Embedding embedding;
    Gru gru;
    Linear bridge;  ///< [H, 2H], of two directions only: from both last states to the decoder's first

    struct Result {
        Tensor outputs;  ///< [B, S, directions * H]
        Tensor state;    ///< [B, H]: the top layer's last state; of two directions tanh(bridge([forward; backward]))
    };

    Encoder() = default;
    Encoder(std::int64_t vocabulary, std::int64_t features, std::int64_t hidden, const GruOptions& options,
            Generator& generator);

    /// source int64 [B, S]; lengths int64 [B], or undefined if all rows are full. With a source of noise, dropout acts
    /// on the embeddings and between layers.
    Result operator()(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;

    void visit(auto&& f) {
        f("embedding", embedding);
        f("gru", gru);
        f("bridge", bridge);
    }

  private:
    Dropout dropout_;
};

}  // namespace wengert
