#include <fmt/format.h>

#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/stacked.hpp>

namespace wengert {

Stacked::Decoder::Decoder(const SystemOptions& o, StackAttention kind, std::int64_t memory, Generator& generator)
    : TargetWords(o, Readout::state, o.hidden, 0, generator),
      cells(o, kind == StackAttention::none ? 0 : o.hidden, generator) {
    const auto with = [&](LuongScore score) { return LuongOptions{.score = score, .attention = o.attention}; };
    switch (kind) {
        case StackAttention::none:
            return;
        case StackAttention::dot:
            attention = {o.hidden, memory, generator, with(LuongScore::dot)};
            break;
        case StackAttention::general:
            attention = {o.hidden, memory, generator, with(LuongScore::general)};
            break;
        case StackAttention::concat:
            attention = {o.hidden, memory, generator, with(LuongScore::concat)};
            break;
        case StackAttention::local_monotonic:
            local_monotonic = {o.hidden, memory, o.window, generator};
            break;
        case StackAttention::local_predictive:
            local_predictive = {o.hidden, memory, o.window, generator};
            break;
    }
    combine = Linear(memory + o.hidden, o.hidden, generator, false);
}

Stacked::Stacked(const SystemOptions& options, StackAttention kind, Generator& generator)
    : encoder(options, kind != StackAttention::none, generator),
      decoder(options, kind, encoder.features(), generator),
      kind_(kind),
      options_(options) {
    encoder.bridge = {};  // the states of all layers take its place
    encoder.tie(decoder.embedding);
    name_parameters(*this);
}

Stacked::Encoded Stacked::encode(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Encoder::Result encoded;
    {
        const Scope scope("encoder");
        encoded = encoder(source, lengths, noise);
    }
    Encoded result;
    result.state.cells = encoded.layers(options_.bidirectional);
    if (kind_ == StackAttention::none) return result;
    const Scope scope("decoder"), layer("attention");
    result.state.combined = zeros(result.state.cells[0].h.shape(), encoded.outputs.dtype());
    if (kind_ == StackAttention::local_monotonic)
        result.state.step = zeros({encoded.outputs.dim(0), 1}, encoded.outputs.dtype());
    if (kind_ == StackAttention::local_predictive)
        result.memory.predictive = decoder.local_predictive.remember(encoded.outputs, lengths);
    else if (kind_ == StackAttention::local_monotonic)
        result.memory.global = decoder.local_monotonic.remember(encoded.outputs, lengths);
    else
        result.memory.global = decoder.attention.remember(encoded.outputs, lengths);
    return result;
}

Tensor Stacked::project(const Tensor& embedded) const { return decoder.cells.project(embedded); }

Stacked::Advance Stacked::advance(const Tensor& projection, const State& state, const Memory& memory,
                                  StepDropout& drop) const {
    Advance next;
    if (state.step.defined()) next.state.step = state.step + 1;
    CellStack::Result layers = decoder.cells(projection, state.combined, state.cells, drop);
    next.state.cells = std::move(layers.states);
    const Tensor& top = layers.top;
    if (kind_ == StackAttention::none) {
        next.features = {top};
        return next;
    }
    Tensor context;
    {
        const Scope scope("attention");
        if (kind_ == StackAttention::local_predictive) {
            const auto attended = decoder.local_predictive(top, memory.predictive);
            context = attended.context, next.weights = attended.weights;
        } else {
            const auto attended = kind_ == StackAttention::local_monotonic
                                      ? decoder.local_monotonic(top, memory.global, state.step)
                                      : decoder.attention(top, memory.global);
            context = attended.context, next.weights = attended.weights;
        }
    }
    context = drop(context, options_.context_dropout);
    const Scope scope("combine");
    next.state.combined = tanh(decoder.combine(concat({context, top}, 1)));
    next.features = {next.state.combined};
    return next;
}

}  // namespace wengert
