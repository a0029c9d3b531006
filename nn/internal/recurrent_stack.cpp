#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <wengert/nn/internal/recurrent_stack.hpp>

namespace wengert {

CellParameters draw_cell(std::string_view type, std::int64_t gates, std::int64_t in, std::int64_t hidden,
                         Generator& generator) {
    require_features(type, {in, hidden});
    const double bound = 1 / std::sqrt(static_cast<double>(hidden));
    const std::int64_t rows = gates * hidden;
    CellParameters result;
    result.weight_ih = uniform({rows, in}, -bound, bound, generator);
    result.weight_hh = uniform({rows, hidden}, -bound, bound, generator);
    result.bias_ih = uniform({rows}, -bound, bound, generator);
    result.bias_hh = uniform({rows}, -bound, bound, generator);
    return result;
}

Tensor project_input(std::string_view cell, const Tensor& weight_ih, const Tensor& bias_ih, const Input& x) {
    require_parameter(weight_ih, cell, "weight_ih", x.where());
    require_parameter(bias_ih, cell, "bias_ih", x.where());
    return linear(x, weight_ih, bias_ih);
}

Tensor normalised(const LayerNorm& norm, const Tensor& x, const SourceLine& where) {
    return norm.weight.defined() ? norm({x, where}) : x;
}

Tensor dropped(const Tensor& h, const Tensor& drop) { return drop.defined() ? h * drop : h; }

void require_step(std::string_view cell, const Input& projection, const Tensor& weight_hh, const Tensor& bias_hh,
                  std::span<const StatePart> state, const Tensor& keep, const Tensor& drop) {
    require_parameter(weight_hh, cell, "weight_hh", projection.where());
    require_parameter(bias_hh, cell, "bias_hh", projection.where());
    const Tensor& x = projection.tensor();
    const std::int64_t rows = weight_hh.dim(0), hidden = weight_hh.dim(1);
    try {
        for (const auto& [name, h] : state)
            if (!h->defined()) throw ValueError(fmt::format("the {} is an undefined tensor", name));
        if (x.rank() != 2 || x.dim(1) != rows)
            throw ShapeError(fmt::format("the projection must be [B, {}], not {}", rows, to_string(x.shape())));
        for (const auto& [name, h] : state) {
            if (const Shape right{x.dim(0), hidden}; h->shape() != right)
                throw ShapeError(
                    fmt::format("the {} must be {}, not {}", name, to_string(right), to_string(h->shape())));
            if (h->dtype() != x.dtype())
                throw DtypeError(
                    fmt::format("the {} is {}, the projection {}", name, to_string(h->dtype()), to_string(x.dtype())));
        }
        if (const Shape right{x.dim(0), 1}; keep.defined() && keep.shape() != right)
            throw ShapeError(fmt::format("keep must be {}, not {}", to_string(right), to_string(keep.shape())));
        if (const Shape right{x.dim(0), hidden}; drop.defined() && drop.shape() != right)
            throw ShapeError(fmt::format("drop must be {}, not {}", to_string(right), to_string(drop.shape())));
    } catch (Error& error) {
        std::vector<const Tensor*> operands{&x};
        std::vector<std::string_view> names{"projection"};
        for (const auto& [name, h] : state) operands.push_back(h), names.push_back(name);
        operands.push_back(&weight_hh), names.push_back("weight");
        error.locate(cell, describe_operands(Inputs(operands), names), projection.where());
        throw;
    }
}

void require_stack(std::string_view type, int layers, double dropout, double recurrent_dropout) {
    if (layers < 1) throw ValueError(fmt::format("{}: there must be at least one layer", type));
    const auto require_probability = [type](std::string_view name, double p) {
        if (!(p >= 0 && p < 1)) throw ValueError(fmt::format("{}: {} is {:f}, outside [0, 1)", type, name, p));
    };
    require_probability("dropout", dropout);
    require_probability("recurrent_dropout", recurrent_dropout);
}

Tensor require_sequences(std::string_view layer, const Input& input, const Tensor& lengths,
                         std::span<const StatePart> first, std::int64_t cells, std::int64_t hidden) {
    const Tensor& x = input.tensor();
    return located(layer, {&x}, input.where(), [&]() -> Tensor {
        if (x.rank() != 3 || x.dim(1) == 0)
            throw ShapeError("x must be [B, T, in] with at least one step, not " + to_string(x.shape()));
        const bool continues = std::ranges::any_of(first, [](const StatePart& part) { return part.tensor->defined(); });
        if (continues) {
            const Shape right{cells, x.dim(0), hidden};
            for (const auto& [name, h] : first) {
                if (!h->defined()) throw ValueError(fmt::format("the {} is an undefined tensor", name));
                if (h->shape() != right)
                    throw ShapeError(fmt::format("the {} must be [layers * directions, B, H] = {}, not {}", name,
                                                 to_string(right), to_string(h->shape())));
                if (h->dtype() != x.dtype())
                    throw DtypeError(
                        fmt::format("the {} is {}, x {}", name, to_string(h->dtype()), to_string(x.dtype())));
            }
        }
        if (!lengths.defined()) return {};
        if (lengths.shape() != Shape{x.dim(0)})
            throw ShapeError("lengths " + to_string(lengths.shape()) + " are not one for each row of x " +
                             to_string(x.shape()));
        return unsqueeze(length_mask({lengths, input.where()}, x.dim(1), x.dtype()), 2);
    });
}

}  // namespace wengert
