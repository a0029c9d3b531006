#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/encoder.hpp>

namespace wengert {

Encoder::Encoder(std::int64_t vocabulary, std::int64_t features, std::int64_t hidden, const GruOptions& options,
                 Generator& generator)
    : embedding(vocabulary, features, generator), gru(features, hidden, generator, options), dropout_{options.dropout} {
    if (options.bidirectional) bridge = Linear(2 * hidden, hidden, generator);
    name_parameters(*this);
}

Encoder::Result Encoder::operator()(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Tensor embedded;  // [B, S, E]
    {
        const Scope scope("embedding");
        embedded = dropout_(embedding(source), noise);
    }
    Gru::Result result;
    {
        const Scope scope("gru");
        result = gru(embedded, lengths, noise);
    }
    Tensor state = select(result.state, 0, -1);  // [B, H]
    if (bridge.weight.defined()) {
        const Scope scope("bridge");
        state = tanh(bridge(concat({select(result.state, 0, -2), state}, 1)));
    }
    return {result.outputs, state};
}

}  // namespace wengert
