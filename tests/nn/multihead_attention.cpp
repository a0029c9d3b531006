#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <wengert/nn/nn.hpp>

#include "../values.hpp"
#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

Tensor joined(const MultiHeadAttention::Result& result) {
    return concat({reshape(result.outputs, {-1}), reshape(result.weights, {-1})}, 0);
}

void check_parameters(const MultiHeadAttention& attention, const std::vector<std::pair<std::string, Shape>>& contract) {
    const auto named = named_parameters(attention);
    REQUIRE(named.size() == contract.size());
    for (std::size_t i = 0; i < named.size(); ++i) {
        CHECK(named[i].first == contract[i].first);
        CHECK(named[i].second.name() == contract[i].first);
        CHECK(named[i].second.shape() == contract[i].second);
        CHECK(named[i].second.is_parameter());
    }
}

}  // namespace

TEST_CASE("multi-head attention: parameters have PyTorch's names, shapes and first values") {
    Generator generator(1);
    const MultiHeadAttention attention(6, 2, generator);
    check_parameters(
        attention,
        {{"in_proj_weight", {18, 6}}, {"in_proj_bias", {18}}, {"out_proj.weight", {6, 6}}, {"out_proj.bias", {6}}});
    check_parameters(MultiHeadAttention(6, 2, generator, {.kdim = 5}), {{"q_proj_weight", {6, 6}},
                                                                        {"k_proj_weight", {6, 5}},
                                                                        {"v_proj_weight", {6, 6}},
                                                                        {"in_proj_bias", {18}},
                                                                        {"out_proj.weight", {6, 6}},
                                                                        {"out_proj.bias", {6}}});
    check_parameters(MultiHeadAttention(6, 2, generator, {.bias = false, .kdim = 6}),
                     {{"in_proj_weight", {18, 6}}, {"out_proj.weight", {6, 6}}});
    CHECK(difference(attention.in_proj_bias, zeros({18}), 0) == "");
    CHECK(difference(attention.out_proj.bias, zeros({6}), 0) == "");
    const double bound = max(abs(attention.in_proj_weight)).item();
    CHECK(bound <= std::sqrt(6.0 / 24) + 1e-7);
    CHECK(bound > 0.4);
}

TEST_CASE("multi-head attention: padding and what comes later weigh exactly 0, and what stands there does not matter") {
    Generator generator(1);
    const MultiHeadAttention attention(6, 2, generator);
    const Tensor x = uniform({3, 4, 6}, -1, 1, generator), lengths = ids({4, 2, 0});
    const auto result = attention(x, attention.remember(x, lengths), {.causal = true});
    for (std::int64_t row = 0; row < 3; ++row)
        for (std::int64_t head = 0; head < 2; ++head)
            for (std::int64_t t = 0; t < 4; ++t) {
                double total = 0;
                for (std::int64_t s = 0; s < 4; ++s) {
                    const double weight = result.weights.at({row, head, t, s});
                    const bool is_seen = s <= t && s < lengths.at<std::int64_t>({row});
                    CHECK((weight > 0) == is_seen);
                    total += weight;
                }
                CHECK(total == doctest::Approx(row == 2 ? 0 : 1).epsilon(1e-6));
            }
    // A row of nothing but padding gets the bias of the last projection.
    CHECK(difference(select(result.outputs, 0, 2), zeros({4, 6}), 0) == "");
    const Tensor real = unsqueeze(length_mask(lengths, 4), 2);
    const auto other = attention(x, attention.remember(where(real, x, 1e3), lengths), {.causal = true});
    CHECK(difference(joined(other), joined(result), 0) == "");
    const auto with_lengths = attention(x, attention.remember(x, ids({4, 4, 4})));
    CHECK(difference(joined(attention(x, attention.remember(x))), joined(with_lengths), 0) == "");
}

TEST_CASE("multi-head attention: without weights the outputs and their gradients are the same") {
    Generator generator(1);
    const MultiHeadAttention attention(6, 2, generator, {.dropout = 0.5});
    const Tensor x = uniform({3, 4, 6}, -1, 1, generator), other = uniform({1, 3, 6}, -1, 1, generator);
    for (const bool causal : {false, true})
        for (const Tensor& lengths : {Tensor(), ids({4, 2, 0})})
            for (const Tensor& query : {x, other}) {
                const auto gradients = [&](bool need_weights) {
                    Tape tape;
                    tape.watch(x);
                    const auto result = attention(query, attention.remember(x, lengths),
                                                  {.causal = causal, .need_weights = need_weights});
                    CHECK(result.weights.defined() == need_weights);
                    std::vector<Tensor> all = parameters(attention);
                    all.push_back(x);
                    std::vector<Tensor> slopes = tape.gradient(sum(result.outputs * sin(result.outputs + 1)), all);
                    slopes.push_back(result.outputs);
                    return slopes;
                };
                const std::vector<Tensor> with = gradients(true), without = gradients(false);
                for (std::size_t i = 0; i < with.size(); ++i) CHECK(difference(without[i], with[i], 1e-5) == "");
            }
    Generator noise(1);
    const auto drawn = [&](Generator* of) {
        return attention(x, attention.remember(x), {.noise = of, .need_weights = false}).outputs;
    };
    CHECK(difference(drawn(&noise), drawn(nullptr), 1e-3) != "");
    CHECK(noise.position() > 0);
}

TEST_CASE("multi-head attention: a mask hides, or is added, and one of padding says what lengths say") {
    Generator generator(1);
    const MultiHeadAttention attention(6, 2, generator);
    const Tensor x = cast(sample_values({2, 4, 6}, -1, 1, 2), Dtype::float32);
    const Tensor of_lengths = attention(x, attention.remember(x, ids({4, 2}))).outputs;
    const Tensor padding = arange(4) >= unsqueeze(ids({4, 2}), 1);
    CHECK(difference(attention(x, attention.remember(x, padding)).outputs, of_lengths, 0) == "");

    const auto memory = attention.remember(x, ids({4, 3}));
    constexpr double lowest = -std::numeric_limits<double>::infinity();
    // Query 0 sees nothing, query 1 all, query 2 but the first, query 3 the second.
    const Tensor hidden = tensor({1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1}, {4, 4}) != 0;
    const Tensor added = where(hidden, lowest, zeros({}));
    for (const bool causal : {false, true}) {
        const auto [outputs, weights] = attention(x, memory, {.causal = causal, .attn_mask = hidden});
        const auto same = [&](const AttendOptions& options) {
            CHECK(difference(attention(x, memory, options).outputs, outputs, 1e-6) == "");
        };
        same({.causal = causal, .need_weights = false, .attn_mask = hidden});
        same({.causal = causal, .attn_mask = added});
        same({.causal = causal, .need_weights = false, .attn_mask = added});
        same({.causal = causal, .attn_mask = expand(hidden, {2, 2, 4, 4})});
        CHECK(elements(masked_fill(weights, logical_not(hidden), 0.0)) == Values(64, 0));
        CHECK(difference(select(outputs, 1, 0), expand(attention.out_proj.bias, {2, 6}), 0) == "");
    }
    check_refused<ShapeError>("multi_head_attention: the attn_mask [4, 3] does not fit the scores [2, 2, 4, 4]", [&] {
        attention(x, memory, {.attn_mask = zeros({4, 3})});
    });
    const std::string three_axes =
        "multi_head_attention: the attn_mask [2, 4, 4] has three axes, which may be [B, T, S] or [heads, T, S]: "
        "make it four, [B, heads, T, S], of which any may be 1";
    check_refused<ShapeError>(three_axes, [&] { attention(x, memory, {.attn_mask = zeros({2, 4, 4})}); });
    check_refused<DtypeError>("multi_head_attention: the attn_mask is int64, neither bool nor float32 as the query is",
                              [&] {
                                  attention(x, memory, {.attn_mask = zeros({4, 4}, Dtype::int64)});
                              });
    check_refused<ShapeError>(
        "multi_head_attention: the padding mask [2, 3] is not one element for each position of states [2, 4, 6]", [&] {
            attention.remember(x, zeros({2, 3}, Dtype::boolean));
        });
}

TEST_CASE("multi-head attention: each head is a softmax of scaled products over its own features") {
    Generator generator(1);
    const MultiHeadAttention attention = to(MultiHeadAttention(4, 2, generator), Dtype::float64);
    const Tensor x = sample_values({1, 3, 4}, -1, 1, 2), memory = sample_values({1, 5, 4}, -1, 1, 3);
    const auto result = attention(x, attention.remember(memory));
    const auto rows = chunk(attention.in_proj_weight, 3, 0);
    std::vector<Tensor> found;
    for (std::int64_t head = 0; head < 2; ++head) {
        const auto part = [&](const Tensor& of, std::size_t i) {
            return slice(linear(select(of, 0, 0), rows[i]), 1, 2 * head, 2 * head + 2);
        };
        const Tensor weights = softmax(matmul(part(x, 0), transpose(part(memory, 1))) / std::sqrt(2.0));
        CHECK(difference(select(select(result.weights, 0, 0), 0, head), weights, 1e-14) == "");
        found.push_back(matmul(weights, part(memory, 2)));
    }
    const Tensor outputs = linear(concat(found, 1), attention.out_proj.weight);
    CHECK(difference(select(result.outputs, 0, 0), outputs, 1e-14) == "");
}

TEST_CASE("multi-head attention: a memory that grows step by step gives what all steps at once give") {
    Generator generator(1);
    const MultiHeadAttention attention = to(MultiHeadAttention(6, 3, generator), Dtype::float64);
    const Tensor x = sample_values({2, 5, 6}, -1, 1, 2);
    const Tensor all = attention(x, attention.remember(x), {.causal = true}).outputs;
    MultiHeadAttention::Memory memory;
    std::vector<Tensor> outputs;
    for (const auto& [begin, end] : {std::pair{0, 1}, {1, 2}, {2, 4}, {4, 5}}) {
        const Tensor steps = slice(x, 1, begin, end);
        memory = attention.extend(memory, steps);
        outputs.push_back(attention(steps, memory, {.causal = true}).outputs);
    }
    CHECK(memory.keys.shape() == Shape{2, 3, 5, 2});
    CHECK(difference(concat(outputs, 1), all, 1e-14) == "");
}

TEST_CASE("multi-head attention: gradients") {
    Generator generator(1);
    Tensor query = sample_values({2, 3, 4}, -1, 1, 2), key = sample_values({2, 3, 2}, -1, 1, 3);
    Tensor value = sample_values({2, 3, 3}, -1, 1, 4);
    query.set_name("query"), key.set_name("key"), value.set_name("value");
    for (const Tensor& lengths : {Tensor(), ids({3, 1})})
        for (const int order : {1, 2}) {
            GradcheckResult result =
                gradcheck(MultiHeadAttention(4, 2, generator), {query},
                          [&](const MultiHeadAttention& attention, const std::vector<Tensor>& in) {
                              return joined(attention(in[0], attention.remember(in[0], lengths), {.causal = true}));
                          },
                          {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
            result = gradcheck(MultiHeadAttention(4, 2, generator, {.kdim = 2, .vdim = 3}), {query, key, value},
                               [&](const MultiHeadAttention& attention, const std::vector<Tensor>& in) {
                                   return joined(attention(in[0], attention.remember(in[1], in[2], lengths)));
                               },
                               {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
    const GradcheckResult result =
        gradcheck(MultiHeadAttention(4, 2, generator), {query},
                  [&](const MultiHeadAttention& attention, const std::vector<Tensor>& in) {
                      const Tensor first = slice(in[0], 1, 0, 2), last = slice(in[0], 1, 2, 3);
                      return joined(attention(last, attention.extend(attention.extend({}, first), last)));
                  });
    CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("multi-head attention: values and gradients are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        Generator generator(1);
        const auto check = [](const parity::Fixture& fixture, const MultiHeadAttention& attention, NamedTensors inputs,
                              const auto& run) {
            Tape tape;
            for (const auto& [name, input] : inputs) tape.watch(input);
            const MultiHeadAttention::Result result = run();
            fixture.check("outputs", result.outputs);
            fixture.check("weights", result.weights);
            for (const auto& parameter : named_parameters(attention)) inputs.push_back(parameter);
            fixture.check_gradients(tape, sum(result.outputs * fixture["cotangent.outputs"]), inputs);
        };
        const parity::Fixture itself("multihead_self", precision);
        const MultiHeadAttention of_itself = itself.load(MultiHeadAttention(6, 2, generator));
        const Tensor x = itself["input"];
        check(itself, of_itself, {{"input", x}},
              [&] { return of_itself(x, of_itself.remember(x, itself["lengths"]), {.causal = true}); });
        const parity::Fixture cross("multihead_cross", precision);
        const MultiHeadAttention of_others = cross.load(MultiHeadAttention(6, 2, generator, {.kdim = 5, .vdim = 10}));
        const Tensor query = cross["query"], key = cross["key"], value = cross["value"];
        check(cross, of_others, {{"query", query}, {"key", key}, {"value", value}},
              [&] { return of_others(query, of_others.remember(key, value, cross["lengths"])); });
    }
}

TEST_CASE("multi-head attention: dropout zeroes weights if there is noise") {
    Generator generator(1), noise(2);
    const MultiHeadAttention attention(8, 2, generator, {.dropout = 0.5});
    const Tensor x = uniform({4, 16, 8}, -1, 1, generator);
    const auto memory = attention.remember(x);
    const auto plain = attention(x, memory), noisy = attention(x, memory, {.noise = &noise});
    const double kept = mean(cast(noisy.weights > 0, Dtype::float32)).item();
    CHECK(kept == doctest::Approx(0.5).epsilon(0.1));
    CHECK(difference(noisy.weights, where(noisy.weights > 0, 2 * plain.weights, 0), 1e-6) == "");
    CHECK(difference(joined(attention(x, memory)), joined(plain), 0) == "");
}

TEST_CASE("multi-head attention: several rows of queries may look at one memory") {
    Generator generator(1);
    const MultiHeadAttention attention(6, 2, generator);
    const Tensor query = uniform({3, 2, 6}, -1, 1, generator), states = uniform({1, 4, 6}, -1, 1, generator);
    const auto shared = attention(query, attention.remember(states, ids({3})));
    const auto repeated = attention(query, attention.remember(expand(states, {3, 4, 6}), ids({3, 3, 3})));
    CHECK(difference(joined(shared), joined(repeated), 1e-6) == "");
}

TEST_CASE("multi-head attention: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(MultiHeadAttention(6, 4, generator), "MultiHeadAttention: 4 heads do not divide 6 features",
                         ValueError);
    CHECK_THROWS_WITH_AS(MultiHeadAttention(6, 2, generator, {.dropout = 1}),
                         "MultiHeadAttention: dropout is 1, outside [0, 1)", ValueError);
    CHECK_THROWS_AS(MultiHeadAttention(6, 0, generator), ValueError);
    const MultiHeadAttention attention(6, 2, generator), other(6, 3, generator), empty;
    const Tensor x = zeros({2, 4, 6});
    const auto memory = attention.remember(x);
    const std::string missing =
        "multi_head_attention: the layer has no out_proj.weight (default-constructed or moved from)";
    check_refused<ValueError>(missing, [&] { empty.remember(x); });
    check_refused<ValueError>(missing, [&] { empty(x, memory); });
    check_refused<ShapeError>("multi_head_attention: the key must be [B, T, features], not [4, 6]", [&] {
        attention.remember(zeros({4, 6}));
    });
    check_refused<ShapeError>(
        "multi_head_attention: the value [2, 3, 6] has not a row and a step for each of the key [2, 4, 6]", [&] {
            attention.remember(x, zeros({2, 3, 6}), Tensor());
        });
    check_refused<ShapeError>("multi_head_attention: lengths [1] are not one for each row of states [2, 4, 6]",
                              [&] { attention.remember(x, ids({4})); });
    check_refused<ValueError>("multi_head_attention: the memory is empty; remember() makes one",
                              [&] { attention(x, {}); });
    check_refused<ShapeError>("multi_head_attention: the query must be [B, T, features], not [4, 6]", [&] {
        attention(zeros({4, 6}), memory);
    });
    check_refused<ShapeError>("multi_head_attention: the query [3, 4, 6] is not one row for each of the memory's 2",
                              [&] {
                                  attention(zeros({3, 4, 6}), memory);
                              });
    check_refused<ShapeError>(
        "multi_head_attention: the memory's keys [2, 3, 4, 2] are of another layer, not of 2 heads of 3 features",
        [&] { attention(x, other.remember(x)); });
    check_refused<ShapeError>("multi_head_attention: causal: the query [2, 5, 6] has more steps than the memory's 4",
                              [&] {
                                  attention(zeros({2, 5, 6}), memory, {.causal = true});
                              });
    check_refused<ValueError>("multi_head_attention: a memory with padding cannot be extended", [&] {
        attention.extend(attention.remember(x, ids({4, 2})), x);
    });
    check_refused<ShapeError>("multi_head_attention: the states [1, 1, 6] are not one row for each of the memory's 2",
                              [&] {
                                  attention.extend(memory, zeros({1, 1, 6}));
                              });
    std::string text;
    try {
        attention(zeros({2, 4, 5}), memory);
    } catch (const ShapeError& error) {
        text = error.what();
    }
    CHECK(
        text.starts_with("linear: inner dimensions differ: x [2, 4, 5] x weight [6, 6] transposed (5 != 6)\n"
                         "  in weight = parameter \"in_proj_weight\"; bias = parameter \"in_proj_bias\"\n"
                         "  at "));
}
