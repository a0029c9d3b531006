#include <fmt/format.h>

#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/encoder.hpp>
#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>

namespace wengert {
namespace {

/// Each row of ids [B, S] from its last real one to its first; padding stays behind.
Tensor reversed(const Tensor& ids, const Tensor& lengths) {
    if (lengths.defined() && lengths.shape() != Shape{ids.dim(0)})
        throw ShapeError(fmt::format("encoder: lengths {} are not one for each row of {}", to_string(lengths.shape()),
                                     to_string(ids.shape())));
    const std::int64_t steps = ids.dim(1);
    const Tensor positions = arange(steps);
    if (!lengths.defined()) return index_select(ids, 1, steps - 1 - positions);
    for (const std::int64_t length : lengths.to_vector<std::int64_t>())
        if (length < 0 || length > steps)
            throw ValueError(fmt::format("encoder: length {} is outside [0, {}]", length, steps));
    const Tensor ends = unsqueeze(lengths, 1);
    return gather(ids, 1, where(positions < ends, ends - 1 - positions, positions));
}

}  // namespace

Encoder::Encoder(const SystemOptions& o, bool is_attended, Generator& generator)
    : embedding(o.source_vocabulary, o.embedding, generator), options_(o) {
    if (is_attended && o.reverse_source)
        throw ValueError("reverse_source: attention looks at the words in their order; it is for systems without");
    const auto stack = [&]<class Options>(Options options) {
        options.layers = o.layers;
        options.bidirectional = o.bidirectional;
        options.dropout = o.dropout;
        options.variational = o.variational;
        options.recurrent_dropout = o.recurrent_dropout;
        options.residual = o.residual;
        options.layer_norm = o.layer_norm;
        return options;
    };
    switch (o.cell) {
        case CellKind::gru:
            gru = Gru(o.embedding, o.hidden, generator, stack(GruOptions{.reset = o.gru_reset}));
            break;
        case CellKind::lstm:
            lstm = Lstm(o.embedding, o.hidden, generator, stack(LstmOptions()));
            break;
        case CellKind::rnn:
            rnn = Rnn(o.embedding, o.hidden, generator, stack(RnnOptions()));
            break;
    }
    if (o.bidirectional) bridge = Linear((o.backward_bridge ? 1 : 2) * o.hidden, o.hidden, generator);
    name_parameters(*this);
}

void Encoder::tie(const Embedding& other) {
    if (options_.tying != Tying::all) return;
    if (options_.source_vocabulary != options_.target_vocabulary)
        throw ValueError(
            fmt::format("tying: the vocabularies have {} and {} tokens; one table for both needs a joint one",
                        options_.source_vocabulary, options_.target_vocabulary));
    embedding = other;
}

Encoder::Result Encoder::operator()(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Tensor embedded;  // [B, S, E]
    {
        const Scope scope("embedding");
        const Tensor ids = options_.reverse_source ? reversed(source, lengths) : source;
        embedded = drop_embedded(embedding(ids), options_, noise);
    }
    Tensor outputs, h, c;  // h and c [layers * directions, B, H]
    {
        const Scope scope(name_of(cell_names, options_.cell));
        if (options_.cell == CellKind::lstm) {
            const Lstm::Result result = lstm(embedded, lengths, noise);
            outputs = result.outputs, h = result.state.h, c = result.state.c;
        } else if (options_.cell == CellKind::rnn) {
            const Rnn::Result result = rnn(embedded, lengths, noise);
            outputs = result.outputs, h = result.state;
        } else {
            const Gru::Result result = gru(embedded, lengths, noise);
            outputs = result.outputs, h = result.state;
        }
    }
    Tensor state = select(h, 0, -1);  // [B, H]
    if (bridge.weight.defined()) {
        const Scope scope("bridge");
        state = tanh(bridge(options_.backward_bridge ? state : concat({select(h, 0, -2), state}, 1)));
    }
    return {outputs, state, h, c};
}

std::vector<CellState> Encoder::Result::layers(bool bidirectional) const {
    const std::int64_t directions = bidirectional ? 2 : 1;
    const auto part = [&](const Tensor& all, std::int64_t layer) {
        if (!all.defined()) return Tensor();
        const Tensor forward = select(all, 0, layer * directions);
        return bidirectional ? forward + select(all, 0, layer * directions + 1) : forward;
    };
    std::vector<CellState> states;
    for (std::int64_t layer = 0; layer * directions < h.dim(0); ++layer)
        states.push_back({part(h, layer), part(c, layer)});
    return states;
}

}  // namespace wengert
