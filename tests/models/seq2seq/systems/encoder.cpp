#include <doctest/doctest.h>

#include <wengert/models/seq2seq/systems/encoder.hpp>

#include "../../../nn/close.hpp"
#include "../../../values.hpp"

using namespace wengert;

namespace {

/// Three sentences of lengths 4, 2 and 1 over 6 words.
Tensor three_sentences() { return reshape(ids({5, 3, 5, 2, 4, 2, 0, 0, 2, 0, 0, 0}), {3, 4}); }
Tensor sentence_lengths() { return ids({4, 2, 1}); }

Encoder small_encoder(SystemOptions options, Generator& generator) {
    options.source_vocabulary = 6, options.embedding = 3, options.hidden = 2;
    return Encoder(options, false, generator);
}
constexpr SystemOptions one_layer{.layers = 1};

}  // namespace

TEST_CASE("encoder: the first state of the decoder is the top layer's last") {
    Generator generator(1);
    const Encoder encoder = small_encoder({.layers = 2}, generator);
    const Encoder::Result result = encoder(three_sentences(), sentence_lengths());
    CHECK(result.outputs.shape() == Shape{3, 4, 2});
    CHECK(result.state.shape() == Shape{3, 2});
    const std::vector<std::int64_t> last{3, 1, 0};
    for (int row = 0; row < 3; ++row)
        CHECK(difference(select(result.state, 0, row),
                         select(select(result.outputs, 0, row), 0, last[static_cast<std::size_t>(row)]), 0) == "");
}

TEST_CASE("encoder: of two directions it is tanh of the bridge over both last states") {
    Generator generator(1);
    const Encoder encoder = small_encoder({.layers = 2, .bidirectional = true}, generator);
    const Encoder::Result result = encoder(three_sentences(), sentence_lengths());
    CHECK(result.outputs.shape() == Shape{3, 4, 4});
    const std::vector<std::int64_t> last{3, 1, 0};
    for (int row = 0; row < 3; ++row) {
        const Tensor outputs = select(result.outputs, 0, row);
        const Tensor forward = slice(select(outputs, 0, last[static_cast<std::size_t>(row)]), 0, 0, 2);
        const Tensor backward = slice(select(outputs, 0, 0), 0, 2, 4);
        const Tensor state = tanh(encoder.bridge(concat({forward, backward}, 0)));
        CHECK(difference(select(result.state, 0, row), state, 1e-6) == "");
    }
}

TEST_CASE("encoder: parameters have the names and shapes that files have") {
    Generator generator(1);
    const auto list = [](const Encoder& encoder) {
        std::vector<std::pair<std::string, Shape>> result;
        for (const auto& [name, parameter] : named_parameters(encoder)) {
            CHECK(parameter.name() == name);
            result.emplace_back(name, parameter.shape());
        }
        return result;
    };
    using List = std::vector<std::pair<std::string, Shape>>;
    CHECK(list(small_encoder(one_layer, generator)) == List{{"embedding.weight", {6, 3}},
                                                            {"gru.weight_ih_l0", {6, 3}},
                                                            {"gru.weight_hh_l0", {6, 2}},
                                                            {"gru.bias_ih_l0", {6}},
                                                            {"gru.bias_hh_l0", {6}}});
    CHECK(list(small_encoder({.layers = 1, .bidirectional = true}, generator)) ==
          List{{"embedding.weight", {6, 3}},
               {"gru.weight_ih_l0", {6, 3}},
               {"gru.weight_hh_l0", {6, 2}},
               {"gru.bias_ih_l0", {6}},
               {"gru.bias_hh_l0", {6}},
               {"gru.weight_ih_l0_reverse", {6, 3}},
               {"gru.weight_hh_l0_reverse", {6, 2}},
               {"gru.bias_ih_l0_reverse", {6}},
               {"gru.bias_hh_l0_reverse", {6}},
               {"bridge.weight", {2, 4}},
               {"bridge.bias", {2}}});
}

TEST_CASE("encoder: gradients, with and without lengths") {
    Generator generator(1);
    for (const bool bidirectional : {false, true})
        for (const Tensor& lengths : {Tensor(), sentence_lengths()}) {
            const Encoder encoder = small_encoder({.layers = 2, .bidirectional = bidirectional}, generator);
            const GradcheckResult result =
                gradcheck(encoder, {three_sentences()}, [&](const Encoder& encoder, const std::vector<Tensor>& in) {
                    const Encoder::Result r = encoder(in[0], lengths);
                    return concat({reshape(r.outputs, {-1}), reshape(r.state, {-1})}, 0);
                });
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("encoder: dropout acts on the embeddings too, if there is noise") {
    Generator generator(1), noise(2), same(2);
    const Encoder encoder = small_encoder({.layers = 1, .dropout = 0.5}, generator);
    const Tensor quiet = encoder(three_sentences()).state, dropped = encoder(three_sentences(), {}, &noise).state;
    CHECK(difference(encoder(three_sentences()).state, quiet, 0) == "");
    CHECK(difference(dropped, quiet, 1e-3) != "");
    CHECK(difference(encoder(three_sentences(), {}, &same).state, dropped, 0) == "");
}

TEST_CASE("encoder: a source may be read from its end, of each row without its padding") {
    Generator generator(1);
    const Encoder forward = small_encoder(one_layer, generator);
    SystemOptions options = one_layer;
    options.reverse_source = true;
    Encoder backward = small_encoder(options, generator);
    backward.embedding = forward.embedding, backward.gru = forward.gru;
    const Tensor turned = reshape(ids({2, 5, 3, 5, 2, 4, 0, 0, 2, 0, 0, 0}), {3, 4});
    CHECK(difference(backward(three_sentences(), sentence_lengths()).state, forward(turned, sentence_lengths()).state,
                     0) == "");
    CHECK_THROWS_WITH_AS(backward(three_sentences(), ids({4, 2, 5})), "encoder: length 5 is outside [0, 4]",
                         ValueError);
    CHECK_THROWS_AS(backward(three_sentences(), ids({4})), ShapeError);
    CHECK_THROWS_WITH_AS(Encoder(options, true, generator), doctest::Contains("reverse_source: attention looks"),
                         ValueError);
}
