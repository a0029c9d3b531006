#include <algorithm>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/encoder.hpp>
#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>

namespace wengert {
namespace {

/// Each row of ids [B, S] from its last real one to its first; padding stays behind.
Tensor reversed(const Tensor& ids, const Tensor& lengths) {
    Tensor result = ids.clone();
    std::int64_t* const all = result.mutable_data<std::int64_t>();
    const std::int64_t steps = ids.dim(1);
    for (std::int64_t row = 0; row < ids.dim(0); ++row) {
        const std::int64_t length = lengths.defined() ? lengths.data<std::int64_t>()[row] : steps;
        std::reverse(all + row * steps, all + row * steps + length);
    }
    return result;
}

}  // namespace

Encoder::Encoder(const SystemOptions& o, Generator& generator)
    : embedding(o.source_vocabulary, o.embedding, generator),
      gru(o.embedding, o.hidden, generator,
          {.layers = o.layers, .bidirectional = o.bidirectional, .dropout = o.dropout}),
      options_(o) {
    if (o.bidirectional) bridge = Linear((o.backward_bridge ? 1 : 2) * o.hidden, o.hidden, generator);
    name_parameters(*this);
}

Encoder::Result Encoder::operator()(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Tensor embedded;  // [B, S, E]
    {
        const Scope scope("embedding");
        const Tensor ids = options_.reverse_source ? reversed(source, lengths) : source;
        embedded = drop_embedded(embedding(ids), options_, noise);
    }
    Gru::Result result;
    {
        const Scope scope("gru");
        result = gru(embedded, lengths, noise);
    }
    Tensor state = select(result.state, 0, -1);  // [B, H]
    if (bridge.weight.defined()) {
        const Scope scope("bridge");
        state = tanh(bridge(options_.backward_bridge ? state : concat({select(result.state, 0, -2), state}, 1)));
    }
    return {result.outputs, state};
}

}  // namespace wengert
