#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/cell_stack.hpp>

namespace wengert {

AnyCell::AnyCell(const SystemOptions& o, std::int64_t in, Generator& generator)
    : kind(o.cell), recurrent_dropout(o.recurrent_dropout) {
    switch (kind) {
        case CellKind::gru:
            gru = GruCell(in, o.hidden, generator, o.gru_reset, o.layer_norm);
            break;
        case CellKind::lstm:
            lstm = LstmCell(in, o.hidden, generator, o.layer_norm);
            break;
        case CellKind::rnn:
            rnn = RnnCell(in, o.hidden, generator, RnnNonlinearity::tanh, o.layer_norm);
            break;
    }
}

const Tensor& AnyCell::weight_ih() const {
    return kind == CellKind::gru ? gru.weight_ih : kind == CellKind::lstm ? lstm.weight_ih : rnn.weight_ih;
}
const Tensor& AnyCell::bias_ih() const {
    return kind == CellKind::gru ? gru.bias_ih : kind == CellKind::lstm ? lstm.bias_ih : rnn.bias_ih;
}

Tensor AnyCell::project(const Tensor& x) const { return linear(x, slice(weight_ih(), 1, 0, x.dim(-1)), bias_ih()); }

CellState AnyCell::operator()(const Tensor& projection, const CellState& state, StepDropout& drop) const {
    const Tensor mask = drop.of_state(state.h, recurrent_dropout);
    if (kind == CellKind::gru) return {gru(gru.normalise_input(projection), state.h, {}, mask), {}};
    if (kind == CellKind::rnn) return {rnn(rnn.normalise_input(projection), state.h, {}, mask), {}};
    const LstmState next = lstm(lstm.normalise_input(projection), {state.h, state.c}, {}, mask);
    return {next.h, next.c};
}

CellState AnyCell::first_state(std::int64_t rows) const {
    const std::int64_t gates = kind == CellKind::gru ? 3 : kind == CellKind::lstm ? 4 : 1;
    const Shape shape{rows, weight_ih().dim(0) / gates};
    const Dtype dtype = weight_ih().dtype();
    return {zeros(shape, dtype), kind == CellKind::lstm ? zeros(shape, dtype) : Tensor()};
}

CellStack::CellStack(const SystemOptions& options, std::int64_t more, Generator& generator) : options_(options) {
    for (int layer = 0; layer < options.layers; ++layer)
        cells.emplace_back(options, layer == 0 ? options.embedding + more : options.hidden, generator);
}

Tensor CellStack::project(const Tensor& embedded) const {
    const Scope scope("cells.0");
    return cells[0].project(embedded);
}

CellStack::Result CellStack::operator()(const Tensor& projection, const Tensor& more,
                                        const std::vector<CellState>& states, StepDropout& drop) const {
    Result result;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const Scope scope("cells." + std::to_string(i));
        const Tensor& weight = cells[i].weight_ih();
        Tensor from_below = projection;
        if (i > 0)
            from_below = linear(drop(result.top, options_.dropout), weight, cells[i].bias_ih());
        else if (more.defined())
            from_below = linear(more, slice(weight, 1, options_.embedding, weight.dim(1)), projection);
        result.states.push_back(cells[i](from_below, states[i], drop));
        const Tensor& h = result.states[i].h;
        result.top = i > 0 && options_.residual ? h + result.top : h;
    }
    return result;
}

}  // namespace wengert
