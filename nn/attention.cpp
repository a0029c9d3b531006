#include <limits>
#include <wengert/nn/attention.hpp>

namespace wengert {

BahdanauAttention::Memory BahdanauAttention::remember(const Tensor& states, const Tensor& lengths) const {
    Tensor padding;
    if (lengths.defined()) padding = 1 - length_mask(lengths, states.dim(1), states.dtype());
    return {states, key(states), padding};
}

BahdanauAttention::Result BahdanauAttention::operator()(const Tensor& state, const Memory& memory) const {
    const Tensor queries = unsqueeze(query(state), 1);  // [B, 1, A]
    Tensor scores = map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, score.weight, memory.keys, queries);
    if (memory.padding.defined()) scores = masked_fill(scores, memory.padding, -std::numeric_limits<double>::infinity());
    const Tensor weights = softmax(scores);                                   // [B, S]
    const Tensor context = matmul(unsqueeze(weights, 1), memory.states);     // [B, 1, M]
    return {squeeze(context, 1), weights};
}

}  // namespace wengert
