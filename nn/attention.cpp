#include <wengert/nn/attention.hpp>
#include <wengert/nn/internal/attended.hpp>

namespace wengert {

BahdanauAttention::Memory BahdanauAttention::remember(const Input& states, const Tensor& lengths) const {
    require_parameter(key.weight, "attention", "key.weight", states.where());
    const Tensor padding = attended::padding("attention", states, lengths);
    return {states.tensor(), key(states), padding};
}

BahdanauAttention::Result BahdanauAttention::operator()(const Input& state, const Memory& memory) const {
    require_parameter(query.weight, "attention", "query.weight", state.where());
    require_parameter(score.weight, "attention", "score.weight", state.where());
    const Tensor queries = query(state);  // [R, A]
    attended::require_fitting("attention", state, memory.keys, queries.dim(-1));
    const Tensor scores = attended::additive_scores(score.weight, memory.keys, queries);
    const Tensor weights = attended::weigh(scores, memory.padding);
    return {attended::context(weights, memory.states), weights};
}

}  // namespace wengert
