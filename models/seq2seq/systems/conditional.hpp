#pragma once

#include <wengert/models/seq2seq/systems/encoder.hpp>
#include <wengert/models/seq2seq/systems/recurrent.hpp>
#include <wengert/models/seq2seq/systems/target_words.hpp>

namespace WENGERT_EXPORT wengert {

/// The conditional GRU with attention (Sennrich et al. 2017, Nematus: a toolkit for neural machine translation,
/// arXiv:1703.04357): of two cells the first reads the token, what it says attends, and the second reads the context.
/// The output layer reads state, context and token through tanh (deep output); the first state is tanh of a layer over
/// the mean of the encoder's states.
struct Conditional : Recurrent<Conditional> {
    struct Decoder : TargetWords {
        Linear start;  ///< [H, M]
        AnyCell first;
        BahdanauAttention attention;
        AnyCell second;

        Decoder() = default;
        Decoder(const SystemOptions& options, std::int64_t memory, Generator& generator);

        void visit(auto&& f) {
            f("embedding", embedding);
            f("start", start);
            f("first", first);
            f("attention", attention);
            f("second", second);
            f("readout", readout);
            f("output", output);
        }
    };
    Encoder encoder;
    Decoder decoder;

    using Memory = BahdanauAttention::Memory;
    struct State {
        CellState cell;

        void visit(auto&& f) { f("cell", cell); }
    };
    struct Encoded {
        Memory memory;
        State state;
    };
    struct Advance {
        State state;
        std::vector<Tensor> features;  ///< the state [B, H] and the context [B, M]
        Tensor weights;                ///< [B, S]
    };

    Conditional() = default;
    Conditional(const SystemOptions& options, Generator& generator);

    Encoded encode(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;
    const TargetWords& words() const { return decoder; }
    Tensor project(const Tensor& embedded) const;
    Advance advance(const Tensor& projection, const State& state, const Memory& memory, StepDropout& drop) const;

    void visit(auto&& f) {
        f("encoder", encoder);
        f("decoder", decoder);
    }

  private:
    SystemOptions options_;
};

}  // namespace wengert
