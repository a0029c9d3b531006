#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/decoder.hpp>

namespace wengert {

Decoder::Decoder(std::int64_t vocabulary, std::int64_t features, std::int64_t hidden, std::int64_t memory,
                 std::int64_t attention_size, double dropout, Generator& generator)
    : embedding(vocabulary, features, generator),
      attention(hidden, memory, attention_size, generator),
      cell(features + memory, hidden, generator),
      output(hidden, vocabulary, generator),
      dropout_{dropout} {
    name_parameters(*this);
}

Tensor Decoder::project(const Tensor& ids, Generator* noise) const {
    Tensor embedded;  // [.., E]
    {
        const Scope scope("embedding");
        embedded = dropout_(embedding(ids), noise);
    }
    const Scope scope("cell");
    return linear(embedded, slice(cell.weight_ih, 1, 0, embedded.dim(-1)), cell.bias_ih);
}

Decoder::Memory Decoder::remember(const Tensor& states, const Tensor& lengths) const {
    BahdanauAttention::Memory attended;
    {
        const Scope scope("attention");
        attended = attention.remember(states, lengths);
    }
    const Scope scope("cell");
    return {attended, slice(cell.weight_ih, 1, embedding.weight.dim(1), cell.weight_ih.dim(1))};
}

Decoder::Step Decoder::step(const Tensor& projection, const Tensor& state, const Memory& memory) const {
    BahdanauAttention::Result attended;
    {
        const Scope scope("attention");
        attended = attention(state, memory.attended);
    }
    const Scope scope("cell");
    return {cell(linear(attended.context, memory.context_weight, projection), state), attended.weights};
}

Decoder::Outputs Decoder::follow(const Tensor& ids, const Tensor& state, const Memory& memory, Generator* noise) const {
    const Tensor projection = project(ids, noise);  // [B, T, 3H]
    std::vector<Tensor> states, weights;
    Tensor current = state;
    for (std::int64_t t = 0; t < ids.dim(1); ++t) {
        const wengert::Step count(t);
        const Step next = step(select(projection, 1, t), current, memory);
        current = next.state;
        states.push_back(next.state);
        weights.push_back(next.weights);
    }
    const Scope scope("output");
    return {dropout_(stack(states, 1), noise), stack(weights, 1)};
}

Decoder::Result Decoder::operator()(const Tensor& ids, const Tensor& state, const Memory& memory,
                                    Generator* noise) const {
    const Outputs outputs = follow(ids, state, memory, noise);
    const Scope scope("output");
    return {output(outputs.states), outputs.weights};
}

}  // namespace wengert
