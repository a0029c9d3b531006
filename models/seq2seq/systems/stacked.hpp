#pragma once

#include <wengert/models/seq2seq/systems/encoder.hpp>
#include <wengert/models/seq2seq/systems/recurrent.hpp>
#include <wengert/models/seq2seq/systems/target_words.hpp>

namespace WENGERT_EXPORT wengert {

/// How a deep decoder looks at the source.
enum class StackAttention { none, dot, general, concat, local_monotonic, local_predictive };

/// Deep recurrent layers on both sides. The decoder begins with the last states of the encoder's layers.
///
/// Without attention that is all it knows of the source (Sutskever et al. 2014, Sequence to sequence learning with
/// neural networks, arXiv:1409.3215; with `reverse_source`). With attention it is that of Luong et al. 2015
/// (arXiv:1508.04025): the top state h attends, and what the output layer and, fed back, the next step's first layer
/// read is tanh(W_c [context; h]).
struct Stacked : Recurrent<Stacked> {
    /// Everything of the decoder.
    struct Decoder : TargetWords {
        CellStack cells;
        LuongAttention attention;
        LocalMonotonicAttention local_monotonic;
        LocalPredictiveAttention local_predictive;
        Linear combine;  ///< W_c [H, M + H]

        Decoder() = default;
        Decoder(const SystemOptions& options, StackAttention kind, std::int64_t memory, Generator& generator);

        void visit(auto&& f) {
            f("embedding", embedding);
            f("cells", cells);
            f("attention", attention);
            f("attention", local_monotonic);
            f("attention", local_predictive);
            f("combine", combine);
            f("readout", readout);
            f("output", output);
        }
    };
    Encoder encoder;
    Decoder decoder;

    struct Memory {
        LuongAttention::Memory global;
        LocalPredictiveAttention::Memory predictive;

        void visit(auto&& f) {
            f("global", global);
            f("predictive", predictive);
        }
    };
    struct State {
        std::vector<CellState> cells;
        Tensor combined;  ///< [B, H], with attention only
        Tensor step;      ///< [B, 1], counted from 0, with local-m only

        void visit(auto&& f) {
            for (std::size_t i = 0; i < cells.size(); ++i) f(std::to_string(i), cells[i]);
            f("combined", combined);
            f("step", step);
        }
    };
    struct Encoded {
        Memory memory;
        State state;
    };
    struct Advance {
        State state;
        std::vector<Tensor> features;  ///< [B, H]: the top state, or what attention made of it
        Tensor weights;                ///< [B, S], or undefined
    };

    Stacked() = default;
    Stacked(const SystemOptions& options, StackAttention kind, Generator& generator);

    Encoded encode(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;
    const TargetWords& words() const { return decoder; }
    Tensor project(const Tensor& embedded) const;
    Advance advance(const Tensor& projection, const State& state, const Memory& memory, StepDropout& drop) const;

    void visit(auto&& f) {
        f("encoder", encoder);
        f("decoder", decoder);
    }

  private:
    StackAttention kind_ = StackAttention::none;
    SystemOptions options_;
};

}  // namespace wengert
