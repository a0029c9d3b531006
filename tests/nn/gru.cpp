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

namespace {

void check_cell_gradients(GruReset reset, const Tensor& keep) {
    Generator generator(1);
    const GruCell cell(3, 2, generator, reset);
    Tensor x = sample_values({4, 3}, -1, 1, 2), h = sample_values({4, 2}, -1, 1, 3);
    x.set_name("x"), h.set_name("h");
    for (const int order : {1, 2}) {
        const GradcheckResult result = gradcheck(
            cell, {x, h},
            [&](const GruCell& cell, const std::vector<Tensor>& in) { return cell(cell.project(in[0]), in[1], keep); },
            {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

}  // namespace

TEST_CASE("gru cell: one step is the formula, for either place of the reset gate") {
    Generator generator(1);
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product}) {
        GruCell cell = to(GruCell(1, 1, generator, reset), Dtype::float64);
        cell.weight_ih.copy_from(tensor({0.1, -0.2, 0.3}, {3, 1}));
        cell.weight_hh.copy_from(tensor({-0.4, 0.5, 0.6}, {3, 1}));
        cell.bias_ih.copy_from(tensor({0.07, -0.08, 0.09}));
        cell.bias_hh.copy_from(tensor({-0.01, 0.02, 0.03}));
        // The cell got float32 roundings of these numbers.
        const auto w = cell.weight_ih.to_vector<double>(), u = cell.weight_hh.to_vector<double>();
        const auto b = cell.bias_ih.to_vector<double>(), c = cell.bias_hh.to_vector<double>();
        const double x = 0.7, h = -0.9;
        const double r = sigmoid_of(w[0] * x + b[0] + u[0] * h + c[0]);
        const double z = sigmoid_of(w[1] * x + b[1] + u[1] * h + c[1]);
        const double past = reset == GruReset::after_product ? r * (u[2] * h + c[2]) : u[2] * (r * h) + c[2];
        const double n = std::tanh(w[2] * x + b[2] + past);
        const Tensor next = cell(cell.project(scalar(x, Dtype::float64).view({1, 1}, {1, 1}, 0)),
                                 scalar(h, Dtype::float64).view({1, 1}, {1, 1}, 0));
        CHECK(next.item() == doctest::Approx((1 - z) * n + z * h).epsilon(1e-14));
    }
}

TEST_CASE("gru cell: gradients") {
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product}) {
        check_cell_gradients(reset, {});
        check_cell_gradients(reset, tensor({1, 0, 1, 0}, {4, 1}, Dtype::float64));
    }
}

TEST_CASE("gru cell: a row that is not kept has its state back bit for bit, whatever the input is") {
    Generator generator(1);
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product})
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const GruCell cell = to(GruCell(3, 21, generator, reset), dtype);
            const Tensor h = uniform({4, 21}, -1, 1, generator, dtype);
            Tensor projection = uniform({4, 63}, -1, 1, generator, dtype);
            projection.copy_from(where(tensor({0, 1, 0, 0}, {4, 1}, dtype), full({}, not_a_number, dtype), projection));
            const Tensor next = cell(projection, h, tensor({1, 0, 0, 1}, {4, 1}, dtype));
            CHECK(identical(slice(next, 0, 1, 3), slice(h, 0, 1, 3)));
            CHECK(difference(select(next, 0, 0), select(cell(projection, h), 0, 0), 1e-6) == "");
            CHECK(!identical(select(next, 0, 0), select(h, 0, 0)));
        }
}

TEST_CASE("gru: parameters have PyTorch's names and shapes") {
    Generator generator(1);
    const Gru gru(4, 5, generator, {.layers = 2, .bidirectional = true});
    const std::vector<std::pair<std::string, Shape>> contract{{"weight_ih_l0", {15, 4}},
                                                              {"weight_hh_l0", {15, 5}},
                                                              {"bias_ih_l0", {15}},
                                                              {"bias_hh_l0", {15}},
                                                              {"weight_ih_l0_reverse", {15, 4}},
                                                              {"weight_hh_l0_reverse", {15, 5}},
                                                              {"bias_ih_l0_reverse", {15}},
                                                              {"bias_hh_l0_reverse", {15}},
                                                              {"weight_ih_l1", {15, 10}},
                                                              {"weight_hh_l1", {15, 5}},
                                                              {"bias_ih_l1", {15}},
                                                              {"bias_hh_l1", {15}},
                                                              {"weight_ih_l1_reverse", {15, 10}},
                                                              {"weight_hh_l1_reverse", {15, 5}},
                                                              {"bias_ih_l1_reverse", {15}},
                                                              {"bias_hh_l1_reverse", {15}}};
    const auto named = named_parameters(gru);
    REQUIRE(named.size() == contract.size());
    for (std::size_t i = 0; i < named.size(); ++i) {
        CHECK(named[i].first == contract[i].first);
        CHECK(named[i].second.name() == contract[i].first);
        CHECK(named[i].second.shape() == contract[i].second);
        CHECK(named[i].second.is_parameter());
        for (const double v : named[i].second.to_vector<double>()) REQUIRE(std::abs(v) <= 1 / std::sqrt(5.0) + 1e-7);
    }
    CHECK(gru.directions() == 2);
    CHECK(named_parameters(Gru(4, 5, generator, {.layers = 3})).size() == 12);
}

TEST_CASE("gru: gradients of stacks, by every parameter and the input") {
    Generator generator(1);
    Tensor x = sample_values({3, 4, 2}, -1, 1, 2);
    x.set_name("x");
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product})
        for (const bool bidirectional : {false, true})
            for (const Tensor& lengths : {Tensor(), ids({3, 4, 1}), ids({0, 2, 4})}) {
                const Gru gru(2, 2, generator, {.layers = 2, .bidirectional = bidirectional, .reset = reset});
                const GradcheckResult result = gradcheck(gru, {x}, [&](const Gru& gru, const std::vector<Tensor>& in) {
                    return joined_results(gru(in[0], lengths));
                });
                CHECK_MESSAGE(result.passed, result.message);
            }
}

TEST_CASE("gru: second derivatives through time") {
    Generator generator(1);
    for (const bool bidirectional : {false, true}) {
        const Gru gru(2, 2, generator, {.bidirectional = bidirectional});
        const GradcheckResult result = gradcheck(gru, {sample_values({2, 3, 2}, -1, 1, 2)},
                                                 [](const Gru& gru, const std::vector<Tensor>& in) {
                                                     return joined_results(gru(in[0], ids({2, 3})));
                                                 },
                                                 {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("gru: values and gradients are PyTorch's") {
    for (const bool bidirectional : {false, true})
        for (const parity::Precision& precision : parity::precisions) {
            const parity::Fixture fixture(bidirectional ? "gru_bidirectional" : "gru", precision);
            Generator generator(1);
            const Gru gru = fixture.load(Gru(4, 5, generator, {.layers = 2, .bidirectional = bidirectional}));
            const Tensor x = fixture["input"];
            Tape tape;
            tape.watch(x);
            const Gru::Result result = gru(x, fixture["lengths"]);
            fixture.check("outputs", result.outputs);
            fixture.check("h_n", result.state);
            const Tensor total =
                sum(result.outputs * fixture["cotangent.outputs"]) + sum(result.state * fixture["cotangent.h_n"]);
            NamedTensors inputs = named_parameters(gru);
            inputs.emplace_back("input", x);
            fixture.check_gradients(tape, total, inputs);
        }
}

TEST_CASE("gru: a row's results depend neither on its padding nor on the other rows") {
    Generator generator(1);
    const std::vector<std::int64_t> lengths{3, 6, 1, 0};
    for (const bool bidirectional : {false, true}) {
        const Gru gru = to(Gru(2, 3, generator, {.layers = 2, .bidirectional = bidirectional}), Dtype::float64);
        const Tensor x = sample_values({4, 6, 2}, -1, 1, 2);
        const Tensor real = unsqueeze(length_mask(ids(lengths), 6, Dtype::float64), 2);
        const Gru::Result batch = gru(x, ids(lengths));
        const Gru::Result other_padding = gru(where(real, x, 1e3), ids(lengths));
        CHECK(identical(other_padding.outputs, batch.outputs));
        CHECK(identical(other_padding.state, batch.state));
        for (std::int64_t row = 0; row < 3; ++row) {
            const std::int64_t length = lengths[static_cast<std::size_t>(row)];
            const Gru::Result alone = gru(slice(slice(x, 0, row, row + 1), 1, 0, length));
            const Tensor outputs = slice(batch.outputs, 0, row, row + 1);
            CHECK(difference(slice(outputs, 1, 0, length), alone.outputs, 1e-15) == "");
            CHECK(difference(slice(batch.state, 1, row, row + 1), alone.state, 1e-15) == "");
            CHECK(difference(slice(outputs, 1, length, 6), zeros({1, 6 - length, outputs.dim(2)}, Dtype::float64), 0) ==
                  "");
        }
        // A row of length 0 keeps the first state, which is 0.
        CHECK(difference(select(batch.outputs, 0, 3), zeros({6, 3 * gru.directions()}, Dtype::float64), 0) == "");
        CHECK(difference(select(batch.state, 1, 3), zeros({2 * gru.directions(), 3}, Dtype::float64), 0) == "");
    }
}

TEST_CASE("gru: full lengths are the same as none") {
    Generator generator(1);
    const Gru gru(2, 3, generator, {.layers = 2, .bidirectional = true});
    const Tensor x = uniform({2, 4, 2}, -1, 1, generator);
    CHECK(difference(joined_results(gru(x, ids({4, 4}))), joined_results(gru(x)), 1e-6) == "");
}

TEST_CASE("gru: the reverse direction reads from the last real step to the first") {
    Generator generator(1);
    Gru both = to(Gru(2, 3, generator, {.bidirectional = true}), Dtype::float64);
    const Gru one = to(Gru(2, 3, generator), Dtype::float64);
    NamedTensors reverse;
    for (const auto& [name, parameter] : named_parameters(both))
        if (name.ends_with("_reverse")) reverse.emplace_back(name.substr(0, name.find("_reverse")), parameter);
    assign(reverse, named_parameters(one));
    const Tensor x = sample_values({1, 4, 2}, -1, 1, 2);
    std::vector<Tensor> backwards;
    for (const int t : {2, 1, 0}) backwards.push_back(select(x, 1, t));
    const Gru::Result forwards = one(stack(backwards, 1)), result = both(x, ids({3}));
    for (int t = 0; t < 3; ++t)
        CHECK(difference(slice(select(result.outputs, 1, t), 1, 3, 6), select(forwards.outputs, 1, 2 - t), 1e-15) ==
              "");
    CHECK(difference(select(result.state, 0, 1), select(forwards.state, 0, 0), 1e-15) == "");
}

TEST_CASE("gru: dropout acts between layers, if there is noise") {
    Generator generator(1), noise(2), same(2);
    const Tensor x = uniform({2, 4, 2}, -1, 1, generator);
    const Gru one(2, 3, generator, {.dropout = 0.5}), two(2, 3, generator, {.layers = 2, .dropout = 0.5});
    CHECK(identical(one(x, {}, &noise).outputs, one(x).outputs));
    CHECK(identical(two(x).outputs, two(x).outputs));
    const Gru::Result dropped = two(x, {}, &noise);
    CHECK(identical(select(dropped.state, 0, 0), select(two(x).state, 0, 0)));
    CHECK(!identical(dropped.outputs, two(x).outputs));
    CHECK(identical(two(x, {}, &same).outputs, dropped.outputs));
    CHECK(!identical(two(x, {}, &noise).outputs, dropped.outputs));
}

TEST_CASE("gru: no rows give no states") {
    Generator generator(1);
    const Gru gru(2, 3, generator, {.layers = 2, .bidirectional = true});
    const Gru::Result result = gru(zeros({0, 4, 2}), ids({}));
    CHECK(result.outputs.shape() == Shape{0, 4, 6});
    CHECK(result.state.shape() == Shape{4, 0, 3});
}

TEST_CASE("gru: what does not fit is an error") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(Gru(2, 3, generator, {.layers = 0}), "Gru: there must be at least one layer", ValueError);
    const Gru gru(2, 3, generator);
    const Tensor x = zeros({2, 4, 2});
    const auto error = [](auto&& f) -> std::string {
        try {
            f();
        } catch (const Error& e) {
            return e.what();
        }
        return "no error";
    };
    CHECK(error([&] { gru(x, ids({4, 5})); }).starts_with("gru: length 5 is outside [0, 4]\n  at "));
    CHECK(error([&] { gru(x, ids({4, -1})); }).starts_with("gru: length -1 is outside [0, 4]\n  at "));
    for (const auto& lengths : {ids({4}), ids({4, 4, 4}), zeros({2, 1}, Dtype::int64)})
        CHECK(error([&] { gru(x, lengths); })
                  .starts_with("gru: lengths " + to_string(lengths.shape()) +
                               " are not one for each row of x [2, 4, 2]\n  at "));
    CHECK(error([&] {
              gru(zeros({4, 2}));
          }).starts_with("gru: x must be [B, T, in] with at least one step, not [4, 2]\n  at "));
    CHECK(error([&] {
              gru(zeros({2, 0, 2}));
          }).starts_with("gru: x must be [B, T, in] with at least one step, not [2, 0, 2]\n  at "));
    CHECK_THROWS_AS(gru(x, ones({2})), DtypeError);
    CHECK_THROWS_AS(gru(zeros({2, 4, 3})), ShapeError);
    CHECK_THROWS_AS(gru(zeros({2, 4, 2}, Dtype::float64)), DtypeError);
}

TEST_CASE("gru: a state that does not fit, and a layer without parameters, are errors at the caller's line") {
    Generator generator(1);
    Gru gru(2, 3, generator, {.layers = 2});
    const Tensor x = zeros({4, 5, 2});
    check_refused<ShapeError>("gru: the state must be [layers * directions, B, H] = [2, 4, 3], not [4, 3]", [&] {
        gru(x, {}, zeros({4, 3}));
    });
    check_refused<DtypeError>("gru: the state is float64, x float32", [&] {
        gru(x, {}, zeros({2, 4, 3}, Dtype::float64));
    });
    check_refused<ShapeError>("linear: inner dimensions differ: x [4, 5, 3] x weight [9, 2] transposed (3 != 2)", [&] {
        gru(zeros({4, 5, 3}));
    });
    const std::string none = "gru: the layer has no cells (default-constructed or moved from)";
    check_refused<ValueError>(none, [&] { Gru()(x); });
    const Gru moved = std::move(gru);
    check_refused<ValueError>(none, [&] { gru(x); });

    const GruCell cell(2, 3, generator), empty;
    const Tensor projection = zeros({4, 9}), h = zeros({4, 3});
    check_refused<ShapeError>("gru_cell: the state must be [4, 3], not [4, 2]", [&] {
        cell(projection, zeros({4, 2}));
    });
    check_refused<ShapeError>("gru_cell: the projection must be [B, 9], not [4, 6]", [&] { cell(zeros({4, 6}), h); });
    check_refused<ShapeError>("gru_cell: keep must be [4, 1], not [4]", [&] { cell(projection, h, ones({4})); });
    check_refused<DtypeError>("gru_cell: the state is float64, the projection float32", [&] {
        cell(projection, zeros({4, 3}, Dtype::float64));
    });
    check_refused<ValueError>("gru_cell: the state is an undefined tensor", [&] { cell(projection, {}); });
    check_refused<ValueError>("gru_cell: the layer has no weight_hh (default-constructed or moved from)",
                              [&] { empty(projection, h); });
    check_refused<ValueError>("gru_cell: the layer has no weight_ih (default-constructed or moved from)",
                              [&] { empty.project(x); });
}
