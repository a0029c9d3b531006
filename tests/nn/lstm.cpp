#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "parity.hpp"
#include "recurrent.hpp"
#include "refused.hpp"

using namespace wengert;

TEST_CASE("lstm cell: one step is the formula") {
    Generator generator(1);
    LstmCell cell = to(LstmCell(1, 1, generator), Dtype::float64);
    cell.weight_ih.copy_from(tensor({0.1, -0.2, 0.3, 0.4}, {4, 1}, Dtype::float64));
    cell.weight_hh.copy_from(tensor({-0.4, 0.5, 0.6, -0.7}, {4, 1}, Dtype::float64));
    cell.bias_ih.copy_from(tensor({0.07, -0.08, 0.09, 0.1}, Dtype::float64));
    cell.bias_hh.copy_from(tensor({-0.01, 0.02, 0.03, 0.04}, Dtype::float64));
    const double x = 0.7, h = -0.9, c = 1.3;
    const double i = sigmoid_of(0.1 * x + 0.07 - 0.4 * h - 0.01), f = sigmoid_of(-0.2 * x - 0.08 + 0.5 * h + 0.02);
    const double g = std::tanh(0.3 * x + 0.09 + 0.6 * h + 0.03), o = sigmoid_of(0.4 * x + 0.1 - 0.7 * h + 0.04);
    const auto one = [](double value) { return full({1, 1}, value, Dtype::float64); };
    const LstmState next = cell(cell.project(one(x)), {one(h), one(c)});
    CHECK(next.c.item() == doctest::Approx(f * c + i * g).epsilon(1e-14));
    CHECK(next.h.item() == doctest::Approx(o * std::tanh(f * c + i * g)).epsilon(1e-14));
}

TEST_CASE("lstm cell: gradients") {
    Generator generator(1);
    const LstmCell cell(3, 2, generator);
    Tensor x = sample_values({4, 3}, -1, 1, 2), h = sample_values({4, 2}, -1, 1, 3),
           c = sample_values({4, 2}, -1, 1, 4);
    x.set_name("x"), h.set_name("h"), c.set_name("c");
    for (const Tensor& keep : {Tensor(), tensor({1, 0, 1, 0}, {4, 1}, Dtype::float64)})
        for (const int order : {1, 2}) {
            const GradcheckResult result =
                gradcheck(cell, {x, h, c},
                          [&](const LstmCell& cell, const std::vector<Tensor>& in) {
                              const LstmState next = cell(cell.project(in[0]), {in[1], in[2]}, keep);
                              return concat({next.h, next.c}, 1);
                          },
                          {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("lstm cell: a row that is not kept has its state back bit for bit, whatever the input is") {
    Generator generator(1);
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const LstmCell cell = to(LstmCell(3, 21, generator), dtype);
        const LstmState state{uniform({4, 21}, -1, 1, generator, dtype), uniform({4, 21}, -1, 1, generator, dtype)};
        Tensor projection = uniform({4, 84}, -1, 1, generator, dtype);
        projection.copy_from(where(tensor({0, 1, 0, 0}, {4, 1}, dtype), full({}, not_a_number, dtype), projection));
        const LstmState next = cell(projection, state, tensor({1, 0, 0, 1}, {4, 1}, dtype));
        const LstmState all = cell(projection, state);
        CHECK(identical(slice(next.h, 0, 1, 3), slice(state.h, 0, 1, 3)));
        CHECK(identical(slice(next.c, 0, 1, 3), slice(state.c, 0, 1, 3)));
        CHECK(difference(select(next.h, 0, 0), select(all.h, 0, 0), 1e-6) == "");
        CHECK(difference(select(next.c, 0, 3), select(all.c, 0, 3), 1e-6) == "");
        CHECK(!identical(select(next.h, 0, 0), select(state.h, 0, 0)));
    }
}

TEST_CASE("lstm: parameters have PyTorch's names, shapes and initial values") {
    Generator generator(1);
    const Lstm lstm(4, 5, generator, {.layers = 2, .bidirectional = true});
    std::vector<std::pair<std::string, Shape>> contract;
    for (const std::string layer : {"l0", "l1"})
        for (const std::string side : {"", "_reverse"}) {
            contract.emplace_back("weight_ih_" + layer + side, Shape{20, layer == "l0" ? 4 : 10});
            contract.emplace_back("weight_hh_" + layer + side, Shape{20, 5});
            contract.emplace_back("bias_ih_" + layer + side, Shape{20});
            contract.emplace_back("bias_hh_" + layer + side, Shape{20});
        }
    const auto named = named_parameters(lstm);
    REQUIRE(named.size() == contract.size());
    for (std::size_t i = 0; i < named.size(); ++i) {
        CHECK(named[i].first == contract[i].first);
        CHECK(named[i].second.name() == contract[i].first);
        CHECK(named[i].second.shape() == contract[i].second);
        CHECK(named[i].second.is_parameter());
        for (const double v : named[i].second.to_vector<double>()) REQUIRE(std::abs(v) <= 1 / std::sqrt(5.0) + 1e-7);
    }
    CHECK(lstm.directions() == 2);
}

TEST_CASE("lstm: gradients of stacks, by every parameter, the input and the first state") {
    Generator generator(1);
    Tensor x = sample_values({3, 4, 2}, -1, 1, 2);
    x.set_name("x");
    for (const bool bidirectional : {false, true})
        for (const Tensor& lengths : {Tensor(), ids({3, 4, 1}), ids({0, 2, 4})}) {
            const Lstm lstm(2, 2, generator, {.layers = 2, .bidirectional = bidirectional});
            Tensor h = sample_values({2 * lstm.directions(), 3, 2}, -1, 1, 3);
            Tensor c = sample_values({2 * lstm.directions(), 3, 2}, -1, 1, 4);
            h.set_name("h"), c.set_name("c");
            const GradcheckResult result =
                gradcheck(lstm, {x, h, c}, [&](const Lstm& lstm, const std::vector<Tensor>& in) {
                    return joined_results(lstm(in[0], lengths, {in[1], in[2]}));
                });
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("lstm: second derivatives through time") {
    Generator generator(1);
    for (const bool bidirectional : {false, true}) {
        const Lstm lstm(2, 2, generator, {.bidirectional = bidirectional});
        const GradcheckResult result = gradcheck(lstm, {sample_values({2, 3, 2}, -1, 1, 2)},
                                                 [](const Lstm& lstm, const std::vector<Tensor>& in) {
                                                     return joined_results(lstm(in[0], ids({2, 3})));
                                                 },
                                                 {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("lstm: values and gradients are PyTorch's") {
    for (const bool bidirectional : {false, true})
        for (const parity::Precision& precision : parity::precisions) {
            const parity::Fixture fixture(bidirectional ? "lstm_bidirectional" : "lstm", precision);
            Generator generator(1);
            const Lstm lstm = fixture.load(Lstm(4, 5, generator, {.layers = 2, .bidirectional = bidirectional}));
            const Tensor x = fixture["input"];
            Tape tape;
            tape.watch(x);
            const Lstm::Result result = lstm(x, fixture["lengths"]);
            fixture.check("outputs", result.outputs);
            fixture.check("h_n", result.state.h);
            fixture.check("c_n", result.state.c);
            const Tensor total = sum(result.outputs * fixture["cotangent.outputs"]) +
                                 sum(result.state.h * fixture["cotangent.h_n"]) +
                                 sum(result.state.c * fixture["cotangent.c_n"]);
            NamedTensors inputs = named_parameters(lstm);
            inputs.emplace_back("input", x);
            fixture.check_gradients(tape, total, inputs);
        }
}

TEST_CASE("lstm: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(Lstm(2, 3, generator, {.layers = 0}), "Lstm: there must be at least one layer", ValueError);
    CHECK_THROWS_WITH_AS(LstmCell(2, 0, generator), "LstmCell: a number of features is 0, less than 1", ValueError);
    const Lstm lstm(2, 3, generator, {.layers = 2});
    const Tensor x = zeros({4, 5, 2}), first = zeros({2, 4, 3});
    check_refused<ShapeError>("lstm: the state's h must be [layers * directions, B, H] = [2, 4, 3], not [4, 3]", [&] {
        lstm(x, {}, {zeros({4, 3}), first});
    });
    check_refused<ShapeError>("lstm: the state's c must be [layers * directions, B, H] = [2, 4, 3], not [2, 4, 2]",
                              [&] {
                                  lstm(x, {}, {first, zeros({2, 4, 2})});
                              });
    check_refused<DtypeError>("lstm: the state's c is float64, x float32", [&] {
        lstm(x, {}, {first, zeros({2, 4, 3}, Dtype::float64)});
    });
    check_refused<ValueError>("lstm: the state's c is an undefined tensor", [&] { lstm(x, {}, {first, {}}); });
    check_refused<ValueError>("lstm: the state's h is an undefined tensor", [&] { lstm(x, {}, {{}, first}); });
    check_refused<ValueError>("lstm: the layer has no cells (default-constructed or moved from)", [&] { Lstm()(x); });

    const LstmCell cell(2, 3, generator), empty;
    const Tensor projection = zeros({4, 12}), h = zeros({4, 3});
    check_refused<ShapeError>("lstm_cell: the state's h must be [4, 3], not [4, 2]", [&] {
        cell(projection, {zeros({4, 2}), h});
    });
    check_refused<ShapeError>("lstm_cell: the state's c must be [4, 3], not [3, 3]", [&] {
        cell(projection, {h, zeros({3, 3})});
    });
    check_refused<ShapeError>("lstm_cell: the projection must be [B, 12], not [4, 9]", [&] {
        cell(zeros({4, 9}), {h, h});
    });
    check_refused<ShapeError>("lstm_cell: keep must be [4, 1], not [4]", [&] { cell(projection, {h, h}, ones({4})); });
    check_refused<DtypeError>("lstm_cell: the state's c is float64, the projection float32", [&] {
        cell(projection, {h, zeros({4, 3}, Dtype::float64)});
    });
    check_refused<ValueError>("lstm_cell: the state's c is an undefined tensor", [&] { cell(projection, {h, {}}); });
    check_refused<ValueError>("lstm_cell: the layer has no weight_hh (default-constructed or moved from)", [&] {
        empty(projection, {h, h});
    });
    check_refused<ValueError>("lstm_cell: the layer has no weight_ih (default-constructed or moved from)",
                              [&] { empty.project(x); });
}
