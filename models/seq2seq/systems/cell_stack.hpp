#pragma once

#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>
#include <wengert/nn/nn.hpp>

namespace WENGERT_EXPORT wengert {

/// What a cell hands from step to step.
struct CellState {
    Tensor h;  ///< [B, H]
    Tensor c;  ///< [B, H], an LSTM's memory; undefined for other cells

    void visit(auto&& f) {
        f("h", h);
        f("c", c);
    }
};

/// A cell of any kind. One of the members has parameters.
struct AnyCell {
    GruCell gru;
    LstmCell lstm;
    RnnCell rnn;
    CellKind kind = CellKind::gru;
    double recurrent_dropout = 0;

    AnyCell() = default;
    AnyCell(const SystemOptions& options, std::int64_t in, Generator& generator);

    const Tensor& weight_ih() const;
    const Tensor& bias_ih() const;
    /// What the first features of the input contribute to W x + b, and b itself: x [.., n] -> [.., gates * H]. For all
    /// steps at once this is one product.
    Tensor project(const Tensor& x) const;
    /// W x + b [B, gates * H], in whatever parts it was computed -> the next state.
    CellState operator()(const Tensor& projection, const CellState& state, StepDropout& drop) const;
    /// Of zeros.
    CellState first_state(std::int64_t rows) const;

    void visit(auto&& f) {
        gru.visit(f);
        lstm.visit(f);
        rnn.visit(f);
    }
};

/// The recurrent layers of a deep decoder, one step at a time. The first reads the embedded token and perhaps more
/// features of the step, the others what is below them.
struct CellStack {
    std::vector<AnyCell> cells;

    CellStack() = default;
    /// `more` is the number of further features that the first layer reads.
    CellStack(const SystemOptions& options, std::int64_t more, Generator& generator);

    /// What the embedded tokens of all steps contribute to the first layer's gates: [.., E] -> [.., gates * H].
    Tensor project(const Tensor& embedded) const;
    struct Result {
        std::vector<CellState> states;
        Tensor top;  ///< [B, H]: what the top layer gives, with residual connections more than its state
    };
    /// One step: the projection [B, gates * H], and the further features [B, more], undefined if there are none.
    Result operator()(const Tensor& projection, const Tensor& more, const std::vector<CellState>& states,
                      StepDropout& drop) const;

    void visit(auto&& f) {
        for (std::size_t i = 0; i < cells.size(); ++i) f(std::to_string(i), cells[i]);
    }

  private:
    SystemOptions options_;
};

}  // namespace wengert
