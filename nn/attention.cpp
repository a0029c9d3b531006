#include <limits>
#include <wengert/nn/attention.hpp>

namespace wengert {

BahdanauAttention::Memory BahdanauAttention::remember(const Input& input, const Tensor& lengths) const {
    const Tensor& states = input.tensor();
    Tensor padding;
    located("attention", {&states}, input.where(), [&] {
        if (states.rank() != 3) throw ShapeError("states must be [B, S, M], not " + to_string(states.shape()));
        if (!lengths.defined()) return;
        if (lengths.shape() != Shape{states.dim(0)})
            throw ShapeError("lengths " + to_string(lengths.shape()) + " are not one for each row of states " +
                             to_string(states.shape()));
        padding = 1 - length_mask({lengths, input.where()}, states.dim(1), states.dtype());
    });
    return {states, key(input), padding};
}

BahdanauAttention::Result BahdanauAttention::operator()(const Input& state, const Memory& memory) const {
    const Tensor queries = unsqueeze(query(state), 1);  // [B, 1, A]
    Tensor scores =
        map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, score.weight, memory.keys, queries);
    if (memory.padding.defined())
        scores = masked_fill(scores, memory.padding, -std::numeric_limits<double>::infinity());
    const Tensor weights = softmax(scores);                               // [B, S]
    const Tensor context = matmul(unsqueeze(weights, 1), memory.states);  // [B, 1, M]
    return {squeeze(context, 1), weights};
}

}  // namespace wengert
