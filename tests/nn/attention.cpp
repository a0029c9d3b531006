#include <doctest/doctest.h>

#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/nn/nn.hpp>

#include "../values.hpp"
#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

/// Both results in one tensor [B, M + S].
Tensor joined(const BahdanauAttention::Result& result) { return concat({result.context, result.weights}, 1); }

}  // namespace

TEST_CASE("attention: parameters have names and shapes") {
    Generator generator(1);
    const auto named = named_parameters(BahdanauAttention(5, 10, 6, generator));
    const std::vector<std::pair<std::string, Shape>> contract{
        {"query.weight", {6, 5}}, {"query.bias", {6}}, {"key.weight", {6, 10}}, {"score.weight", {1, 6}}};
    REQUIRE(named.size() == contract.size());
    for (std::size_t i = 0; i < named.size(); ++i) {
        CHECK(named[i].first == contract[i].first);
        CHECK(named[i].second.name() == contract[i].first);
        CHECK(named[i].second.shape() == contract[i].second);
    }
}

TEST_CASE("attention: equal scores give the mean of the real positions") {
    Generator generator(1);
    BahdanauAttention attention(2, 3, 4, generator);
    attention.score.weight.fill(0);
    const Tensor states = uniform({2, 4, 3}, -1, 1, generator);
    const auto result = attention(zeros({2, 2}), attention.remember(states, ids({4, 2})));
    CHECK(difference(result.weights, tensor({0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0, 0}, {2, 4}), 0) == "");
    CHECK(difference(select(result.context, 0, 0), mean(select(states, 0, 0), {0}), 1e-6) == "");
    CHECK(difference(select(result.context, 0, 1), mean(slice(select(states, 0, 1), 0, 0, 2), {0}), 1e-6) == "");
}

TEST_CASE("attention: padding weighs exactly 0, and what stands there does not matter") {
    Generator generator(1);
    const std::vector<std::int64_t> lengths{3, 5, 1, 0};
    const BahdanauAttention attention(2, 3, 4, generator);
    const Tensor states = uniform({4, 5, 3}, -1, 1, generator), state = uniform({4, 2}, -1, 1, generator);
    const auto result = attention(state, attention.remember(states, ids(lengths)));
    for (std::int64_t row = 0; row < 4; ++row) {
        const std::int64_t length = lengths[static_cast<std::size_t>(row)];
        double total = 0;
        for (std::int64_t s = 0; s < 5; ++s) {
            const double weight = result.weights.at({row, s});
            if (s < length)
                CHECK(weight > 0);
            else
                CHECK(weight == 0);
            total += weight;
        }
        CHECK(total == doctest::Approx(length > 0 ? 1 : 0).epsilon(1e-6));
    }
    CHECK(result.weights.at({2, 0}) == 1);
    CHECK(difference(select(result.context, 0, 2), select(select(states, 0, 2), 0, 0), 0) == "");
    CHECK(difference(select(result.context, 0, 3), zeros({3}), 0) == "");
    const Tensor real = unsqueeze(length_mask(ids(lengths), 5), 2);
    const auto other = attention(state, attention.remember(where(real, states, 1e3), ids(lengths)));
    CHECK(difference(joined(other), joined(result), 0) == "");
}

TEST_CASE("attention: full lengths are the same as none") {
    Generator generator(1);
    const BahdanauAttention attention(2, 3, 4, generator);
    const Tensor states = uniform({2, 5, 3}, -1, 1, generator), state = uniform({2, 2}, -1, 1, generator);
    const Tensor with = joined(attention(state, attention.remember(states, ids({5, 5}))));
    CHECK(difference(joined(attention(state, attention.remember(states))), with, 0) == "");
}

TEST_CASE("attention: scores as large as they get neither overflow nor lose their gradient") {
    Generator generator(1);
    BahdanauAttention attention(2, 3, 4, generator);
    attention.score.weight.fill(1e30);
    const Tensor states = uniform({2, 5, 3}, -1, 1, generator);
    Tape tape;
    const auto result = attention(uniform({2, 2}, -1, 1, generator), attention.remember(states, ids({5, 2})));
    CHECK(difference(sum(result.weights, {1}), ones({2}), 1e-6) == "");
    for (const Tensor& gradient : tape.gradient(sum(result.context), parameters(attention)))
        for (const double g : gradient.to_vector<double>()) CHECK(std::isfinite(g));
}

TEST_CASE("attention: gradients") {
    Generator generator(1);
    const BahdanauAttention attention(2, 3, 4, generator);
    Tensor state = sample_values({3, 2}, -1, 1, 2), states = sample_values({3, 4, 3}, -1, 1, 3);
    state.set_name("state"), states.set_name("states");
    for (const Tensor& lengths : {Tensor(), ids({3, 4, 1}), ids({0, 2, 4})})
        for (const int order : {1, 2}) {
            const GradcheckResult result =
                gradcheck(attention, {state, states},
                          [&](const BahdanauAttention& attention, const std::vector<Tensor>& in) {
                              return joined(attention(in[0], attention.remember(in[1], lengths)));
                          },
                          {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("attention: values and gradients are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("attention", precision);
        Generator generator(1);
        const BahdanauAttention attention = fixture.load(BahdanauAttention(5, 10, 6, generator));
        const Tensor state = fixture["state"], states = fixture["memory"];
        Tape tape;
        tape.watch(state), tape.watch(states);
        const auto result = attention(state, attention.remember(states, fixture["lengths"]));
        fixture.check("context", result.context);
        fixture.check("weights", result.weights);
        NamedTensors inputs = named_parameters(attention);
        inputs.emplace_back("state", state), inputs.emplace_back("memory", states);
        fixture.check_gradients(tape, sum(result.context * fixture["cotangent.context"]), inputs);
    }
}

TEST_CASE("attention: what does not fit is an error that names the parameter") {
    Generator generator(1);
    const BahdanauAttention attention(2, 3, 4, generator);
    const auto memory = attention.remember(zeros({2, 5, 3}));
    CHECK_THROWS_AS(attention.remember(zeros({2, 5, 4})), ShapeError);
    CHECK_THROWS_AS(attention.remember(zeros({5, 3})), ShapeError);
    CHECK_THROWS_AS(attention.remember(zeros({2, 5, 3}), ids({5, 6})), ValueError);
    CHECK_THROWS_AS(attention.remember(zeros({2, 5, 3}), ids({5})), ShapeError);
    CHECK_THROWS_AS(attention.remember(zeros({2, 5, 3}), ones({2})), DtypeError);
    CHECK_THROWS_AS(attention(zeros({3, 2}), memory), ShapeError);
    std::string text;
    try {
        attention(zeros({2, 3}), memory);
    } catch (const ShapeError& error) {
        text = error.what();
    }
    CHECK(
        text.starts_with("linear: inner dimensions differ: x [2, 3] x weight [4, 2] transposed (3 != 2)\n"
                         "  in weight = parameter \"query.weight\"; bias = parameter \"query.bias\"\n"
                         "  at "));
}

TEST_CASE("attention: anomaly mode lets the infinities of masked scores pass") {
    Generator generator(1);
    const BahdanauAttention attention(3, 4, 5, generator);
    const Tensor lengths = tensor(std::vector<std::int64_t>{2, 1}, {2});
    const DetectAnomalies detect;
    Tape tape;
    const auto memory = attention.remember(uniform({2, 2, 4}, -1, 1, generator), lengths);
    const Tensor context = attention(uniform({2, 3}, -1, 1, generator), memory).context;
    CHECK_NOTHROW(tape.gradient(sum(context), parameters(attention)));
}

TEST_CASE("attention: a layer without parameters, and a memory of another, are errors at the caller's line") {
    Generator generator(1);
    const BahdanauAttention attention(2, 3, 4, generator), other(2, 3, 5, generator), empty;
    const Tensor state = zeros({2, 2}), states = zeros({2, 5, 3});
    const auto memory = attention.remember(states);
    check_refused<ValueError>("attention: the layer has no key.weight (default-constructed or moved from)",
                              [&] { empty.remember(states); });
    check_refused<ValueError>("attention: the layer has no query.weight (default-constructed or moved from)",
                              [&] { empty(state, memory); });
    check_refused<ValueError>("attention: the memory is empty; remember() makes one", [&] { attention(state, {}); });
    check_refused<ShapeError>("attention: the state [3, 2] is not one row for each of the memory's 2", [&] {
        attention(zeros({3, 2}), memory);
    });
    check_refused<ShapeError>("attention: the memory's keys [2, 5, 5] are of another layer, not of 4 features",
                              [&] { attention(state, other.remember(states)); });
    // Several states may look at one memory.
    CHECK(attention(zeros({3, 2}), attention.remember(zeros({1, 5, 3}))).context.shape() == Shape{3, 3});
}
