#include <fmt/format.h>

#include <wengert/nn/internal/attended.hpp>
#include <wengert/nn/luong_attention.hpp>

namespace wengert {
namespace {

constexpr std::string_view luong_name = "luong_attention";

std::int64_t require_window(std::string_view layer, std::int64_t window) {
    if (window < 1) throw ValueError(fmt::format("{}: the window is {}, less than 1", layer, window));
    return window;
}

/// 1 where a position counts for nothing: outside of the window around the centers, [R, 1] or a number, or at padding.
/// A constant [R, S] or [S].
Tensor outside_of(const Input& centers, std::int64_t window, const Tensor& positions, const Tensor& padding) {
    const Pause pause;
    const Tensor outside = abs(positions - centers) > window;
    return padding.defined() ? maximum(padding, outside) : outside;
}

}  // namespace

LuongAttention::LuongAttention(std::int64_t state, std::int64_t memory, Generator& generator,
                               const LuongOptions& options)
    : kind(options.score) {
    const std::int64_t attention = options.attention == 0 ? state : options.attention;
    require_features("LuongAttention", {state, memory, attention});
    if (kind == LuongScore::dot && state != memory)
        throw ValueError(
            fmt::format("LuongAttention: dot needs a memory of as many features as the state, and they are {} and {}",
                        memory, state));
    if (kind == LuongScore::general) key = Linear(memory, state, generator, false);
    if (kind == LuongScore::concat) {
        query = Linear(state, attention, generator, false);
        key = Linear(memory, attention, generator, false);
        score = Linear(attention, 1, generator, false);
    }
    name_parameters(*this);
}

LuongAttention::Memory LuongAttention::remember(const Input& states, const Tensor& lengths) const {
    if (kind != LuongScore::dot) require_parameter(key.weight, luong_name, "key.weight", states.where());
    const Tensor padding = attended::padding(luong_name, states, lengths);
    return {states.tensor(), kind == LuongScore::dot ? states.tensor() : key(states), padding};
}

Tensor LuongAttention::scores(const Input& state, const Memory& memory) const {
    if (kind == LuongScore::concat) {
        require_parameter(query.weight, luong_name, "query.weight", state.where());
        require_parameter(score.weight, luong_name, "score.weight", state.where());
        const Tensor queries = query(state);  // [R, A]
        attended::require_fitting(luong_name, state, memory.keys, queries.dim(-1));
        return attended::additive_scores(score.weight, memory.keys, queries);
    }
    if (kind == LuongScore::general) require_parameter(key.weight, luong_name, "key.weight", state.where());
    const Tensor& h = state.tensor();
    const std::int64_t features = kind == LuongScore::general ? key.weight.dim(0) : h.shape().back();
    attended::require_fitting(luong_name, state, memory.keys, features);
    return located(luong_name, {&h}, state.where(), [&] {
        if (h.dim(1) != features)
            throw ShapeError(fmt::format("the state must be [B, {}], not {}", features, to_string(h.shape())));
        return squeeze(matmul(memory.keys, unsqueeze(h, 2)), 2);  // [R, S]
    });
}

LuongAttention::Result LuongAttention::operator()(const Input& state, const Memory& memory) const {
    const Tensor weights = attended::weigh(scores(state, memory), memory.padding);
    return {attended::context(weights, memory.states), weights};
}

LocalMonotonicAttention::LocalMonotonicAttention(std::int64_t state, std::int64_t memory, std::int64_t window,
                                                 Generator& generator, const LuongOptions& options)
    : content(state, memory, generator, options), window(require_window("LocalMonotonicAttention", window)) {
    name_parameters(*this);
}

LocalMonotonicAttention::Memory LocalMonotonicAttention::remember(const Input& states, const Tensor& lengths) const {
    Memory memory = content.remember(states, lengths);
    attended::require_padding_behind(luong_name, states, lengths);
    return memory;
}

LocalMonotonicAttention::Result LocalMonotonicAttention::operator()(const Input& state, const Memory& memory,
                                                                    std::int64_t step) const {
    located(luong_name, {&state.tensor()}, state.where(), [&] {
        if (step < 0) throw ValueError(fmt::format("the step is {}, less than 0", step));
    });
    return (*this)(state, memory, full({state.tensor().dim(0), 1}, static_cast<double>(step), state.tensor().dtype()));
}

LocalMonotonicAttention::Result LocalMonotonicAttention::operator()(const Input& state, const Memory& memory,
                                                                    const Tensor& steps) const {
    const Tensor scores = content.scores(state, memory);
    located(luong_name, {&state.tensor()}, state.where(), [&] {
        if (const Shape right{state.tensor().dim(0), 1}; steps.shape() != right)
            throw ShapeError(fmt::format("the steps must be {}, not {}", to_string(right), to_string(steps.shape())));
    });
    const Tensor positions = arange(memory.keys.dim(1), scores.dtype());
    const Tensor weights = attended::weigh(scores, outside_of(steps, window, positions, memory.padding));
    return {attended::context(weights, memory.states), weights};
}

LocalPredictiveAttention::LocalPredictiveAttention(std::int64_t state, std::int64_t memory, std::int64_t window,
                                                   Generator& generator, const LuongOptions& options)
    : content(state, memory, generator, options),
      position_hidden(state, state, generator, false),
      position_score(state, 1, generator, false),
      window(require_window("LocalPredictiveAttention", window)) {
    name_parameters(*this);
}

LocalPredictiveAttention::Memory LocalPredictiveAttention::remember(const Input& input, const Tensor& lengths) const {
    const LuongAttention::Memory memory = content.remember(input, lengths);
    attended::require_padding_behind(luong_name, input, lengths);
    const Tensor& states = memory.states;
    if (lengths.defined() && lengths.dtype() == Dtype::boolean)
        return {memory, static_cast<double>(states.dim(1)) - sum(memory.padding, 1, true)};
    if (lengths.defined()) return {memory, unsqueeze(convert(lengths, states.dtype()), 1)};
    return {memory, full({states.dim(0), 1}, static_cast<double>(states.dim(1)), states.dtype())};
}

LocalPredictiveAttention::Result LocalPredictiveAttention::operator()(const Input& state, const Memory& memory) const {
    require_parameter(position_hidden.weight, luong_name, "position_hidden.weight", state.where());
    require_parameter(position_score.weight, luong_name, "position_score.weight", state.where());
    const Tensor scores = content.scores(state, memory.content);
    const Tensor logit = position_score(tanh(position_hidden(state)));  // [R, 1]
    const Tensor position = map([](auto length, auto x) { return length * sigmoid(x); }, memory.lengths, logit);
    const Tensor positions = arange(scores.dim(1), scores.dtype());
    const Tensor even = attended::weigh(scores, outside_of(position, window, positions, memory.content.padding));
    const double steepness = -2.0 / static_cast<double>(window * window);  // -1 / (2 sigma^2)
    const Tensor weights = map(
        [steepness](auto weight, auto s, auto p) {
            const auto distance = s - p;
            return weight * exp(steepness * distance * distance);
        },
        even, positions, position);
    return {attended::context(weights, memory.content.states), weights, position};
}

}  // namespace wengert
