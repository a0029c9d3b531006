#include <doctest/doctest.h>

#include <cmath>
#include <wengert/nn/nn.hpp>

#include "../values.hpp"
#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

Tensor joined_window(const auto& result) { return concat({result.context, result.weights}, 1); }

}  // namespace

TEST_CASE("local attention: the window goes along with the step, and ends with the sentence") {
    Generator generator(1);
    LocalMonotonicAttention attention(2, 3, 1, generator);
    attention.content.key.weight.fill(0);  // all scores are equal
    const Tensor states = uniform({3, 5, 3}, -1, 1, generator), state = zeros({3, 2});
    const auto memory = attention.remember(states, ids({5, 2, 0}));
    const double third = 1.0 / 3;
    const auto at = [&](std::int64_t step) { return attention(state, memory, step).weights; };
    CHECK(difference(at(0), tensor({0.5, 0.5, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0}, {3, 5}), 1e-7) == "");
    CHECK(difference(at(2), tensor({0, third, third, third, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, {3, 5}), 1e-7) == "");
    CHECK(difference(at(4), tensor({0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {3, 5}), 1e-7) == "");
    const auto behind = attention(state, memory, 100);
    CHECK(difference(joined_window(behind), zeros({3, 8}), 0) == "");
    const auto full = attention(state, attention.remember(states), 4);
    CHECK(difference(select(full.weights, 0, 2), tensor({0, 0, 0, 0.5, 0.5}), 1e-7) == "");
}

TEST_CASE("local attention: the predicted position is a share of the row's own length, and the weights fall off") {
    Generator generator(1);
    LocalPredictiveAttention attention(2, 3, 2, generator);
    attention.content.key.weight.fill(0);     // all scores are equal ...
    attention.position_score.weight.fill(0);  // ... and every position is half of the length
    const Tensor states = uniform({3, 6, 3}, -1, 1, generator), state = uniform({3, 2}, -1, 1, generator);
    const auto result = attention(state, attention.remember(states, ids({6, 2, 0})));
    CHECK(difference(result.position, tensor({3, 1, 0}, {3, 1}), 0) == "");
    const double far = std::exp(-2.0), near = std::exp(-0.5);  // sigma = 1
    CHECK(difference(result.weights,
                     tensor({0, far / 5, near / 5, 0.2, near / 5, far / 5,  //
                             near / 2, 0.5, 0, 0, 0, 0,                     //
                             0, 0, 0, 0, 0, 0},
                            {3, 6}),
                     1e-7) == "");
    CHECK(difference(select(result.context, 0, 2), zeros({3}), 0) == "");
    CHECK(difference(attention(state, attention.remember(states)).position, full({3, 1}, 3), 0) == "");
}

TEST_CASE("local attention: what stands at padding does not matter") {
    Generator generator(1);
    const Tensor states = uniform({2, 5, 3}, -1, 1, generator), state = uniform({2, 2}, -1, 1, generator);
    const Tensor lengths = ids({3, 4});
    const Tensor other = where(unsqueeze(length_mask(lengths, 5), 2), states, 1e3);
    const LocalMonotonicAttention monotonic(2, 3, 2, generator);
    CHECK(difference(joined_window(monotonic(state, monotonic.remember(other, lengths), 2)),
                     joined_window(monotonic(state, monotonic.remember(states, lengths), 2)), 0) == "");
    const LocalPredictiveAttention predictive(2, 3, 2, generator);
    CHECK(difference(joined_window(predictive(state, predictive.remember(other, lengths))),
                     joined_window(predictive(state, predictive.remember(states, lengths))), 0) == "");
    const Tensor padding = length_mask(lengths, 5) == 0.0;
    CHECK(difference(joined_window(predictive(state, predictive.remember(states, padding))),
                     joined_window(predictive(state, predictive.remember(states, lengths))), 0) == "");
    CHECK(monotonic.remember(zeros({2, 0, 3}), zeros({2, 0}, Dtype::boolean)).keys.numel() == 0);
    const Tensor before = flip(padding, 1);
    const char* const refused = "padding before a token, and a window is counted from the first";
    CHECK_THROWS_WITH_AS(predictive.remember(states, before), doctest::Contains(refused), ValueError);
    CHECK_THROWS_WITH_AS(monotonic.remember(states, before), doctest::Contains(refused), ValueError);
}

TEST_CASE("local attention: gradients, the predicted position's too") {
    Generator generator(1);
    Tensor state = sample_values({3, 2}, -1, 1, 2), states = sample_values({3, 5, 2}, -1, 1, 3);
    state.set_name("state"), states.set_name("states");
    for (const Tensor& lengths : {Tensor(), ids({0, 5, 2})})
        for (const int order : {1, 2}) {
            const LocalMonotonicAttention monotonic(2, 2, 1, generator);
            GradcheckResult result =
                gradcheck(monotonic, {state, states},
                          [&](const LocalMonotonicAttention& attention, const std::vector<Tensor>& in) {
                              return joined_window(attention(in[0], attention.remember(in[1], lengths), 2));
                          },
                          {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
            const LocalPredictiveAttention predictive(2, 2, 2, generator, {.score = LuongScore::concat});
            result = gradcheck(predictive, {state, states},
                               [&](const LocalPredictiveAttention& attention, const std::vector<Tensor>& in) {
                                   const auto result = attention(in[0], attention.remember(in[1], lengths));
                                   return concat({joined_window(result), result.position}, 1);
                               },
                               {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("local attention: values and gradients are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        Generator generator(1);
        const parity::Fixture of_monotonic("local_monotonic", precision);
        const auto check = [](const parity::Fixture& fixture, const auto& attention, const auto& run) {
            const Tensor state = fixture["state"], states = fixture["memory"];
            Tape tape;
            tape.watch(state), tape.watch(states);
            const auto result = run(state, attention.remember(states, fixture["lengths"]));
            fixture.check("context", result.context);
            fixture.check("weights", result.weights);
            if constexpr (requires { result.position; }) fixture.check("position", result.position);
            NamedTensors inputs = named_parameters(attention);
            inputs.emplace_back("state", state), inputs.emplace_back("memory", states);
            fixture.check_gradients(tape, sum(result.context * fixture["cotangent.context"]), inputs);
        };
        const auto monotonic = of_monotonic.load(LocalMonotonicAttention(5, 10, 2, generator));
        check(of_monotonic, monotonic,
              [&](const Tensor& state, const auto& memory) { return monotonic(state, memory, 3); });
        const parity::Fixture of_predictive("local_predictive", precision);
        const auto predictive = of_predictive.load(
            LocalPredictiveAttention(5, 10, 2, generator, {.score = LuongScore::concat, .attention = 6}));
        check(of_predictive, predictive,
              [&](const Tensor& state, const auto& memory) { return predictive(state, memory); });
    }
}

TEST_CASE("local attention: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(LocalMonotonicAttention(2, 3, 0, generator),
                         "LocalMonotonicAttention: the window is 0, less than 1", ValueError);
    CHECK_THROWS_WITH_AS(LocalPredictiveAttention(2, 3, -1, generator),
                         "LocalPredictiveAttention: the window is -1, less than 1", ValueError);
    const LocalMonotonicAttention monotonic(2, 3, 2, generator);
    const LocalPredictiveAttention predictive(2, 3, 2, generator), empty;
    const Tensor state = zeros({2, 2}), states = zeros({2, 5, 3});
    const auto memory = predictive.remember(states);
    check_refused<ValueError>("luong_attention: the step is -1, less than 0",
                              [&] { monotonic(state, monotonic.remember(states), -1); });
    check_refused<ValueError>("luong_attention: the memory is empty; remember() makes one",
                              [&] { monotonic(state, {}, 0); });
    check_refused<ValueError>("luong_attention: the memory is empty; remember() makes one",
                              [&] { predictive(state, {}); });
    check_refused<ValueError>(
        "luong_attention: the layer has no position_hidden.weight (default-constructed or moved from)",
        [&] { empty(state, memory); });
    check_refused<ShapeError>("luong_attention: the state must be [B, 2], not [2, 3]", [&] {
        predictive(zeros({2, 3}), memory);
    });
    // Several states may look at one memory.
    const auto shared = predictive(zeros({3, 2}), predictive.remember(zeros({1, 5, 3}), ids({4})));
    CHECK(shared.context.shape() == Shape{3, 3});
    CHECK(shared.position.shape() == Shape{3, 1});
}
