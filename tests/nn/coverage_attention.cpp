#include <doctest/doctest.h>

#include <limits>
#include <wengert/nn/nn.hpp>

#include "../values.hpp"
#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

constexpr std::array coverage_kinds{CoverageKind::accumulated, CoverageKind::fertility, CoverageKind::neural};

/// The contexts [B, T, M], the weights [B, T, S] and the last coverage [B, S, d] of one step for each of the states
/// [B, T, H].
struct Run {
    Tensor contexts, weights, coverage;
};
Run run(const CoverageAttention& attention, const Tensor& states, const CoverageAttention::Memory& memory) {
    std::vector<Tensor> contexts, weights;
    Tensor coverage;
    for (std::int64_t t = 0; t < states.dim(1); ++t) {
        const auto result = attention(select(states, 1, t), memory, coverage);
        contexts.push_back(result.context), weights.push_back(result.weights);
        coverage = result.coverage;
    }
    return {stack(contexts, 1), stack(weights, 1), coverage};
}

Tensor joined(const Run& run) {
    return concat({reshape(run.contexts, {-1}), reshape(run.weights, {-1}), reshape(run.coverage, {-1})}, 0);
}

}  // namespace

TEST_CASE("coverage attention: parameters have names and shapes") {
    Generator generator(1);
    for (const CoverageKind kind : coverage_kinds) {
        std::vector<std::pair<std::string, Shape>> contract{{"query.weight", {6, 5}},
                                                            {"query.bias", {6}},
                                                            {"key.weight", {6, 10}},
                                                            {"cover.weight", {6, 1}},
                                                            {"score.weight", {1, 6}}};
        if (kind == CoverageKind::fertility) contract.push_back({"fertility.weight", {1, 10}});
        if (kind == CoverageKind::neural) {
            contract[3].second = {6, 3};
            contract.insert(contract.end(), {{"cell.weight_ih", {9, 16}},
                                             {"cell.weight_hh", {9, 3}},
                                             {"cell.bias_ih", {9}},
                                             {"cell.bias_hh", {9}}});
        }
        const CoverageAttention attention(5, 10, 6, generator, {.kind = kind, .features = 3});
        const auto named = named_parameters(attention);
        REQUIRE(named.size() == contract.size());
        for (std::size_t i = 0; i < named.size(); ++i) {
            CHECK(named[i].first == contract[i].first);
            CHECK(named[i].second.name() == contract[i].first);
            CHECK(named[i].second.shape() == contract[i].second);
        }
    }
}

TEST_CASE("coverage attention: the coverage is what the positions have got, over their fertility") {
    Generator generator(1);
    const Tensor states = uniform({2, 4, 3}, -1, 1, generator), queries = uniform({2, 3, 2}, -1, 1, generator);
    const CoverageAttention accumulated(2, 3, 4, generator);
    const Run plain = run(accumulated, queries, accumulated.remember(states, ids({4, 2})));
    CHECK(difference(squeeze(plain.coverage, 2), sum(plain.weights, 1), 1e-6) == "");
    const CoverageAttention fertile(2, 3, 4, generator, {.kind = CoverageKind::fertility, .most_words = 3});
    const auto memory = fertile.remember(states);
    CHECK(difference(memory.fertility, 3 * sigmoid(matmul(states, transpose(fertile.fertility.weight))), 1e-6) == "");
    const Run divided = run(fertile, queries, memory);
    CHECK(difference(divided.coverage, unsqueeze(sum(divided.weights, 1), 2) / memory.fertility, 1e-6) == "");
}

TEST_CASE("coverage attention: what has been looked at is looked at less if the weight says so") {
    Generator generator(1);
    CoverageAttention attention(2, 3, 1, generator);
    attention.key.weight.fill(0), attention.query.bias.fill(0);
    attention.cover.weight.fill(-1), attention.score.weight.fill(10);
    const auto memory = attention.remember(zeros({1, 2, 3}));
    const auto result = attention(zeros({1, 2}), memory, tensor({0, 1}, {1, 2, 1}));
    CHECK(result.weights.at({0, 0}) > 0.99);
    // Without an effect of the coverage it is Bahdanau's attention.
    attention.cover.weight.fill(0);
    CHECK(difference(attention(zeros({1, 2}), memory, tensor({0, 1}, {1, 2, 1})).weights, full({1, 2}, 0.5), 0) == "");
}

TEST_CASE("coverage attention: padding weighs and is covered exactly 0, and what stands there does not matter") {
    Generator generator(1);
    const Tensor lengths = ids({3, 5, 1, 0}), real = unsqueeze(length_mask(lengths, 5), 2);
    const Tensor states = uniform({4, 5, 3}, -1, 1, generator), queries = uniform({4, 3, 2}, -1, 1, generator);
    for (const CoverageKind kind : coverage_kinds) {
        const CoverageAttention attention(2, 3, 4, generator, {.kind = kind, .features = 2});
        const Run result = run(attention, queries, attention.remember(states, lengths));
        const Tensor padding = expand(1 - real, result.coverage.shape());
        CHECK(difference(result.coverage * padding, zeros(padding.shape()), 0) == "");
        CHECK(difference(result.weights * (1 - transpose(real)), zeros(result.weights.shape()), 0) == "");
        const Run other = run(attention, queries, attention.remember(where(real, states, -1e3), lengths));
        CHECK(difference(joined(other), joined(result), 0) == "");
        const Run full = run(attention, queries, attention.remember(states, ids({5, 5, 5, 5})));
        CHECK(difference(joined(run(attention, queries, attention.remember(states))), joined(full), 0) == "");
    }
}

TEST_CASE("coverage attention: gradients through two steps") {
    Generator generator(1);
    Tensor queries = sample_values({2, 2, 2}, -1, 1, 2), states = sample_values({2, 3, 2}, -1, 1, 3);
    queries.set_name("queries"), states.set_name("states");
    for (const CoverageKind kind : coverage_kinds)
        for (const Tensor& lengths : {Tensor(), ids({3, 1})})
            for (const int order : {1, 2}) {
                const CoverageAttention attention(2, 2, 3, generator, {.kind = kind, .features = 2});
                const GradcheckResult result =
                    gradcheck(attention, {queries, states},
                              [&](const CoverageAttention& attention, const std::vector<Tensor>& in) {
                                  return joined(run(attention, in[0], attention.remember(in[1], lengths)));
                              },
                              {.order = order});
                CHECK_MESSAGE(result.passed, result.message);
            }
}

TEST_CASE("coverage attention: values and gradients are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions)
        for (const CoverageKind kind : coverage_kinds) {
            const std::string name = kind == CoverageKind::accumulated ? "accumulated"
                                     : kind == CoverageKind::fertility ? "fertility"
                                                                       : "neural";
            const parity::Fixture fixture("coverage_" + name, precision);
            Generator generator(1);
            const CoverageAttention attention =
                fixture.load(CoverageAttention(5, 10, 6, generator, {.kind = kind, .features = 3}));
            const Tensor queries = fixture["states"], states = fixture["memory"];
            Tape tape;
            tape.watch(queries), tape.watch(states);
            const Run result = run(attention, queries, attention.remember(states, fixture["lengths"]));
            fixture.check("contexts", result.contexts);
            fixture.check("weights", result.weights);
            fixture.check("coverage", result.coverage);
            NamedTensors inputs = named_parameters(attention);
            inputs.emplace_back("states", queries), inputs.emplace_back("memory", states);
            const Tensor total = sum(result.contexts * fixture["cotangent.contexts"]) +
                                 sum(result.coverage * fixture["cotangent.coverage"]);
            fixture.check_gradients(tape, total, inputs);
        }
}

TEST_CASE("coverage attention: several states may look at one memory") {
    Generator generator(1);
    const Tensor states = uniform({1, 4, 3}, -1, 1, generator), queries = uniform({2, 2, 2}, -1, 1, generator);
    for (const CoverageKind kind : coverage_kinds) {
        const CoverageAttention attention(2, 3, 4, generator, {.kind = kind, .features = 2});
        const Run shared = run(attention, queries, attention.remember(states, ids({3})));
        const Run repeated = run(attention, queries, attention.remember(expand(states, {2, 4, 3}), ids({3, 3})));
        CHECK(difference(joined(shared), joined(repeated), 1e-6) == "");
    }
}

TEST_CASE("coverage attention: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(CoverageAttention(2, 3, 4, generator, {.most_words = 0}),
                         "CoverageAttention: most_words is 0, not above 0 and finite", ValueError);
    CHECK_THROWS_AS(CoverageAttention(2, 3, 4, generator, {.most_words = std::numeric_limits<double>::infinity()}),
                    ValueError);
    CHECK_THROWS_AS(CoverageAttention(2, 3, 4, generator, {.kind = CoverageKind::neural, .features = 0}), ValueError);
    const CoverageAttention attention(2, 3, 4, generator), other(2, 3, 5, generator), empty;
    const Tensor state = zeros({2, 2}), states = zeros({2, 5, 3});
    const auto memory = attention.remember(states);
    check_refused<ValueError>("coverage_attention: the layer has no key.weight (default-constructed or moved from)",
                              [&] { empty.remember(states); });
    check_refused<ValueError>("coverage_attention: the layer has no query.weight (default-constructed or moved from)",
                              [&] { empty(state, memory); });
    check_refused<ShapeError>("coverage_attention: states must be [B, S, M], not [5, 3]", [&] {
        attention.remember(zeros({5, 3}));
    });
    check_refused<ValueError>("coverage_attention: the memory is empty; remember() makes one",
                              [&] { attention(state, {}); });
    check_refused<ShapeError>("coverage_attention: the state [3, 2] is not one row for each of the memory's 2", [&] {
        attention(zeros({3, 2}), memory);
    });
    check_refused<ShapeError>("coverage_attention: the memory's keys [2, 5, 5] are of another layer, not of 4 features",
                              [&] { attention(state, other.remember(states)); });
    const CoverageAttention fertile(2, 3, 4, generator, {.kind = CoverageKind::fertility});
    const CoverageAttention neural(2, 3, 4, generator, {.kind = CoverageKind::neural});
    check_refused<ValueError>("coverage_attention: the memory is of another layer, without fertility",
                              [&] { fertile(state, memory); });
    check_refused<ValueError>("coverage_attention: the memory is of another layer, without a neural coverage",
                              [&] { neural(state, memory); });
    check_refused<ShapeError>("coverage_attention: the coverage must be [B, S, d] = [2, 5, 1], not [2, 5]", [&] {
        attention(state, memory, zeros({2, 5}));
    });
    check_refused<DtypeError>("coverage_attention: the coverage is float64, the state float32", [&] {
        attention(state, memory, zeros({2, 5, 1}, Dtype::float64));
    });
}
