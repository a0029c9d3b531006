#include <wengert/nn/internal/recurrent_stack_run.hpp>
#include <wengert/nn/lstm.hpp>

namespace wengert {

using Kind = Recurrence<LstmCell>;

template class RecurrentStack<LstmCell>;

LstmCell::LstmCell(std::int64_t in, std::int64_t hidden, Generator& generator, bool layer_norm) {
    CellParameters drawn = draw_cell("LstmCell", 4, in, hidden, generator);
    weight_ih = drawn.weight_ih, weight_hh = drawn.weight_hh;
    bias_ih = drawn.bias_ih, bias_hh = drawn.bias_hh;
    if (layer_norm) norm_ih = LayerNorm(4 * hidden), norm_hh = LayerNorm(4 * hidden);
    name_parameters(*this);
}

Tensor LstmCell::project(const Input& x) const {
    return normalise_input({project_input(Kind::cell, weight_ih, bias_ih, x), x.where()});
}

Tensor LstmCell::normalise_input(const Input& projection) const {
    return normalised(norm_ih, projection.tensor(), projection.where());
}

LstmState LstmCell::operator()(const Input& projection, const LstmState& state, const Tensor& keep,
                               const Tensor& drop) const {
    require_step(Kind::cell, projection, weight_hh, bias_hh, parts_of<LstmCell>(state), keep, drop);
    const auto [xi, xf, xg, xo] = chunk<4>(projection);  // [B, H] each
    const auto [hi, hf, hg, ho] =
        chunk<4>(normalised(norm_hh, linear(dropped(state.h, drop), weight_hh, bias_hh), projection.where()));
    const auto next = [](auto xi, auto xf, auto xg, auto xo, auto hi, auto hf, auto hg, auto ho, auto c) {
        const auto memory = sigmoid(xf + hf) * c + sigmoid(xi + hi) * tanh(xg + hg);
        return std::tuple{sigmoid(xo + ho) * tanh(memory), memory};
    };
    if (!keep.defined()) {
        const auto [h, c] = map(next, xi, xf, xg, xo, hi, hf, hg, ho, state.c);
        return {h, c};
    }
    const auto [h, c] = map(
        [next](auto xi, auto xf, auto xg, auto xo, auto hi, auto hf, auto hg, auto ho, auto h, auto c, auto keep) {
            const auto [output, memory] = next(xi, xf, xg, xo, hi, hf, hg, ho, c);
            return std::tuple{where(keep != 0, output, h), where(keep != 0, memory, c)};
        },
        xi, xf, xg, xo, hi, hf, hg, ho, state.h, state.c, keep);
    return {h, c};
}

Lstm::Lstm(std::int64_t in, std::int64_t hidden, Generator& generator, const LstmOptions& options)
    : RecurrentStack(in, hidden, options,
                     [&](std::int64_t width) { return LstmCell(width, hidden, generator, options.layer_norm); }) {}

}  // namespace wengert
