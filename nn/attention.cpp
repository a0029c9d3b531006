#include <fmt/format.h>

#include <limits>
#include <wengert/nn/attention.hpp>

namespace wengert {

BahdanauAttention::Memory BahdanauAttention::remember(const Input& input, const Tensor& lengths) const {
    require_parameter(key.weight, "attention", "key.weight", input.where());
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
    require_parameter(query.weight, "attention", "query.weight", state.where());
    require_parameter(score.weight, "attention", "score.weight", state.where());
    const Tensor queries = unsqueeze(query(state), 1);  // [B, 1, A]
    located("attention", {&state.tensor()}, state.where(), [&] {
        if (!memory.keys.defined()) throw ValueError("the memory is empty; remember() makes one");
        const std::int64_t rows = queries.dim(0), remembered = memory.keys.dim(0);
        if (state.tensor().rank() != 2 || (rows != remembered && rows != 1 && remembered != 1))
            throw ShapeError(fmt::format("the state {} is not one row for each of the memory's {}",
                                         to_string(state.tensor().shape()), remembered));
        if (memory.keys.dim(2) != queries.dim(2))
            throw ShapeError(fmt::format("the memory's keys {} are of another layer, not of {} features",
                                         to_string(memory.keys.shape()), queries.dim(2)));
    });
    Tensor scores =
        map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, score.weight, memory.keys, queries);
    if (memory.padding.defined())
        scores = masked_fill(scores, memory.padding, -std::numeric_limits<double>::infinity());
    const Tensor weights = softmax(scores);                               // [B, S]
    const Tensor context = matmul(unsqueeze(weights, 1), memory.states);  // [B, 1, M]
    return {squeeze(context, 1), weights};
}

}  // namespace wengert
