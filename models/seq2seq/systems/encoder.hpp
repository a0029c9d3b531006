#pragma once

#include <wengert/models/seq2seq/systems/cell_stack.hpp>

namespace WENGERT_EXPORT wengert {

/// Reads source sentences: an embedding and a stack of recurrent layers in one direction or two.
struct Encoder {
    Embedding embedding;
    Gru gru;  ///< One of the three has cells.
    Lstm lstm;
    Rnn rnn;
    Linear bridge;  ///< [H, 2H], or [H, H] from the backward state alone: of two directions, to a decoder's first state

    struct Result {
        Tensor outputs;  ///< [B, S, directions * H]
        Tensor state;    ///< [B, H]: the top layer's last h; of two directions tanh(bridge(..))
        Tensor h, c;     ///< [layers * directions, B, H]: each cell's last state; c of an LSTM only

        /// The last state of each layer; of two directions their sum.
        std::vector<CellState> layers(bool bidirectional) const;
    };

    Encoder() = default;
    /// `is_attended`: a decoder looks at single outputs, whose place is that of their word. Throws ValueError then if
    /// the options reverse the source.
    Encoder(const SystemOptions& options, bool is_attended, Generator& generator);

    /// Reads with a decoder's table, if the options tie all of them. Throws ValueError unless the vocabularies are of
    /// one size.
    void tie(const Embedding& other);
    /// The number of features of an output.
    std::int64_t features() const { return options_.hidden * (options_.bidirectional ? 2 : 1); }

    /// source int64 [B, S]; lengths int64 [B], or undefined if all rows are full. With a source of noise, dropout acts
    /// on the embeddings and between layers. Throws ShapeError if they do not fit, ValueError for an id outside the
    /// vocabulary and a length outside [0, S].
    Result operator()(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;

    void visit(auto&& f) {
        f("embedding", embedding);
        f("gru", gru);
        f("lstm", lstm);
        f("rnn", rnn);
        f("bridge", bridge);
    }

  private:
    SystemOptions options_;
};

}  // namespace wengert
