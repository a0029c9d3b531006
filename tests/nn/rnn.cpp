#include <doctest/doctest.h>

#include <cmath>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "parity.hpp"
#include "recurrent.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

constexpr RnnNonlinearity nonlinearities[] = {RnnNonlinearity::tanh, RnnNonlinearity::relu};

}  // namespace

TEST_CASE("rnn cell: one step is the formula, for either nonlinearity") {
    Generator generator(1);
    for (const RnnNonlinearity f : nonlinearities)
        for (const double x : {0.7, -0.7}) {
            RnnCell cell = to(RnnCell(1, 1, generator, f), Dtype::float64);
            cell.weight_ih.fill(1.5), cell.weight_hh.fill(-0.5), cell.bias_ih.fill(0.25), cell.bias_hh.fill(0.125);
            const double h = -0.9, sum = 1.5 * x + 0.25 - 0.5 * h + 0.125;
            const Tensor next = cell(cell.project(full({1, 1}, x, Dtype::float64)), full({1, 1}, h, Dtype::float64));
            CHECK(next.item() ==
                  doctest::Approx(f == RnnNonlinearity::tanh ? std::tanh(sum) : std::max(sum, 0.0)).epsilon(1e-14));
        }
}

TEST_CASE("rnn cell: gradients") {
    Generator generator(1);
    Tensor x = sample_values({4, 3}, -1, 1, 2), h = sample_values({4, 2}, -1, 1, 3);
    x.set_name("x"), h.set_name("h");
    for (const RnnNonlinearity f : nonlinearities)
        for (const Tensor& keep : {Tensor(), tensor({1, 0, 1, 0}, {4, 1}, Dtype::float64)})
            for (const int order : {1, 2}) {
                const GradcheckResult result = gradcheck(RnnCell(3, 2, generator, f), {x, h},
                                                         [&](const RnnCell& cell, const std::vector<Tensor>& in) {
                                                             return cell(cell.project(in[0]), in[1], keep);
                                                         },
                                                         {.order = order});
                CHECK_MESSAGE(result.passed, result.message);
            }
}

TEST_CASE("rnn cell: a row that is not kept has its state back") {
    Generator generator(1);
    for (const RnnNonlinearity f : nonlinearities) {
        const RnnCell cell(3, 5, generator, f);
        const Tensor h = uniform({2, 5}, -1, 1, generator), projection = uniform({2, 5}, -1, 1, generator);
        const Tensor next = cell(projection, h, tensor({0, 1}, {2, 1}));
        CHECK(difference(select(next, 0, 0), select(h, 0, 0), 0) == "");
        CHECK(difference(select(next, 0, 1), select(cell(projection, h), 0, 1), 1e-6) == "");
    }
}

TEST_CASE("rnn: parameters have PyTorch's names, shapes and initial values") {
    Generator generator(1);
    const auto named = named_parameters(Rnn(4, 5, generator, {.layers = 2}));
    const std::vector<std::pair<std::string, Shape>> contract{
        {"weight_ih_l0", {5, 4}}, {"weight_hh_l0", {5, 5}}, {"bias_ih_l0", {5}}, {"bias_hh_l0", {5}},
        {"weight_ih_l1", {5, 5}}, {"weight_hh_l1", {5, 5}}, {"bias_ih_l1", {5}}, {"bias_hh_l1", {5}}};
    REQUIRE(named.size() == contract.size());
    for (std::size_t i = 0; i < named.size(); ++i) {
        CHECK(named[i].first == contract[i].first);
        CHECK(named[i].second.name() == contract[i].first);
        CHECK(named[i].second.shape() == contract[i].second);
        CHECK(named[i].second.is_parameter());
        for (const double v : named[i].second.to_vector<double>()) REQUIRE(std::abs(v) <= 1 / std::sqrt(5.0) + 1e-7);
    }
    CHECK(named_parameters(Rnn(4, 5, generator, {.bidirectional = true})).size() == 8);
}

TEST_CASE("rnn: gradients of stacks, by every parameter, the input and the first state") {
    Generator generator(1);
    Tensor x = sample_values({3, 4, 2}, -1, 1, 2);
    x.set_name("x");
    for (const bool bidirectional : {false, true})
        for (const Tensor& lengths : {Tensor(), ids({3, 0, 1})}) {
            const Rnn rnn(2, 2, generator, {.layers = 2, .bidirectional = bidirectional});
            Tensor state = sample_values({2 * rnn.directions(), 3, 2}, -1, 1, 3);
            state.set_name("state");
            for (const int order : {1, 2}) {
                const GradcheckResult result = gradcheck(rnn, {x, state},
                                                         [&](const Rnn& rnn, const std::vector<Tensor>& in) {
                                                             return joined_results(rnn(in[0], lengths, in[1]));
                                                         },
                                                         {.order = order});
                CHECK_MESSAGE(result.passed, result.message);
            }
        }
}

TEST_CASE("rnn: values and gradients are PyTorch's") {
    for (const RnnNonlinearity f : nonlinearities)
        for (const parity::Precision& precision : parity::precisions) {
            const bool is_tanh = f == RnnNonlinearity::tanh;
            const parity::Fixture fixture(is_tanh ? "rnn" : "rnn_relu", precision);
            Generator generator(1);
            const Rnn rnn =
                fixture.load(Rnn(4, 5, generator, {.layers = 2, .bidirectional = is_tanh, .nonlinearity = f}));
            const Tensor x = fixture["input"];
            Tape tape;
            tape.watch(x);
            const Rnn::Result result = rnn(x, fixture["lengths"]);
            fixture.check("outputs", result.outputs);
            fixture.check("h_n", result.state);
            const Tensor total =
                sum(result.outputs * fixture["cotangent.outputs"]) + sum(result.state * fixture["cotangent.h_n"]);
            NamedTensors inputs = named_parameters(rnn);
            inputs.emplace_back("input", x);
            fixture.check_gradients(tape, total, inputs);
        }
}

TEST_CASE("rnn: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(Rnn(2, 3, generator, {.dropout = 1}), "Rnn: dropout is 1.000000, outside [0, 1)", ValueError);
    CHECK_THROWS_WITH_AS(RnnCell(0, 3, generator), "RnnCell: a number of features is 0, less than 1", ValueError);
    const Rnn rnn(2, 3, generator);
    const Tensor x = zeros({4, 5, 2}), h = zeros({4, 3});
    check_refused<ShapeError>("rnn: the state must be [layers * directions, B, H] = [1, 4, 3], not [4, 3]",
                              [&] { rnn(x, {}, h); });
    check_refused<ValueError>("rnn: the layer has no cells (default-constructed or moved from)", [&] { Rnn()(x); });
    const RnnCell cell(2, 3, generator), empty;
    check_refused<ShapeError>("rnn_cell: the projection must be [B, 3], not [4, 2]", [&] { cell(zeros({4, 2}), h); });
    check_refused<ShapeError>("rnn_cell: the state must be [4, 3], not [4, 2]", [&] {
        cell(zeros({4, 3}), zeros({4, 2}));
    });
    check_refused<ValueError>("rnn_cell: the layer has no weight_hh (default-constructed or moved from)",
                              [&] { empty(h, h); });
    check_refused<ValueError>("rnn_cell: the layer has no weight_ih (default-constructed or moved from)",
                              [&] { empty.project(x); });
}
