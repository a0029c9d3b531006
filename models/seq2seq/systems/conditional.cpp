#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/conditional.hpp>
#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>

namespace wengert {
namespace {

/// The mean [B, M] of the real ones of states [B, S, M]; others are 0.
Tensor mean_state(const Tensor& states, const Tensor& lengths) {
    if (!lengths.defined()) return mean(states, 1);
    return sum(states, 1) / unsqueeze(convert(lengths, states.dtype()), 1);
}

}  // namespace

Conditional::Decoder::Decoder(const SystemOptions& o, std::int64_t memory, Generator& generator)
    : TargetWords(o, Readout::deep, o.hidden, memory, generator),
      start(memory, o.hidden, generator),
      first(o, o.embedding, generator),
      attention(o.hidden, memory, o.attention_size(), generator),
      second(o, memory, generator) {}

Conditional::Conditional(const SystemOptions& options, Generator& generator)
    : encoder(options, true, generator), decoder(options, encoder.features(), generator), options_(options) {
    encoder.bridge = {};  // the mean takes its place
    encoder.tie(decoder.embedding);
    name_parameters(*this);
}

Conditional::Encoded Conditional::encode(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Tensor states;
    {
        const Scope scope("encoder");
        states = drop_features(encoder(source, lengths, noise).outputs, options_.context_dropout, options_.variational,
                               noise);
    }
    const Scope scope("decoder");
    Encoded result;
    {
        const Scope layer("start");
        const Tensor first = tanh(decoder.start(mean_state(states, lengths)));
        result.state.cell = {first, decoder.first.first_state(first.dim(0)).c};
    }
    const Scope layer("attention");
    result.memory = decoder.attention.remember(states, lengths);
    return result;
}

Tensor Conditional::project(const Tensor& embedded) const {
    const Scope scope("first");
    return decoder.first.project(embedded);
}

Conditional::Advance Conditional::advance(const Tensor& projection, const State& state, const Memory& memory,
                                          StepDropout& drop) const {
    CellState between;
    {
        const Scope scope("first");
        between = decoder.first(projection, state.cell, drop);
    }
    BahdanauAttention::Result attended;
    {
        const Scope scope("attention");
        attended = decoder.attention(between.h, memory);
    }
    const Scope scope("second");
    const CellState next = decoder.second(decoder.second.project(attended.context), between, drop);
    return {{next}, {next.h, attended.context}, attended.weights};
}

}  // namespace wengert
