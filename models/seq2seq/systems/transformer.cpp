#include <cmath>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>
#include <wengert/models/seq2seq/systems/transformer.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace wengert {
namespace {

SystemOptions with_model_width(SystemOptions options) {
    options.embedding = options.hidden;
    return options;
}

TransformerOptions layer_options(const SystemOptions& o) {
    return {.dim_feedforward = o.feed_forward > 0 ? o.feed_forward : 4 * o.hidden,
            .dropout = o.dropout,
            .norm_first = true};
}

/// Embeddings are multiplied by sqrt(E), so that they begin smaller by as much.
void shrink(Tensor weight, Generator& generator) {
    initialize::normal(weight, 0, 1 / std::sqrt(static_cast<double>(weight.dim(1))), generator);
}

}  // namespace

TransformerModel::Decoder::Decoder(const SystemOptions& o, Generator& generator)
    : TargetWords(o, Readout::state, o.hidden, 0, generator),
      transformer(o.hidden, o.heads, o.layers, generator, layer_options(o)) {
    shrink(embedding.weight, generator);
}

TransformerModel::TransformerModel(SystemOptions options, Generator& generator)
    : options_(with_model_width(std::move(options))) {
    encoder.embedding = Embedding(options_.source_vocabulary, options_.hidden, generator);
    shrink(encoder.embedding.weight, generator);
    encoder.transformer =
        TransformerEncoder(options_.hidden, options_.heads, options_.layers, generator, layer_options(options_));
    decoder = Decoder(options_, generator);
    if (options_.tying == Tying::all) {
        if (options_.source_vocabulary != options_.target_vocabulary)
            throw ValueError("tying: one table for both languages needs a joint vocabulary");
        encoder.embedding = decoder.embedding;
    }
    name_parameters(*this);
}

Tensor TransformerModel::place(const Tensor& embedded, std::int64_t first, Generator* noise) const {
    const Tensor x = SinusoidalEncoding()(embedded * std::sqrt(static_cast<double>(options_.hidden)), first);
    return drop_features(drop_words(x, options_.word_dropout, noise), options_.dropout, options_.variational, noise);
}

TransformerModel::Encoded TransformerModel::encode(const Tensor& source, const Tensor& lengths,
                                                   Generator* noise) const {
    Tensor states;
    {
        const Scope scope("encoder");
        states = encoder.transformer(place(encoder.embedding(source), 0, noise), lengths, {.noise = noise});
    }
    const Scope scope("decoder");
    return {{decoder.transformer.remember(states, lengths)}, {}};
}

TransformerModel::Step TransformerModel::step(const Tensor& tokens, const State& state, const Memory& memory) const {
    const Scope scope("decoder");
    const Tensor x = place(decoder.embedding(unsqueeze(tokens, 1)), state.step, nullptr);
    const TransformerDecoder::Step next = decoder.transformer.step(x, memory.layers, state.past);
    return {decoder.output(squeeze(next.outputs, 1)),
            squeeze(mean(next.weights, 1), 1),
            {next.past, state.step + 1},
            squeeze(next.weights, 2)};
}

TransformerDecoder::Step TransformerModel::follow(const Tensor& source, const Tensor& lengths, const Tensor& target,
                                                  Generator* noise) const {
    const Encoded encoded = encode(source, lengths, noise);
    require_target(source, target);
    const Scope scope("decoder");
    const Tensor x = place(decoder.embedding(slice(target, 1, 0, target.dim(1) - 1)), 0, noise);
    TransformerDecoder::Step steps = decoder.transformer.step(x, encoded.memory.layers, {}, noise);
    steps.outputs = drop_features(steps.outputs, options_.output_dropout, options_.variational, noise);
    return steps;
}

Tensor TransformerModel::loss(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise,
                              const LossOptions& options) const {
    if (options.sampling > 0)
        throw ValueError(
            "scheduled sampling: a transformer sees all of a target at once, and has no step to sample at");
    const Tensor features = follow(source, lengths, target, noise).outputs;
    const Scope scope("loss");
    return linear_cross_entropy(features, decoder.output.weight, decoder.output.bias,
                                slice(target, 1, 1, target.dim(1)),
                                {.ignore_index = Vocabulary::pad, .label_smoothing = options.label_smoothing});
}

TransformerModel::Result TransformerModel::operator()(const Tensor& source, const Tensor& lengths, const Tensor& target,
                                                      Generator* noise) const {
    const TransformerDecoder::Step steps = follow(source, lengths, target, noise);
    const Scope scope("decoder"), layer("output");
    return {decoder.output(steps.outputs), mean(steps.weights, 1)};
}

}  // namespace wengert
