#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "../values.hpp"
#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

/// Without dropout; the norm's place decides on the activation too, so that two cases have all.
TransformerOptions small(bool norm_first, std::int64_t dim_feedforward = 8) {
    const auto activation = norm_first ? FeedForwardActivation::gelu : FeedForwardActivation::relu;
    return {.dim_feedforward = dim_feedforward, .dropout = 0, .activation = activation, .norm_first = norm_first};
}

}  // namespace

TEST_CASE("transformer: parameters have PyTorch's names and shapes") {
    Generator generator(1);
    const std::vector<std::pair<std::string, Shape>> attention{
        {"in_proj_weight", {18, 6}}, {"in_proj_bias", {18}}, {"out_proj.weight", {6, 6}}, {"out_proj.bias", {6}}};
    const auto contract = [&](int norms) {
        std::vector<std::pair<std::string, Shape>> names;
        for (int layer = 0; layer < 2; ++layer) {
            const std::string prefix = "layers." + std::to_string(layer) + ".";
            for (const auto& [name, shape] : attention) names.emplace_back(prefix + "self_attn." + name, shape);
            if (norms == 3)
                for (const auto& [name, shape] : attention)
                    names.emplace_back(prefix + "multihead_attn." + name, shape);
            names.insert(names.end(), {{prefix + "linear1.weight", {8, 6}},
                                       {prefix + "linear1.bias", {8}},
                                       {prefix + "linear2.weight", {6, 8}},
                                       {prefix + "linear2.bias", {6}}});
            for (int norm = 1; norm <= norms; ++norm)
                for (const char* const part : {".weight", ".bias"})
                    names.emplace_back(prefix + "norm" + std::to_string(norm) + part, Shape{6});
        }
        names.insert(names.end(), {{"norm.weight", {6}}, {"norm.bias", {6}}});
        return names;
    };
    const auto check = [](const auto& stack, const auto& contract) {
        const auto named = named_parameters(stack);
        REQUIRE(named.size() == contract.size());
        for (std::size_t i = 0; i < named.size(); ++i) {
            CHECK(named[i].first == contract[i].first);
            CHECK(named[i].second.name() == contract[i].first);
            CHECK(named[i].second.shape() == contract[i].second);
        }
    };
    check(TransformerEncoder(6, 2, 2, generator, small(false)), contract(2));
    check(TransformerDecoder(6, 2, 2, generator, small(false)), contract(3));
    const auto without_norm =
        named_parameters(TransformerEncoder(6, 2, 1, generator, {.dim_feedforward = 8, .final_norm = false}));
    CHECK(without_norm.back().first == "layers.0.norm2.bias");
    const TransformerEncoderLayer by_default(6, 2, generator);
    CHECK(by_default.linear1.weight.shape() == Shape{2048, 6});
    CHECK(by_default.options.dropout == 0.1);
}

TEST_CASE("transformer: no real position sees padding") {
    Generator generator(1);
    const Tensor x = uniform({3, 5, 6}, -1, 1, generator), y = uniform({3, 4, 6}, -1, 1, generator);
    const Tensor lengths = ids({5, 3, 1}), real = unsqueeze(length_mask(lengths, 5), 2);
    const Tensor other = where(real, x, 100);
    for (const bool norm_first : {false, true}) {
        const TransformerEncoder encoder(6, 2, 2, generator, small(norm_first));
        CHECK(difference(encoder(other, lengths) * real, encoder(x, lengths) * real, 0) == "");
        const Tensor alone = encoder(slice(slice(x, 0, 1, 2), 1, 0, 3));
        CHECK(difference(slice(slice(encoder(x, lengths), 0, 1, 2), 1, 0, 3), alone, 1e-5) == "");
        const TransformerDecoder decoder(6, 2, 2, generator, small(norm_first));
        CHECK(difference(decoder(y, decoder.remember(other, lengths)), decoder(y, decoder.remember(x, lengths)), 0) ==
              "");
    }
}

TEST_CASE("transformer: a causal stack and a decoder see nothing that comes later") {
    Generator generator(1);
    const Tensor x = uniform({2, 5, 6}, -1, 1, generator), states = uniform({2, 3, 6}, -1, 1, generator);
    const Tensor changed = concat({slice(x, 1, 0, 3), uniform({2, 2, 6}, -1, 1, generator)}, 1);
    const auto first = [](const Tensor& outputs) { return slice(outputs, 1, 0, 3); };
    const TransformerEncoder encoder(6, 2, 2, generator, small(true));
    CHECK(difference(first(encoder(x, {}, {.causal = true})), first(encoder(changed, {}, {.causal = true})), 0) == "");
    CHECK(difference(first(encoder(x)), first(encoder(changed)), 1e-3) != "");
    const TransformerDecoder decoder(6, 2, 2, generator, small(true));
    const auto memory = decoder.remember(states);
    CHECK(difference(first(decoder(x, memory)), first(decoder(changed, memory)), 0) == "");
}

TEST_CASE("transformer: decoding step by step gives what the parallel pass gives") {
    Generator generator(1);
    const Tensor x = sample_values({3, 6, 6}, -1, 1, 2), states = sample_values({3, 5, 6}, -1, 1, 3);
    for (const bool norm_first : {false, true}) {
        const TransformerDecoder decoder =
            to(TransformerDecoder(6, 3, 2, generator, small(norm_first)), Dtype::float64);
        const auto memory = decoder.remember(states, ids({5, 3, 1}));
        const Tensor all = decoder(x, memory);
        TransformerDecoder::Past past;
        std::vector<Tensor> outputs;
        for (std::int64_t t = 0; t < 6; ++t) {
            const auto step = decoder.step(slice(x, 1, t, t + 1), memory, past);
            CHECK(step.weights.shape() == Shape{3, 3, 1, 5});
            outputs.push_back(step.outputs);
            past = step.past;
        }
        CHECK(past[1].keys.shape() == Shape{3, 3, 6, 2});
        CHECK(difference(concat(outputs, 1), all, 1e-13) == "");
        // A beginning at once, and the rest after it.
        const auto begin = decoder.step(slice(x, 1, 0, 4), memory, {});
        const auto rest = decoder.step(slice(x, 1, 4, 6), memory, begin.past);
        CHECK(difference(concat({begin.outputs, rest.outputs}, 1), all, 1e-13) == "");
    }
}

TEST_CASE("transformer: gradients") {
    Generator generator(1);
    Tensor x = sample_values({2, 3, 4}, -1, 1, 2), states = sample_values({2, 3, 4}, -1, 1, 3);
    x.set_name("x"), states.set_name("states");
    for (const bool norm_first : {false, true}) {
        const Tensor lengths = norm_first ? ids({3, 2}) : Tensor();
        GradcheckResult result = gradcheck(
            TransformerEncoder(4, 2, 1, generator, small(norm_first, 3)), {x},
            [&](const TransformerEncoder& encoder, const std::vector<Tensor>& in) { return encoder(in[0], lengths); });
        CHECK_MESSAGE(result.passed, result.message);
        result = gradcheck(TransformerDecoder(4, 2, 1, generator, small(norm_first, 3)), {x, states},
                           [&](const TransformerDecoder& decoder, const std::vector<Tensor>& in) {
                               return decoder(in[0], decoder.remember(in[1], lengths));
                           });
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("transformer: values and gradients are PyTorch's") {
    for (const bool norm_first : {false, true})
        for (const parity::Precision& precision : parity::precisions) {
            Generator generator(1);
            const std::string suffix = norm_first ? "_norm_first" : "";
            {
                const parity::Fixture fixture("transformer_encoder" + suffix, precision);
                const auto encoder = fixture.load(TransformerEncoder(6, 2, 2, generator, small(norm_first)));
                const Tensor x = fixture["input"];
                Tape tape;
                tape.watch(x);
                const Tensor outputs = encoder(x, fixture["lengths"]);
                fixture.check("outputs", outputs);
                NamedTensors inputs = named_parameters(encoder);
                inputs.emplace_back("input", x);
                fixture.check_gradients(tape, sum(outputs * fixture["cotangent.outputs"]), inputs);
            }
            const parity::Fixture fixture("transformer_decoder" + suffix, precision);
            const auto decoder = fixture.load(TransformerDecoder(6, 2, 2, generator, small(norm_first)));
            const Tensor x = fixture["input"], states = fixture["memory"];
            Tape tape;
            tape.watch(x), tape.watch(states);
            const Tensor outputs = decoder(x, decoder.remember(states, fixture["lengths"]));
            fixture.check("outputs", outputs);
            NamedTensors inputs = named_parameters(decoder);
            inputs.emplace_back("input", x), inputs.emplace_back("memory", states);
            fixture.check_gradients(tape, sum(outputs * fixture["cotangent.outputs"]), inputs);
        }
}

TEST_CASE("transformer: dropout acts if there is noise, the same for the same noise") {
    Generator generator(1);
    const TransformerOptions options{.dim_feedforward = 8, .dropout = 0.3};
    const Tensor x = uniform({2, 5, 6}, -1, 1, generator);
    const TransformerEncoder encoder(6, 2, 2, generator, options);
    const TransformerDecoder decoder(6, 2, 2, generator, options);
    const auto memory = decoder.remember(x);
    const auto encoded = [&](Generator noise) { return encoder(x, {}, {.noise = &noise}); };
    const auto decoded = [&](Generator noise) { return decoder(x, memory, &noise); };
    CHECK(difference(encoded(Generator(2)), encoded(Generator(2)), 0) == "");
    CHECK(difference(encoded(Generator(2)), encoder(x), 1e-3) != "");
    CHECK(difference(decoded(Generator(2)), decoded(Generator(2)), 0) == "");
    CHECK(difference(decoded(Generator(2)), decoder(x, memory), 1e-3) != "");
    CHECK(difference(encoder(x), encoder(x), 0) == "");
}

TEST_CASE("transformer: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(TransformerEncoder(6, 2, 0, generator), "TransformerEncoder: there must be at least one layer",
                         ValueError);
    CHECK_THROWS_WITH_AS(TransformerDecoder(6, 2, 0, generator), "TransformerDecoder: there must be at least one layer",
                         ValueError);
    CHECK_THROWS_AS(TransformerEncoderLayer(6, 4, generator), ValueError);
    CHECK_THROWS_AS(TransformerEncoderLayer(6, 2, generator, {.dropout = 1}), ValueError);
    CHECK_THROWS_AS(TransformerDecoderLayer(6, 2, generator, {.dim_feedforward = 0}), ValueError);
    const TransformerEncoder encoder(6, 2, 1, generator, small(false)), no_encoder;
    const TransformerDecoder decoder(6, 2, 2, generator, small(false)), no_decoder;
    const TransformerDecoder other(6, 2, 1, generator, small(false));
    const Tensor x = zeros({2, 4, 6});
    const auto memory = decoder.remember(x), of_another = other.remember(x);
    check_refused<ValueError>("transformer_encoder: the layer has no layers (default-constructed or moved from)",
                              [&] { no_encoder(x); });
    check_refused<ValueError>("transformer_decoder: the layer has no layers (default-constructed or moved from)",
                              [&] { no_decoder.remember(x); });
    check_refused<ValueError>("transformer_decoder: the layer has no layers (default-constructed or moved from)",
                              [&] { no_decoder(x, memory); });
    check_refused<ValueError>("transformer_decoder: the memory is empty; remember() makes one",
                              [&] { decoder(x, {}); });
    check_refused<ValueError>("transformer_decoder: the memory is of 1 layers, and the decoder has 2",
                              [&] { decoder(x, of_another); });
    check_refused<ValueError>("transformer_decoder: the past is of 1 layers, and the decoder has 2",
                              [&] { decoder.step(x, memory, of_another); });
    std::string text;
    try {
        encoder(x, ids({4}));
    } catch (const ShapeError& error) {
        text = error.what();
    }
    CHECK(
        text.starts_with("multi_head_attention: lengths [1] are not one for each row of states [2, 4, 6]\n"
                         "  in layers.0.self_attn\n"
                         "  at "));
}
