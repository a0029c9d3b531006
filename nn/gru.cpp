#include <fmt/format.h>

#include <array>
#include <cmath>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/nn/dropout.hpp>
#include <wengert/nn/gru.hpp>

namespace wengert {

GruCell::GruCell(std::int64_t in, std::int64_t hidden, Generator& generator, GruReset r) : reset(r) {
    require_features("GruCell", {in, hidden});
    const double bound = 1 / std::sqrt(static_cast<double>(hidden));
    weight_ih = uniform({3 * hidden, in}, -bound, bound, generator);
    weight_hh = uniform({3 * hidden, hidden}, -bound, bound, generator);
    bias_ih = uniform({3 * hidden}, -bound, bound, generator);
    bias_hh = uniform({3 * hidden}, -bound, bound, generator);
    name_parameters(*this);
}

Tensor GruCell::project(const Input& x) const {
    require_parameter(weight_ih, "gru_cell", "weight_ih", x.where());
    require_parameter(bias_ih, "gru_cell", "bias_ih", x.where());
    return linear(x, weight_ih, bias_ih);
}

void GruCell::require_fitting(const Input& projection, const Tensor& h, const Tensor& keep) const {
    require_parameter(weight_hh, "gru_cell", "weight_hh", projection.where());
    require_parameter(bias_hh, "gru_cell", "bias_hh", projection.where());
    const Tensor& x = projection.tensor();
    try {
        if (!h.defined()) throw ValueError("the state is an undefined tensor");
        if (x.rank() != 2 || x.dim(1) != 3 * hidden())
            throw ShapeError(fmt::format("the projection must be [B, {}], not {}", 3 * hidden(), to_string(x.shape())));
        if (const Shape right{x.dim(0), hidden()}; h.shape() != right)
            throw ShapeError(fmt::format("the state must be {}, not {}", to_string(right), to_string(h.shape())));
        if (h.dtype() != x.dtype())
            throw DtypeError(
                fmt::format("the state is {}, the projection {}", to_string(h.dtype()), to_string(x.dtype())));
        if (const Shape right{x.dim(0), 1}; keep.defined() && keep.shape() != right)
            throw ShapeError(fmt::format("keep must be {}, not {}", to_string(right), to_string(keep.shape())));
    } catch (Error& error) {
        static constexpr std::array<std::string_view, 3> names{"projection", "state", "weight"};
        error.locate("gru_cell", describe_operands({&x, &h, &weight_hh}, names), projection.where());
        throw;
    }
}

Tensor GruCell::operator()(const Input& projection, const Tensor& h, const Tensor& keep) const {
    require_fitting(projection, h, keep);
    const auto [xr, xz, xn] = chunk<3>(projection);  // [B, H] each
    if (reset == GruReset::after_product) {
        const auto [hr, hz, hn] = chunk<3>(linear(h, weight_hh, bias_hh));
        const auto next = [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h) {
            const auto r = sigmoid(xr + hr), z = sigmoid(xz + hz), n = tanh(xn + r * hn);
            return n + z * (h - n);
        };
        if (!keep.defined()) return map(next, xr, xz, xn, hr, hz, hn, h);
        return map([next](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h,
                          auto keep) { return where(keep != 0, next(xr, xz, xn, hr, hz, hn, h), h); },
                   xr, xz, xn, hr, hz, hn, h, keep);
    }
    const std::int64_t gates = 2 * hidden(), all = 3 * hidden();
    const auto [hr, hz] = chunk<2>(linear(h, slice(weight_hh, 0, 0, gates), slice(bias_hh, 0, 0, gates)));
    const Tensor past = map([](auto xr, auto hr, auto h) { return sigmoid(xr + hr) * h; }, xr, hr, h);
    const Tensor hn = linear(past, slice(weight_hh, 0, gates, all), slice(bias_hh, 0, gates, all));
    const Tensor next = map(
        [](auto xz, auto hz, auto xn, auto hn, auto h) {
            const auto z = sigmoid(xz + hz), n = tanh(xn + hn);
            return n + z * (h - n);
        },
        xz, hz, xn, hn, h);
    return keep.defined() ? where(keep, next, h) : next;
}

Gru::Gru(std::int64_t in, std::int64_t hidden, Generator& generator, const GruOptions& options) : options_(options) {
    if (options.layers < 1) throw ValueError("Gru: there must be at least one layer");
    if (!(options.dropout >= 0 && options.dropout < 1))
        throw ValueError("Gru: dropout is " + std::to_string(options.dropout) + ", outside [0, 1)");
    for (int layer = 0; layer < options.layers; ++layer)
        for (int direction = 0; direction < directions(); ++direction)
            cells_.emplace_back(layer == 0 ? in : hidden * directions(), hidden, generator, options.reset);
    name_parameters(*this);
}

std::string Gru::cell_name(std::size_t i) const {
    const auto d = static_cast<std::size_t>(directions());
    return "l" + std::to_string(i / d) + (i % d == 1 ? "_reverse" : "");
}

Gru::Result Gru::operator()(const Input& x, const Tensor& lengths, Generator* noise) const {
    return (*this)(x, lengths, Tensor(), noise);
}

Gru::Result Gru::operator()(const Input& input, const Tensor& lengths, const Tensor& first, Generator* noise) const {
    if (cells_.empty()) throw_missing("gru", "cells", input.where());
    const Tensor& x = input.tensor();
    Tensor mask;  // [B, T, 1]
    located("gru", {&x}, input.where(), [&] {
        if (x.rank() != 3 || x.dim(1) == 0)
            throw ShapeError("x must be [B, T, in] with at least one step, not " + to_string(x.shape()));
        if (first.defined()) {
            const Shape right{static_cast<std::int64_t>(cells_.size()), x.dim(0), cells_[0].hidden()};
            if (first.shape() != right)
                throw ShapeError(fmt::format("the state must be [layers * directions, B, H] = {}, not {}",
                                             to_string(right), to_string(first.shape())));
            if (first.dtype() != x.dtype())
                throw DtypeError(fmt::format("the state is {}, x {}", to_string(first.dtype()), to_string(x.dtype())));
        }
        if (!lengths.defined()) return;
        if (lengths.shape() != Shape{x.dim(0)})
            throw ShapeError("lengths " + to_string(lengths.shape()) + " are not one for each row of x " +
                             to_string(x.shape()));
        mask = unsqueeze(length_mask({lengths, input.where()}, x.dim(1), x.dtype()), 2);
    });
    Tensor layer_input = x;
    std::vector<Tensor> states;
    for (std::size_t i = 0; i < cells_.size();) {
        if (i > 0) layer_input = Dropout{options_.dropout}({layer_input, input.where()}, noise);
        std::vector<Tensor> outputs;
        for (int direction = 0; direction < directions(); ++direction, ++i) {
            const Scope scope(cell_name(i));
            Tensor state = first.defined() ? select(first, 0, static_cast<std::int64_t>(i))
                                           : zeros({x.dim(0), cells_[i].hidden()}, x.dtype());
            outputs.push_back(run(cells_[i], direction == 1, {layer_input, input.where()}, mask, state));
            states.push_back(state);
        }
        layer_input = outputs.size() == 1 ? outputs[0] : concat(outputs, 2);
    }
    return {mask.defined() ? layer_input * mask : layer_input, stack(states, 0)};
}

/// One cell over all steps: the states [B, T, H]; `state` is the first on entry and the last on return.
Tensor Gru::run(const GruCell& cell, bool reverse, const Input& x, const Tensor& mask, Tensor& state) const {
    const Tensor projection = cell.project(x);  // [B, T, 3H]
    const std::int64_t steps = x.tensor().dim(1);
    std::vector<Tensor> outputs(static_cast<std::size_t>(steps));
    for (std::int64_t i = 0; i < steps; ++i) {
        const Step step(i);
        const std::int64_t t = reverse ? steps - 1 - i : i;
        state = cell({select(projection, 1, t), x.where()}, state, mask.defined() ? select(mask, 1, t) : Tensor());
        outputs[static_cast<std::size_t>(t)] = state;
    }
    return stack(outputs, 1);
}

}  // namespace wengert
