#include <wengert/nn/internal/recurrent_stack_run.hpp>
#include <wengert/nn/rnn.hpp>

namespace wengert {

using Kind = Recurrence<RnnCell>;

template class RecurrentStack<RnnCell>;

RnnCell::RnnCell(std::int64_t in, std::int64_t hidden, Generator& generator, RnnNonlinearity f, bool layer_norm)
    : nonlinearity(f) {
    CellParameters drawn = draw_cell("RnnCell", 1, in, hidden, generator);
    weight_ih = drawn.weight_ih, weight_hh = drawn.weight_hh;
    bias_ih = drawn.bias_ih, bias_hh = drawn.bias_hh;
    if (layer_norm) norm_ih = LayerNorm(hidden), norm_hh = LayerNorm(hidden);
    name_parameters(*this);
}

Tensor RnnCell::project(const Input& x) const {
    return normalise_input({project_input(Kind::cell, weight_ih, bias_ih, x), x.where()});
}

Tensor RnnCell::normalise_input(const Input& projection) const {
    return normalised(norm_ih, projection.tensor(), projection.where());
}

Tensor RnnCell::operator()(const Input& projection, const Tensor& h, const Tensor& keep, const Tensor& drop) const {
    require_step(Kind::cell, projection, weight_hh, bias_hh, parts_of<RnnCell>(h), keep, drop);
    const Tensor past = normalised(norm_hh, linear(dropped(h, drop), weight_hh, bias_hh), projection.where());
    const auto step = [&](auto f) {
        if (!keep.defined()) return map([f](auto x, auto past) { return f(x + past); }, projection, past);
        return map([f](auto x, auto past, auto h, auto keep) { return where(keep != 0, f(x + past), h); }, projection,
                   past, h, keep);
    };
    return nonlinearity == RnnNonlinearity::tanh ? step([](auto x) { return tanh(x); })
                                                 : step([](auto x) { return relu(x); });
}

Rnn::Rnn(std::int64_t in, std::int64_t hidden, Generator& generator, const RnnOptions& options)
    : RecurrentStack(in, hidden, options, [&](std::int64_t width) {
          return RnnCell(width, hidden, generator, options.nonlinearity, options.layer_norm);
      }) {}

}  // namespace wengert
