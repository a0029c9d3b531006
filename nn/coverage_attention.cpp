#include <fmt/format.h>

#include <cmath>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/nn/coverage_attention.hpp>
#include <wengert/nn/internal/attended.hpp>

namespace wengert {
namespace {

constexpr std::string_view coverage_name = "coverage_attention";

/// The columns of the cell's weight that a part of its input meets.
Tensor columns(const GruCell& cell, std::int64_t begin, std::int64_t end) {
    return slice(cell.weight_ih, 1, begin, end);
}

}  // namespace

CoverageAttention::CoverageAttention(std::int64_t state, std::int64_t memory, std::int64_t attention,
                                     Generator& generator, const CoverageOptions& given)
    : query(state, attention, generator), key(memory, attention, generator, false), options(given) {
    if (!(options.most_words > 0) || !std::isfinite(options.most_words))
        throw ValueError(
            fmt::format("CoverageAttention: most_words is {}, not above 0 and finite", options.most_words));
    const bool is_neural = options.kind == CoverageKind::neural;
    if (!is_neural) options.features = 1;
    cover = Linear(options.features, attention, generator, false);
    score = Linear(attention, 1, generator, false);
    if (options.kind == CoverageKind::fertility) fertility = Linear(memory, 1, generator, false);
    if (is_neural) cell = GruCell(1 + memory + state, options.features, generator);
    name_parameters(*this);
}

CoverageAttention::Memory CoverageAttention::remember(const Input& input, const Tensor& lengths) const {
    require_parameter(key.weight, coverage_name, "key.weight", input.where());
    Memory memory{input.tensor(), {}, attended::padding(coverage_name, input, lengths), {}, {}};
    memory.keys = key(input);
    if (options.kind == CoverageKind::fertility) {
        require_parameter(fertility.weight, coverage_name, "fertility.weight", input.where());
        const double n = options.most_words;
        memory.fertility = map([n](auto x) { return n * sigmoid(x); }, fertility(input));
        // Padding is divided by as well, and must not make 0 / 0.
        if (memory.padding.defined()) memory.fertility = masked_fill(memory.fertility, unsqueeze(memory.padding, 2), 1);
    }
    if (options.kind == CoverageKind::neural) {
        require_parameter(cell.weight_ih, coverage_name, "cell.weight_ih", input.where());
        memory.projection = linear(input, columns(cell, 1, 1 + memory.states.dim(2)), cell.bias_ih);
    }
    return memory;
}

CoverageAttention::Result CoverageAttention::operator()(const Input& input, const Memory& memory,
                                                        const Tensor& coverage) const {
    require_parameter(query.weight, coverage_name, "query.weight", input.where());
    require_parameter(cover.weight, coverage_name, "cover.weight", input.where());
    require_parameter(score.weight, coverage_name, "score.weight", input.where());
    const Tensor queries = query(input);  // [R, A]
    attended::require_fitting(coverage_name, input, memory.keys, queries.dim(-1));
    const Tensor& state = input.tensor();
    const std::int64_t rows = state.dim(0) == 1 ? memory.keys.dim(0) : state.dim(0);
    const Shape right{rows, memory.keys.dim(1), cover.weight.dim(1)};
    located(coverage_name, {&state}, input.where(), [&] {
        if (options.kind == CoverageKind::fertility && !memory.fertility.defined())
            throw ValueError("the memory is of another layer, without fertility");
        if (options.kind == CoverageKind::neural && !memory.projection.defined())
            throw ValueError("the memory is of another layer, without a neural coverage");
        if (!coverage.defined()) return;
        if (coverage.shape() != right)
            throw ShapeError(fmt::format("the coverage must be [B, S, d] = {}, not {}", to_string(right),
                                         to_string(coverage.shape())));
        if (coverage.dtype() != state.dtype())
            throw DtypeError(
                fmt::format("the coverage is {}, the state {}", to_string(coverage.dtype()), to_string(state.dtype())));
    });
    const Tensor before = coverage.defined() ? coverage : zeros(right, state.dtype());
    Tensor scores;  // [R, S]
    if (right[2] == 1) {
        scores = map_sum([](auto v, auto k, auto q, auto w, auto c) { return v * tanh(k + q + w * c); }, -1,
                         score.weight, memory.keys, unsqueeze(queries, 1), squeeze(cover.weight, 1), before);
    } else {
        scores = map_sum([](auto v, auto k, auto q, auto c) { return v * tanh(k + q + c); }, -1, score.weight,
                         memory.keys, unsqueeze(queries, 1), cover(before));
    }
    const Tensor weights = attended::weigh(scores, memory.padding);
    return {attended::context(weights, memory.states), weights, next(state, memory, weights, before)};
}

Tensor CoverageAttention::next(const Tensor& state, const Memory& memory, const Tensor& weights,
                               const Tensor& before) const {
    const Tensor share = unsqueeze(weights, 2);  // [R, S, 1]
    if (options.kind == CoverageKind::accumulated) return before + share;
    if (options.kind == CoverageKind::fertility)
        return map([](auto c, auto weight, auto phi) { return c + weight / phi; }, before, share, memory.fertility);
    const Scope scope("cell");
    const std::int64_t rows = before.dim(0), steps = before.dim(1), d = before.dim(2);
    const std::int64_t of_states = 1 + memory.states.dim(2), of_all = cell.weight_ih.dim(1);
    const Tensor from_state = unsqueeze(linear(state, columns(cell, of_states, of_all)), 1);  // [R, 1, 3d]
    const Tensor projection = map([](auto share, auto w, auto m, auto h) { return share * w + m + h; }, share,
                                  select(cell.weight_ih, 1, 0), memory.projection, from_state);
    Tensor keep;
    if (memory.padding.defined())
        keep = reshape(expand(unsqueeze(1 - memory.padding, 2), {rows, steps, 1}), {rows * steps, 1});
    const Tensor after = cell(reshape(projection, {rows * steps, 3 * d}), reshape(before, {rows * steps, d}), keep);
    return reshape(after, {rows, steps, d});
}

}  // namespace wengert
