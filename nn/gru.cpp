#include <wengert/nn/gru.hpp>
#include <wengert/nn/internal/recurrent_stack_run.hpp>

namespace wengert {

using Kind = Recurrence<GruCell>;

template class RecurrentStack<GruCell>;

GruCell::GruCell(std::int64_t in, std::int64_t hidden, Generator& generator, GruReset r, bool layer_norm) : reset(r) {
    CellParameters drawn = draw_cell("GruCell", 3, in, hidden, generator);
    weight_ih = drawn.weight_ih, weight_hh = drawn.weight_hh;
    bias_ih = drawn.bias_ih, bias_hh = drawn.bias_hh;
    if (layer_norm) {
        norm_ih = LayerNorm(2 * hidden), norm_hh = LayerNorm(2 * hidden);
        norm_in = LayerNorm(hidden), norm_hn = LayerNorm(hidden);
    }
    name_parameters(*this);
}

/// Of a product [.., 3H] the rows of r and z by one norm, those of n by the other.
Tensor GruCell::normalise(const Tensor& product, const LayerNorm& gates, const LayerNorm& candidate,
                          const SourceLine& where) const {
    if (!gates.weight.defined()) return product;
    const std::int64_t both = 2 * hidden(), all = 3 * hidden();
    return concat({gates({slice(product, -1, 0, both), where}), candidate({slice(product, -1, both, all), where})}, -1);
}

Tensor GruCell::project(const Input& x) const {
    return normalise_input({project_input(Kind::cell, weight_ih, bias_ih, x), x.where()});
}

Tensor GruCell::normalise_input(const Input& projection) const {
    return normalise(projection.tensor(), norm_ih, norm_in, projection.where());
}

Tensor GruCell::operator()(const Input& projection, const Tensor& h, const Tensor& keep, const Tensor& drop) const {
    require_step(Kind::cell, projection, weight_hh, bias_hh, parts_of<GruCell>(h), keep, drop);
    const SourceLine& place = projection.where();
    const Tensor read = dropped(h, drop);
    const auto [xr, xz, xn] = chunk<3>(projection);  // [B, H] each
    if (reset == GruReset::after_product) {
        const auto [hr, hz, hn] = chunk<3>(normalise(linear(read, weight_hh, bias_hh), norm_hh, norm_hn, place));
        const auto next = [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h) {
            const auto r = sigmoid(xr + hr);
            const auto z = sigmoid(xz + hz);
            const auto n = tanh(xn + r * hn);
            return n + z * (h - n);
        };
        if (!keep.defined()) return map(next, xr, xz, xn, hr, hz, hn, h);
        return map([next](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h,
                          auto keep) { return where(keep != 0, next(xr, xz, xn, hr, hz, hn, h), h); },
                   xr, xz, xn, hr, hz, hn, h, keep);
    }
    const std::int64_t gates = 2 * hidden(), all = 3 * hidden();
    const auto [hr, hz] =
        chunk<2>(normalised(norm_hh, linear(read, slice(weight_hh, 0, 0, gates), slice(bias_hh, 0, 0, gates)), place));
    const Tensor past = map([](auto xr, auto hr, auto h) { return sigmoid(xr + hr) * h; }, xr, hr, read);
    const Tensor hn =
        normalised(norm_hn, linear(past, slice(weight_hh, 0, gates, all), slice(bias_hh, 0, gates, all)), place);
    const Tensor next = map(
        [](auto xz, auto hz, auto xn, auto hn, auto h) {
            const auto z = sigmoid(xz + hz);
            const auto n = tanh(xn + hn);
            return n + z * (h - n);
        },
        xz, hz, xn, hn, h);
    return keep.defined() ? where(keep, next, h) : next;
}

Gru::Gru(std::int64_t in, std::int64_t hidden, Generator& generator, const GruOptions& options)
    : RecurrentStack(in, hidden, options, [&](std::int64_t width) {
          return GruCell(width, hidden, generator, options.reset, options.layer_norm);
      }) {}

}  // namespace wengert
