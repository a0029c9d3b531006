#pragma once

#include <utility>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {

/// The gradient check of a layer: of f(layer, inputs), by each parameter of the layer and each float64 input. The layer
/// is checked in float64, whatever its dtype; messages call its parameters by their dotted names. Throws ValueError if
/// f uses a parameter that the layer's visit does not name, and what gradcheck() of a function throws.
///
///     gradcheck(linear, {x}, [](const Linear& linear, const std::vector<Tensor>& in) { return linear(in[0]); });
template <Module M, class F>
GradcheckResult gradcheck(const M& layer, const std::vector<Tensor>& inputs, const F& f, GradcheckOptions options = {},
                          const SourceLine& where = std::source_location::current()) {
    M probe = to(layer, Dtype::float64);
    std::vector<Tensor> all = inputs;
    if (options.names.empty())
        for (std::size_t i = 0; i < inputs.size(); ++i)
            options.names.push_back(inputs[i].name().empty() ? "input " + std::to_string(i) : inputs[i].name());
    for (const auto& [name, parameter] : named_parameters(probe)) {
        all.push_back(parameter);
        options.names.push_back(name);
    }
    {
        Tape tape;
        const NodeId first = tape.size();
        f(std::as_const(probe), inputs);
        require_visited(tape, probe, first, where);
    }
    const auto count = static_cast<std::ptrdiff_t>(inputs.size());
    return gradcheck(
        [&](const std::vector<Tensor>& x) {
            auto next = x.begin() + count;
            for_each_parameter(probe, [&](const std::string&, Tensor& parameter) { parameter = *next++; });
            return f(std::as_const(probe), std::vector<Tensor>(x.begin(), x.begin() + count));
        },
        all, options);
}

}  // namespace wengert
