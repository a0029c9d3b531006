// Mirrors no file: bfloat16 through every layer.
#include <wengert/nn/attention.hpp>
#include <wengert/nn/embedding.hpp>
#include <wengert/nn/gru.hpp>
#include <wengert/nn/linear.hpp>
#include <wengert/nn/lstm.hpp>
#include <wengert/nn/rnn.hpp>

#include "bfloat16.hpp"

using namespace wengert;
using namespace bfloat16_sizes;

namespace {

struct EmbeddingAndLinear {
    Embedding embedding;
    Linear output;
    void visit(auto&& f) {
        f("embedding", embedding);
        f("output", output);
    }
};

}  // namespace

TEST_CASE("bfloat16: linear layers") {
    Generator generator(1);
    for (const bool has_bias : {true, false})
        check_bfloat16(Linear(features, hidden, generator, has_bias), {sample({batch, features}, 1)}, 1,
                       [](const Linear& layer, const auto& in) { return weighed(layer(in[0])); });
    check_bfloat16(Linear(features, hidden, generator), {sample({batch, features}, 1)}, 2,
                   [](const Linear& layer, const auto& in) { return weighed(tanh(layer(in[0]))); });
}

TEST_CASE("bfloat16: an embedding below a linear layer") {
    Generator generator(1);
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < batch; ++i) ids.push_back(i * 7 % 20);
    check_bfloat16(EmbeddingAndLinear{Embedding(20, features, generator), Linear(features, hidden, generator)},
                   {tensor(ids, {batch})}, 1,
                   [](const EmbeddingAndLinear& m, const auto& in) { return weighed(m.output(m.embedding(in[0]))); });
}

TEST_CASE("bfloat16: GRU layers, back through time") {
    Generator generator(1);
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product}) {
        check_bfloat16(GruCell(features, hidden, generator, reset),
                       {sample({batch, features}, 1), sample({batch, hidden}, 2)}, 3,
                       [](const GruCell& cell, const auto& in) { return weighed(cell(cell.project(in[0]), in[1])); });
        for (const bool bidirectional : {false, true}) {
            for (const bool padded : {false, true}) {
                CAPTURE(bidirectional);
                CAPTURE(padded);
                constexpr int layers = 2;
                check_bfloat16(Gru(features, hidden, generator,
                                   {.layers = layers, .bidirectional = bidirectional, .reset = reset}),
                               {sample({batch, steps, features}, 3)}, 2 * layers * (static_cast<int>(steps) + 1),
                               [padded](const Gru& layer, const auto& in) {
                                   const Gru::Result result = layer(in[0], padded ? lengths() : Tensor());
                                   return weighed(result.outputs) + weighed(result.state);
                               });
            }
        }
    }
}

TEST_CASE("bfloat16: LSTM and simple recurrent layers, back through time") {
    Generator generator(1);
    const Tensor x = sample({batch, features}, 1), h = sample({batch, hidden}, 2), c = sample({batch, hidden}, 3);
    const Tensor sequences = sample({batch, steps, features}, 4);
    constexpr int layers = 2, products = 2 * layers * (static_cast<int>(steps) + 1);
    check_bfloat16(LstmCell(features, hidden, generator), {x, h, c}, 3, [](const LstmCell& cell, const auto& in) {
        const LstmState next = cell(cell.project(in[0]), {in[1], in[2]});
        return weighed(next.h) + weighed(next.c);
    });
    check_bfloat16(RnnCell(features, hidden, generator), {x, h}, 3,
                   [](const RnnCell& cell, const auto& in) { return weighed(cell(cell.project(in[0]), in[1])); });
    check_bfloat16(Lstm(features, hidden, generator, {.layers = layers, .bidirectional = true}), {sequences}, products,
                   [](const Lstm& layer, const auto& in) {
                       const auto [outputs, state] = layer(in[0], lengths());
                       return weighed(outputs) + weighed(state.h) + weighed(state.c);
                   });
    check_bfloat16(Rnn(features, hidden, generator, {.layers = layers, .bidirectional = true}), {sequences}, products,
                   [](const Rnn& layer, const auto& in) {
                       const auto [outputs, state] = layer(in[0], lengths());
                       return weighed(outputs) + weighed(state);
                   });
}

TEST_CASE("bfloat16: attention") {
    Generator generator(1);
    for (const bool padded : {false, true})
        check_bfloat16(BahdanauAttention(hidden, features, hidden, generator),
                       {sample({batch, hidden}, 1), sample({batch, steps, features}, 2)}, 2,
                       [padded](const BahdanauAttention& layer, const auto& in) {
                           const auto result = layer(in[0], layer.remember(in[1], padded ? lengths() : Tensor()));
                           return weighed(result.context) + weighed(result.weights);
                       });
}
