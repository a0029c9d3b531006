#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/seq2seq.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace wengert {
namespace {

std::int64_t attention_size(const Seq2SeqOptions& o) { return o.attention > 0 ? o.attention : o.hidden; }

}  // namespace

Seq2Seq::Seq2Seq(const Seq2SeqOptions& o, Generator& generator)
    : encoder(o.source_vocabulary, o.embedding, o.hidden,
              {.layers = o.layers, .bidirectional = o.bidirectional, .dropout = o.dropout}, generator),
      decoder(o.target_vocabulary, o.embedding, o.hidden, o.hidden * (o.bidirectional ? 2 : 1), attention_size(o),
              o.dropout, generator) {
    name_parameters(*this);
}

Seq2Seq::Encoded Seq2Seq::encode(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Encoder::Result encoded;
    {
        const Scope scope("encoder");
        encoded = encoder(source, lengths, noise);
    }
    const Scope scope("decoder");
    return {encoded.state, decoder.remember(encoded.outputs, lengths)};
}

Decoder::Outputs Seq2Seq::follow(const Tensor& source, const Tensor& lengths, const Tensor& target,
                                 Generator* noise) const {
    const Encoded encoded = encode(source, lengths, noise);
    if (target.rank() != 2 || target.dim(0) != source.dim(0) || target.dim(1) < 2)
        throw ShapeError("seq2seq: target must be [B, T] with T > 1 for source " + to_string(source.shape()) +
                         ", not " + to_string(target.shape()));
    const Scope scope("decoder");
    return decoder.follow(slice(target, 1, 0, target.dim(1) - 1), encoded.state, encoded.memory, noise);
}

Seq2Seq::Result Seq2Seq::operator()(const Tensor& source, const Tensor& lengths, const Tensor& target,
                                    Generator* noise) const {
    const Decoder::Outputs outputs = follow(source, lengths, target, noise);
    const Scope scope("decoder"), layer("output");
    return {decoder.output(outputs.states), outputs.weights};
}

Tensor Seq2Seq::loss(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise) const {
    const Tensor states = follow(source, lengths, target, noise).states;
    const Scope scope("loss");
    return linear_cross_entropy(states, decoder.output.weight, decoder.output.bias, slice(target, 1, 1, target.dim(1)),
                                {.ignore_index = Vocabulary::pad});
}

Seq2Seq::Translation Seq2Seq::greedy(const Tensor& source, const Tensor& lengths, std::int64_t max_length) const {
    const Pause pause;
    const Encoded encoded = encode(source, lengths);
    const Scope scope("decoder");
    const std::int64_t rows = source.dim(0);
    Translation result;
    result.tokens.resize(static_cast<std::size_t>(rows));
    std::vector<bool> ended(static_cast<std::size_t>(rows));
    std::int64_t open = rows;
    std::vector<Tensor> weights;
    Tensor state = encoded.state, token = Tensor::empty({rows}, Dtype::int64);
    token.fill(Vocabulary::start);
    for (std::int64_t t = 0; t < max_length && open > 0; ++t) {
        const Step count(t);
        const Decoder::Step next = decoder.step(decoder.project(token), state, encoded.memory);
        state = next.state;
        weights.push_back(next.weights);
        token = argmax(decoder.output(state), -1);
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto i = static_cast<std::size_t>(row);
            if (ended[i]) continue;
            const std::int64_t id = token.data<std::int64_t>()[row];
            if (id == Vocabulary::end)
                ended[i] = true, --open;
            else
                result.tokens[i].push_back(id);
        }
    }
    result.weights = weights.empty() ? zeros({rows, 0, source.dim(1)}, state.dtype()) : stack(weights, 1);
    return result;
}

}  // namespace wengert
