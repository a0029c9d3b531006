#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "../values.hpp"
#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

constexpr std::array scores{LuongScore::dot, LuongScore::general, LuongScore::concat};

/// Both results in one tensor [B, M + S].
Tensor joined(const LuongAttention::Result& result) { return concat({result.context, result.weights}, 1); }

std::vector<std::pair<std::string, Shape>> names_and_shapes(const LuongAttention& attention) {
    std::vector<std::pair<std::string, Shape>> result;
    for (const auto& [name, parameter] : named_parameters(attention)) {
        CHECK(parameter.name() == name);
        result.emplace_back(name, parameter.shape());
    }
    return result;
}

}  // namespace

TEST_CASE("luong attention: parameters have names and shapes") {
    Generator generator(1);
    using Contract = std::vector<std::pair<std::string, Shape>>;
    CHECK(names_and_shapes(LuongAttention(5, 5, generator, {.score = LuongScore::dot})) == Contract{});
    CHECK(names_and_shapes(LuongAttention(5, 10, generator)) == Contract{{"key.weight", {5, 10}}});
    CHECK(names_and_shapes(LuongAttention(5, 10, generator, {.score = LuongScore::concat, .attention = 6})) ==
          Contract{{"query.weight", {6, 5}}, {"key.weight", {6, 10}}, {"score.weight", {1, 6}}});
    CHECK(names_and_shapes(LuongAttention(5, 10, generator, {.score = LuongScore::concat})) ==
          Contract{{"query.weight", {5, 5}}, {"key.weight", {5, 10}}, {"score.weight", {1, 5}}});
}

TEST_CASE("luong attention: padding weighs exactly 0, and what stands there does not matter") {
    Generator generator(1);
    const std::vector<std::int64_t> lengths{3, 5, 1, 0};
    for (const LuongScore kind : scores) {
        const LuongAttention attention(3, 3, generator, {.score = kind});
        const Tensor states = uniform({4, 5, 3}, -1, 1, generator), state = uniform({4, 3}, -1, 1, generator);
        const auto result = attention(state, attention.remember(states, ids(lengths)));
        const Tensor real = length_mask(ids(lengths), 5);
        CHECK(difference(cast(result.weights > 0, Dtype::float32), real, 0) == "");
        CHECK(difference(sum(result.weights, 1), tensor({1, 1, 1, 0}), 1e-6) == "");
        CHECK(difference(select(result.context, 0, 2), select(select(states, 0, 2), 0, 0), 0) == "");
        CHECK(difference(select(result.context, 0, 3), zeros({3}), 0) == "");
        const auto other = attention(state, attention.remember(where(unsqueeze(real, 2), states, 1e3), ids(lengths)));
        CHECK(difference(joined(other), joined(result), 0) == "");
        const auto full = attention(state, attention.remember(states, ids({5, 5, 5, 5})));
        CHECK(difference(joined(attention(state, attention.remember(states))), joined(full), 0) == "");
    }
}

TEST_CASE("luong attention: gradients") {
    Generator generator(1);
    Tensor state = sample_values({3, 2}, -1, 1, 2), states = sample_values({3, 4, 2}, -1, 1, 3);
    state.set_name("state"), states.set_name("states");
    for (const LuongScore kind : scores)
        for (const Tensor& lengths : {Tensor(), ids({0, 4, 2})})
            for (const int order : {1, 2}) {
                const LuongAttention attention(2, 2, generator, {.score = kind, .attention = 3});
                const GradcheckResult result =
                    gradcheck(attention, {state, states},
                              [&](const LuongAttention& attention, const std::vector<Tensor>& in) {
                                  return joined(attention(in[0], attention.remember(in[1], lengths)));
                              },
                              {.order = order});
                CHECK_MESSAGE(result.passed, result.message);
            }
}

TEST_CASE("luong attention: values and gradients are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions)
        for (const LuongScore kind : scores) {
            const std::string name = kind == LuongScore::dot       ? "dot"
                                     : kind == LuongScore::general ? "general"
                                                                   : "concat";
            const parity::Fixture fixture("luong_" + name, precision);
            Generator generator(1);
            const Tensor state = fixture["state"], states = fixture["memory"];
            const LuongAttention attention =
                fixture.load(LuongAttention(5, states.dim(2), generator, {.score = kind, .attention = 6}));
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

TEST_CASE("luong attention: several states may look at one memory, and one state at several") {
    Generator generator(1);
    for (const LuongScore kind : scores) {
        const LuongAttention attention(3, 3, generator, {.score = kind});
        const Tensor states = uniform({2, 4, 3}, -1, 1, generator), state = uniform({2, 3}, -1, 1, generator);
        const Tensor one_row = slice(states, 0, 0, 1);
        const auto shared = attention(state, attention.remember(one_row, ids({3})));
        const auto repeated = attention(state, attention.remember(expand(one_row, {2, 4, 3}), ids({3, 3})));
        CHECK(difference(joined(shared), joined(repeated), 1e-6) == "");
        const Tensor one_state = slice(state, 0, 0, 1);
        const auto several = attention(one_state, attention.remember(states));
        CHECK(difference(joined(several), joined(attention(expand(one_state, {2, 3}), attention.remember(states))),
                         1e-6) == "");
    }
}

TEST_CASE("luong attention: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(LuongAttention(2, 3, generator, {.score = LuongScore::dot}),
                         "LuongAttention: dot needs a memory of as many features as the state, and they are 3 and 2",
                         ValueError);
    CHECK_THROWS_AS(LuongAttention(0, 3, generator), ValueError);
    const LuongAttention dot(3, 3, generator, {.score = LuongScore::dot}), general(2, 3, generator), empty;
    const LuongAttention concat(2, 3, generator, {.score = LuongScore::concat, .attention = 4});
    const Tensor state = zeros({2, 2}), states = zeros({2, 5, 3});
    check_refused<ValueError>("luong_attention: the layer has no key.weight (default-constructed or moved from)",
                              [&] { empty.remember(states); });
    check_refused<ShapeError>("luong_attention: states must be [B, S, M], not [5, 3]", [&] {
        dot.remember(zeros({5, 3}));
    });
    check_refused<ShapeError>("luong_attention: lengths [1] are not one for each row of states [2, 5, 3]",
                              [&] { general.remember(states, ids({5})); });
    CHECK_THROWS_AS(general.remember(states, ids({5, 6})), ValueError);
    CHECK_THROWS_AS(general.remember(zeros({2, 5, 4})), ShapeError);
    check_refused<ValueError>("luong_attention: the memory is empty; remember() makes one",
                              [&] { general(state, {}); });
    const auto memory = general.remember(states);
    check_refused<ShapeError>("luong_attention: the state [3, 2] is not one row for each of the memory's 2", [&] {
        general(zeros({3, 2}), memory);
    });
    check_refused<ShapeError>("luong_attention: the state must be [B, 2], not [2, 3]", [&] {
        general(zeros({2, 3}), memory);
    });
    check_refused<ShapeError>("luong_attention: the memory's keys [2, 5, 3] are of another layer, not of 2 features",
                              [&] { dot(state, dot.remember(states)); });
    check_refused<ShapeError>("luong_attention: the memory's keys [2, 5, 2] are of another layer, not of 4 features",
                              [&] { concat(state, memory); });
    CHECK_THROWS_AS(concat(zeros({2, 3}), concat.remember(states)), ShapeError);
}
