#include <fmt/format.h>

#include <cmath>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/decoder.hpp>
#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>

namespace wengert {

ReadoutLayer::ReadoutLayer(Readout k, std::int64_t in, std::int64_t out, Generator& generator) : kind(k) {
    if (kind != Readout::state) layer = Linear(in, kind == Readout::maxout ? 2 * out : out, generator);
}

Tensor ReadoutLayer::operator()(const std::vector<Tensor>& read) const {
    if (kind == Readout::state) return read[0];
    const Tensor y = layer(concat(read, -1));
    if (kind == Readout::deep) return tanh(y);
    const auto [first, second] = chunk<2>(y);
    return maximum(first, second);
}

Linear output_layer(const SystemOptions& options, std::int64_t features, Embedding& embedding, Generator& generator) {
    if (options.tying == Tying::none) return Linear(features, options.target_vocabulary, generator);
    if (features != options.embedding)
        throw ValueError(
            fmt::format("tying: the output layer reads {} features, and an embedding has {}; the two must "
                        "be equal, as a deep or maxout readout makes them",
                        features, options.embedding));
    // A row is an embedding and a row of the output layer: as the former 1 would do, as the latter 1 / sqrt(E).
    initialize::normal(embedding.weight, 0, 1 / std::sqrt(static_cast<double>(features)), generator);
    Linear output(features, options.target_vocabulary, generator);
    output.weight = embedding.weight;
    return output;
}

Decoder::Decoder(const SystemOptions& options, std::int64_t memory, Generator& generator)
    : embedding(options.target_vocabulary, options.embedding, generator),
      attention(options.hidden, memory, options.attention_size(), generator),
      cell(options.embedding + memory, options.hidden, generator),
      readout(options.readout, options.hidden + memory + options.embedding, options.embedding, generator),
      output(output_layer(options, options.readout == Readout::state ? options.hidden : options.embedding, embedding,
                          generator)),
      options_(options) {
    name_parameters(*this);
}

Tensor Decoder::embed(const Tensor& ids, Generator* noise) const {
    const Scope scope("embedding");
    return drop_embedded(embedding(ids), options_, noise);
}

Tensor Decoder::project(const Tensor& embedded) const {
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

Decoder::Advance Decoder::advance(const Tensor& projection, const State& state, const Memory& memory,
                                  Generator* noise) const {
    BahdanauAttention::Result attended;
    {
        const Scope scope("attention");
        attended = attention(state.hidden, memory.attended);
    }
    const Tensor context = drop_features(attended.context, options_.context_dropout, false, noise);
    const Scope scope("cell");
    const Tensor next = cell(linear(context, memory.context_weight, projection), state.hidden);
    std::vector<Tensor> features{next};
    if (readout.kind != Readout::state) features.push_back(context);
    return {{next}, std::move(features), attended.weights};
}

Tensor Decoder::read_out(const std::vector<Tensor>& features, const Tensor& embedded, Generator* noise) const {
    std::vector<Tensor> read = features;
    read.push_back(embedded);
    const Scope scope("readout");
    return drop_features(readout(read), options_.dropout_at_output(), options_.variational, noise);
}

}  // namespace wengert
