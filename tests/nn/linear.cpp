#include <doctest/doctest.h>

#include <cmath>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"

using namespace wengert;

TEST_CASE("linear: x W^T + b over any leading axes") {
    Generator generator(1);
    Linear linear(3, 2, generator);
    linear.weight.copy_from(tensor({1, 2, 3, -1, 0, 5}, {2, 3}));
    linear.bias.copy_from(tensor({0.5, -1}));
    const Tensor expected = tensor({14.5, 13, 0.5, -1}, {2, 2});
    const Tensor x = tensor({1, 2, 3, 0, 0, 0}, {2, 3});
    CHECK(difference(linear(x), expected, 0) == "");
    CHECK(difference(linear(reshape(x, {2, 1, 1, 3})), reshape(expected, {2, 1, 1, 2}), 0) == "");
    CHECK(difference(linear(select(x, 0, 0)), select(expected, 0, 0), 0) == "");
    CHECK(linear(zeros({4, 0, 3})).shape() == Shape{4, 0, 2});
}

TEST_CASE("linear: without bias it has one parameter") {
    Generator generator(1);
    const Linear linear(3, 2, generator, false);
    CHECK(named_parameters(linear).size() == 1);
    CHECK(difference(linear(zeros({1, 3})), zeros({1, 2}), 0) == "");
}

TEST_CASE("linear: parameters have names and shapes, are followed by tapes, and begin uniform in +-1 / sqrt(in)") {
    Generator generator(1), same(1);
    const Linear linear(100, 50, generator);
    CHECK(linear.weight.name() == "weight");
    CHECK(linear.bias.name() == "bias");
    CHECK(linear.weight.shape() == Shape{50, 100});
    CHECK(linear.bias.shape() == Shape{50});
    double low = 1, high = -1;
    for (const Tensor& p : parameters(linear)) {
        CHECK(p.is_parameter());
        for (const double v : p.to_vector<double>()) low = std::min(low, v), high = std::max(high, v);
    }
    CHECK(low >= -0.1f);
    CHECK(low < -0.099);
    CHECK(high <= 0.1f);
    CHECK(high > 0.099);
    CHECK(difference(linear.weight, Linear(100, 50, same).weight, 0) == "");
}

TEST_CASE("linear: gradients") {
    Generator generator(1);
    for (const bool with_bias : {true, false})
        for (const int order : {1, 2}) {
            const GradcheckResult result =
                gradcheck(Linear(3, 4, generator, with_bias), {sample_values({2, 5, 3}, -1, 1, 2)},
                          [](const Linear& linear, const std::vector<Tensor>& in) { return tanh(linear(in[0])); },
                          {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("linear: an input of another width is an error that names the parameter and the caller's line") {
    Generator generator(1);
    const Linear linear(3, 2, generator);
    const Tensor x = zeros({4, 5});
    std::string text;
    const int line = __LINE__ + 2;
    try {
        linear(x);
    } catch (const ShapeError& error) {
        text = error.what();
    }
    CHECK(
        text.starts_with("linear: inner dimensions differ: x [4, 5] x weight [2, 3] transposed (5 != 3)\n"
                         "  in weight = parameter \"weight\"; bias = parameter \"bias\"\n"
                         "  at "));
    CHECK(text.ends_with("tests/nn/linear.cpp:" + std::to_string(line)));
}

TEST_CASE("linear: a layer without parameters is an error at the caller's line") {
    const Linear empty;
    const Tensor x = ones({2, 3});
    const std::string text = "linear: the layer has no weight (default-constructed or moved from)";
    check_refused<ValueError>(text, [&] { empty(x); });
    Generator generator(1);
    Linear first(3, 2, generator);
    const Linear second = std::move(first);
    check_refused<ValueError>(text, [&] { first(x); });
    CHECK(second(x).shape() == Shape{2, 2});
}
