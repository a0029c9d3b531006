#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/attention_decoder.hpp>

namespace wengert {
namespace {

template <class Attention>
Attention make_attention(const SystemOptions& o, std::int64_t memory, Generator& generator) {
    if constexpr (std::same_as<Attention, HeadsAttention>)
        return {o.hidden, memory, o.heads, generator};
    else
        return {o.hidden, memory, o.attention_size(), generator};
}

struct Attended {
    Tensor context;   // [B, M]
    Tensor weights;   // [B, S]
    Tensor coverage;  // [B, S, d], or undefined
    Tensor heads;     // [B, H, S], or undefined
};

Attended attend(const BahdanauAttention& attention, const Tensor& hidden, const BahdanauAttention::Memory& memory,
                const Tensor&) {
    const auto result = attention(hidden, memory);
    return {result.context, result.weights, {}, {}};
}
Attended attend(const CoverageAttention& attention, const Tensor& hidden, const CoverageAttention::Memory& memory,
                const Tensor& coverage) {
    const auto result = attention(hidden, memory, coverage);
    return {result.context, result.weights, result.coverage, {}};
}
Attended attend(const HeadsAttention& attention, const Tensor& hidden, const HeadsAttention::Memory& memory,
                const Tensor&) {
    const auto result = attention.heads(unsqueeze(hidden, 1), memory);
    const Tensor context = squeeze(result.outputs, 1), heads = squeeze(result.weights, 2);
    return {context, mean(heads, 1), {}, heads};
}

/// Features of a context.
template <class Attention>
std::int64_t context_features(const SystemOptions& options, std::int64_t memory) {
    return std::same_as<Attention, HeadsAttention> ? options.hidden : memory;
}

}  // namespace

template <class Attention>
AttentionDecoder<Attention>::AttentionDecoder(const SystemOptions& options, std::int64_t memory, Generator& generator)
    : TargetWords(options, Readout::state, options.hidden, context_features<Attention>(options, memory), generator),
      attention(make_attention<Attention>(options, memory, generator)),
      cell(options, options.embedding + context_features<Attention>(options, memory), generator),
      options_(options) {
    name_parameters(*this);
}

template <class Attention>
auto AttentionDecoder<Attention>::remember(const Tensor& states, const Tensor& lengths) const -> Memory {
    typename Attention::Memory attended;
    {
        const Scope scope("attention");
        attended = attention.remember(states, lengths);
    }
    const Scope scope("cell");
    return {attended, slice(cell.weight_ih(), 1, embedding.weight.dim(1), cell.weight_ih().dim(1))};
}

template <class Attention>
auto AttentionDecoder<Attention>::first_state(const Tensor& hidden, [[maybe_unused]] const Memory& memory) const
    -> State {
    State state{{hidden, cell.first_state(hidden.dim(0)).c}};
    if constexpr (std::same_as<Attention, CoverageAttention>) {
        const Tensor& keys = memory.attended.keys;
        state.coverage = zeros({keys.dim(0), keys.dim(1), attention.cover.weight.dim(1)}, keys.dtype());
    }
    return state;
}

template <class Attention>
Tensor AttentionDecoder<Attention>::project(const Tensor& embedded) const {
    const Scope scope("cell");
    return cell.project(embedded);
}

template <class Attention>
auto AttentionDecoder<Attention>::advance(const Tensor& projection, const State& state, const Memory& memory,
                                          StepDropout& drop) const -> Advance {
    Attended attended;
    {
        const Scope scope("attention");
        attended = attend(attention, state.cell.h, memory.attended, state.coverage);
    }
    const Tensor context = drop(attended.context, options_.context_dropout);
    const Scope scope("cell");
    const CellState next = cell(linear(context, memory.context_weight, projection), state.cell, drop);
    std::vector<Tensor> features{next.h};
    if (reads_context()) features.push_back(context);
    return {{next, attended.coverage}, std::move(features), attended.weights, attended.heads};
}

template struct AttentionDecoder<BahdanauAttention>;
template struct AttentionDecoder<CoverageAttention>;
template struct AttentionDecoder<HeadsAttention>;

}  // namespace wengert
