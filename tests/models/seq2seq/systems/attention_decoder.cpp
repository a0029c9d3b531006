#include <doctest/doctest.h>

#include <wengert/models/seq2seq/systems/attention_decoder.hpp>

#include "../../../nn/close.hpp"
#include "../../../nn/parity.hpp"
#include "../small_seq2seq.hpp"

using namespace wengert;

namespace {

using Decoder = AttentionDecoder<BahdanauAttention>;

Decoder sized(std::int64_t vocabulary, std::int64_t embedding, std::int64_t hidden, std::int64_t memory,
              std::int64_t attention, double dropout, Generator& generator) {
    return Decoder({.target_vocabulary = vocabulary,
                    .embedding = embedding,
                    .hidden = hidden,
                    .attention = attention,
                    .dropout = dropout},
                   memory, generator);
}

struct Result {
    Tensor logits, weights;
};
Result follow(const Decoder& decoder, const Tensor& tokens, const Tensor& first, const Decoder::Memory& memory,
              Generator* noise = nullptr) {
    const Tensor embedded = decoder.embed(tokens, noise), projection = decoder.project(embedded);
    Decoder::State state{{first, {}}};
    StepDropout drop(noise, false);
    std::vector<Tensor> states, weights;
    for (std::int64_t t = 0; t < tokens.dim(1); ++t) {
        const Decoder::Advance next = decoder.advance(select(projection, 1, t), state, memory, drop);
        state = next.state;
        states.push_back(state.cell.h);
        weights.push_back(next.weights);
    }
    return {decoder.output(decoder.features({stack(states, 1)}, embedded, noise)), stack(weights, 1)};
}

}  // namespace

TEST_CASE("decoder: parameters have the names and shapes that files have") {
    Generator generator(1);
    const std::vector<std::pair<std::string, Shape>> contract{{"embedding.weight", {9, 3}},
                                                              {"attention.query.weight", {6, 2}},
                                                              {"attention.query.bias", {6}},
                                                              {"attention.key.weight", {6, 4}},
                                                              {"attention.score.weight", {1, 6}},
                                                              {"cell.weight_ih", {6, 7}},
                                                              {"cell.weight_hh", {6, 2}},
                                                              {"cell.bias_ih", {6}},
                                                              {"cell.bias_hh", {6}},
                                                              {"output.weight", {9, 2}},
                                                              {"output.bias", {9}}};
    const auto named = named_parameters(sized(9, 3, 2, 4, 6, 0, generator));
    REQUIRE(named.size() == contract.size());
    for (std::size_t i = 0; i < named.size(); ++i) {
        CHECK(named[i].first == contract[i].first);
        CHECK(named[i].second.name() == contract[i].first);
        CHECK(named[i].second.shape() == contract[i].second);
    }
}

TEST_CASE("decoder: a step is attention with the previous state, and the cell on [embedding; context]") {
    Generator generator(1);
    const Decoder decoder = to(sized(9, 3, 2, 4, 6, 0, generator), Dtype::float64);
    const auto memory = decoder.remember(sample_values({2, 5, 4}, -1, 1, 2), ids({5, 3}, {2}));
    const Tensor state = sample_values({2, 2}, -1, 1, 3), tokens = ids({4, 7}, {2});
    StepDropout none;
    const Decoder::Advance step =
        decoder.advance(decoder.project(decoder.embed(tokens, nullptr)), {{state, {}}}, memory, none);
    const auto attended = decoder.attention(state, memory.attended);
    const Tensor read = concat({decoder.embedding(tokens), attended.context}, 1);
    CHECK(difference(step.state.cell.h, decoder.cell.gru(decoder.cell.gru.project(read), state), 1e-15) == "");
    CHECK(difference(step.weights, attended.weights, 0) == "");
}

TEST_CASE("decoder: gradients of a step") {
    Generator generator(1);
    const Decoder decoder = sized(5, 2, 2, 3, 2, 0, generator);
    Tensor state = sample_values({2, 2}, -1, 1, 2), states = sample_values({2, 3, 3}, -1, 1, 3);
    state.set_name("state"), states.set_name("states");
    for (const int order : {1, 2}) {
        const GradcheckResult result =
            gradcheck(decoder, {state, states},
                      [](const Decoder& decoder, const std::vector<Tensor>& in) {
                          const auto memory = decoder.remember(in[1], ids({3, 1}, {2}));
                          StepDropout none;
                          const Decoder::Advance step = decoder.advance(
                              decoder.project(decoder.embed(ids({4, 3}, {2}), nullptr)), {{in[0], {}}}, memory, none);
                          return concat({decoder.output(step.state.cell.h), step.state.cell.h, step.weights}, 1);
                      },
                      {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("decoder: gradients through several steps") {
    Generator generator(1);
    const Decoder decoder = sized(5, 2, 2, 3, 2, 0, generator);
    const GradcheckResult result =
        gradcheck(decoder, {sample_values({2, 2}, -1, 1, 2), sample_values({2, 3, 3}, -1, 1, 3)},
                  [](const Decoder& decoder, const std::vector<Tensor>& in) {
                      const auto memory = decoder.remember(in[1], ids({3, 1}, {2}));
                      const Result r = follow(decoder, ids({1, 4, 4, 1, 3, 0}, {2, 3}), in[0], memory);
                      return concat({r.logits, r.weights}, 2);
                  });
    CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("decoder: values and gradients of a step are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("decoder_step", precision);
        Generator generator(1);
        const Decoder decoder = fixture.load(sized(9, 4, 5, 10, 6, 0, generator));
        const Tensor state = fixture["state"], states = fixture["memory"];
        Tape tape;
        tape.watch(state), tape.watch(states);
        const auto memory = decoder.remember(states, fixture["lengths"]);
        StepDropout none;
        const Decoder::Advance step =
            decoder.advance(decoder.project(decoder.embed(fixture["ids"], nullptr)), {{state, {}}}, memory, none);
        const Tensor logits = decoder.output(step.state.cell.h);
        fixture.check("context", decoder.attention(state, memory.attended).context);
        fixture.check("weights", step.weights);
        fixture.check("next_state", step.state.cell.h);
        fixture.check("logits", logits);
        NamedTensors inputs = named_parameters(decoder);
        inputs.emplace_back("state", state), inputs.emplace_back("memory", states);
        fixture.check_gradients(
            tape, sum(step.state.cell.h * fixture["cotangent.next_state"]) + sum(logits * fixture["cotangent.logits"]),
            inputs);
    }
}

TEST_CASE("decoder: dropout acts on the embeddings and on the states before the output, if there is noise") {
    Generator generator(1), noise(2), same(2);
    const Decoder decoder = sized(9, 3, 2, 4, 6, 0.5, generator);
    const auto memory = decoder.remember(uniform({1, 5, 4}, -1, 1, generator));
    const Tensor tokens = ids({1, 4, 7}, {1, 3}), state = zeros({1, 2});
    const Tensor quiet = follow(decoder, tokens, state, memory).logits,
                 dropped = follow(decoder, tokens, state, memory, &noise).logits;
    CHECK(difference(follow(decoder, tokens, state, memory).logits, quiet, 0) == "");
    CHECK(difference(dropped, quiet, 1e-3) != "");
    CHECK(difference(follow(decoder, tokens, state, memory, &same).logits, dropped, 0) == "");

    const Tensor projection = decoder.project(decoder.embed(tokens, nullptr));
    CHECK(difference(decoder.project(decoder.embed(tokens, &noise)), projection, 1e-3) != "");
    Tensor table = decoder.embedding.weight;
    table.fill(0);
    CHECK(difference(follow(decoder, tokens, state, memory, &noise).logits,
                     follow(decoder, tokens, state, memory).logits, 1e-3) != "");
}
