#pragma once

#include <wengert/models/seq2seq/systems/encoder.hpp>
#include <wengert/models/seq2seq/systems/recurrent.hpp>
#include <wengert/models/seq2seq/systems/target_words.hpp>

namespace WENGERT_EXPORT wengert {

/// One vector for the whole source, read at every step (Cho et al. 2014, arXiv:1406.1078): the decoder begins with
/// tanh(V c), its cell reads [embedding; c], and the output layer reads state, c and token through maxout. Unlike the
/// article's, c of an encoder in one direction is its last state as it is, and the cell's reset gate, wherever
/// `gru_reset` puts it, leaves c alone.
struct Cho : Recurrent<Cho> {
    struct Decoder : TargetWords {
        Linear start;  ///< V [H, H]
        AnyCell cell;

        Decoder() = default;
        Decoder(const SystemOptions& options, Generator& generator);

        void visit(auto&& f) {
            f("embedding", embedding);
            f("start", start);
            f("cell", cell);
            f("readout", readout);
            f("output", output);
        }
    };
    Encoder encoder;
    Decoder decoder;

    struct Memory {
        Tensor context;     ///< c [B, H]
        Tensor projection;  ///< what it contributes to the gates [B, gates * H]

        void visit(auto&& f) {
            f("context", context);
            f("projection", projection);
        }
    };
    using State = CellState;
    struct Encoded {
        Memory memory;
        State state;
    };
    struct Advance {
        State state;
        std::vector<Tensor> features;  ///< state and context, [B, H] each
        Tensor weights;                ///< undefined: there is no attention
    };

    Cho() = default;
    Cho(const SystemOptions& options, Generator& generator);

    Encoded encode(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;
    const TargetWords& words() const { return decoder; }
    Tensor project(const Tensor& embedded) const;
    Advance advance(const Tensor& projection, const State& state, const Memory& memory, StepDropout& drop) const;

    void visit(auto&& f) {
        f("encoder", encoder);
        f("decoder", decoder);
    }
};

}  // namespace wengert
