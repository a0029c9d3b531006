#pragma once

#include <wengert/autograd/tape/scope.hpp>
#include <wengert/nn/internal/recurrent_stack.hpp>
#include <wengert/ops/network/dropout.hpp>

/// The bodies of RecurrentStack, for the file of each kind, which instantiates them.
namespace wengert {

template <class Cell>
template <class Make>
RecurrentStack<Cell>::RecurrentStack(std::int64_t in, std::int64_t hidden, const typename Kind::Options& options,
                                     const Make& make)
    : options_(options) {
    require_stack(Kind::type, options.layers, options.dropout, options.recurrent_dropout);
    for (int layer = 0; layer < options.layers; ++layer)
        for (int direction = 0; direction < directions(); ++direction)
            cells_.push_back(make(layer == 0 ? in : hidden * directions()));
    name_parameters(*this);
}

template <class Cell>
std::string RecurrentStack<Cell>::cell_name(std::size_t i) const {
    const auto d = static_cast<std::size_t>(directions());
    return "l" + std::to_string(i / d) + (i % d == 1 ? "_reverse" : "");
}

template <class Cell>
auto RecurrentStack<Cell>::operator()(const Input& x, const Tensor& lengths, Generator* noise) const -> Result {
    return (*this)(x, lengths, State(), noise);
}

template <class Cell>
auto RecurrentStack<Cell>::operator()(const Input& input, const Tensor& lengths, const State& first,
                                      Generator* noise) const -> Result {
    if (cells_.empty()) throw_missing(Kind::layer, "cells", input.where());
    constexpr std::size_t parts = Kind::parts.size();
    const Tensor& x = input.tensor();
    const std::int64_t hidden = cells_[0].hidden();
    const Tensor mask = require_sequences(Kind::layer, input, lengths, parts_of<Cell>(first),
                                          static_cast<std::int64_t>(cells_.size()), hidden);
    const bool starts_anew = !Kind::part(first, 0).defined();
    Tensor layer_input = x;
    std::array<std::vector<Tensor>, parts> last;
    for (std::size_t i = 0; i < cells_.size();) {
        const Tensor below = options_.residual && i > 0 ? layer_input : Tensor();
        if (i > 0 && noise != nullptr)
            layer_input = dropout({layer_input, input.where()}, options_.dropout, *noise,
                                  options_.variational ? ReductionAxes(1) : ReductionAxes());
        std::vector<Tensor> outputs;
        for (int direction = 0; direction < directions(); ++direction, ++i) {
            const Scope scope(cell_name(i));
            State state;
            for (std::size_t k = 0; k < parts; ++k)
                Kind::part(state, k) = starts_anew ? zeros({x.dim(0), hidden}, x.dtype())
                                                   : select(Kind::part(first, k), 0, static_cast<std::int64_t>(i));
            const Tensor drop = noise != nullptr && options_.recurrent_dropout > 0
                                    ? dropout(ones({x.dim(0), hidden}, x.dtype()), options_.recurrent_dropout, *noise)
                                    : Tensor();
            outputs.push_back(run(cells_[i], direction == 1, {layer_input, input.where()}, mask, drop, state));
            for (std::size_t k = 0; k < parts; ++k) last[k].push_back(Kind::part(state, k));
        }
        layer_input = outputs.size() == 1 ? outputs[0] : concat(outputs, 2);
        if (below.defined()) layer_input = layer_input + below;
    }
    Result result;
    result.outputs = mask.defined() ? layer_input * mask : layer_input;
    for (std::size_t k = 0; k < parts; ++k) Kind::part(result.state, k) = stack(last[k], 0);
    return result;
}

/// One cell over all steps: the outputs [B, T, H]; `state` is the first on entry and the last on return. In each step
/// the products read the state times `drop`, if that is defined.
template <class Cell>
Tensor RecurrentStack<Cell>::run(const Cell& cell, bool reverse, const Input& x, const Tensor& mask, const Tensor& drop,
                                 State& state) const {
    const Tensor projection = cell.project(x);  // [B, T, gates * H]
    const std::int64_t steps = x.tensor().dim(1);
    std::vector<Tensor> outputs(static_cast<std::size_t>(steps));
    for (std::int64_t i = 0; i < steps; ++i) {
        const Step step(i);
        const std::int64_t t = reverse ? steps - 1 - i : i;
        state =
            cell({select(projection, 1, t), x.where()}, state, mask.defined() ? select(mask, 1, t) : Tensor(), drop);
        outputs[static_cast<std::size_t>(t)] = Kind::part(state, 0);
    }
    return stack(outputs, 1);
}

}  // namespace wengert
