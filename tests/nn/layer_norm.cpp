#include <doctest/doctest.h>

#include <cmath>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

TEST_CASE("layer norm: parameters have PyTorch's names, shapes and initial values") {
    const auto named = named_parameters(LayerNorm(4));
    REQUIRE(named.size() == 2);
    CHECK(named[0].first == "weight");
    CHECK(named[1].first == "bias");
    CHECK(difference(named[0].second, ones({4}), 0) == "");
    CHECK(difference(named[1].second, zeros({4}), 0) == "");
    for (const auto& [name, parameter] : named) {
        CHECK(parameter.name() == name);
        CHECK(parameter.is_parameter());
    }
    CHECK(named_parameters(LayerNorm(4, 1e-6, false)).size() == 1);
    CHECK(LayerNorm(4).eps == 1e-5);
}

TEST_CASE("layer norm: every row has mean 0 and variance 1, before the weight and the bias") {
    const Tensor x = sample_values({3, 5, 64}, -2, 7, 1);
    const Tensor y = to(LayerNorm(64, 0), Dtype::float64)(x);
    CHECK(difference(mean(y, -1), zeros({3, 5}, Dtype::float64), 1e-14) == "");
    CHECK(difference(mean(y * y, -1), ones({3, 5}, Dtype::float64), 1e-13) == "");
}

TEST_CASE("layer norm: one row is the formula") {
    LayerNorm norm(3, 0.25);
    norm.weight.copy_from(tensor({1, 2, -3}));
    norm.bias.copy_from(tensor({0.5, 0, 1}));
    norm = to(norm, Dtype::float64);
    const double scale = 1 / std::sqrt(14.0 / 3 + 0.25);  // of 1, 2, 6: the mean is 3, the squares 4 + 1 + 9
    const Tensor want = tensor({-2 * scale + 0.5, -2 * scale, -9 * scale + 1}, Dtype::float64);
    const Tensor x = tensor({1, 2, 6}, Dtype::float64);
    CHECK(difference(norm(x), want, 1e-15) == "");
    norm.bias = {};
    CHECK(difference(norm(x), want - tensor({0.5, 0, 1}, Dtype::float64), 1e-15) == "");
}

TEST_CASE("layer norm: a row far from zero keeps its digits, and one without spread is the bias") {
    const LayerNorm norm(4);
    const Tensor near = tensor({-1, 1, 3, -3}, {1, 4});
    CHECK(difference(norm(near + 4096), norm(near), 1e-6) == "");
    CHECK(difference(norm(full({2, 4}, 1e6)), zeros({2, 4}), 0) == "");
    CHECK(difference(LayerNorm(1)(tensor({3, -4}, {2, 1})), zeros({2, 1}), 0) == "");
}

TEST_CASE("layer norm: strided and empty operands") {
    const LayerNorm norm = to(LayerNorm(3), Dtype::float64);
    const Tensor x = sample_values({3, 5}, -1, 1, 1);
    CHECK(difference(norm(transpose(x)), norm(contiguous(transpose(x))), 1e-15) == "");
    CHECK(norm(zeros({0, 3}, Dtype::float64)).shape() == Shape{0, 3});
}

TEST_CASE("layer norm: gradients") {
    LayerNorm norm = to(LayerNorm(4), Dtype::float64);
    norm.weight.copy_from(sample_values({4}, 0.5, 2, 1));
    norm.bias.copy_from(sample_values({4}, -1, 1, 2));
    LayerNorm scale = clone(norm);
    scale.bias = {};
    Tensor x = sample_values({3, 2, 4}, -1, 1, 3);
    x.set_name("x");
    for (const LayerNorm& layer : {norm, scale})
        for (const int order : {1, 2}) {
            const GradcheckResult result =
                gradcheck(layer, {x}, [](const LayerNorm& norm, const std::vector<Tensor>& in) { return norm(in[0]); },
                          {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("layer norm: values and gradients are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("layer_norm", precision);
        const LayerNorm norm = fixture.load(LayerNorm(6));
        const Tensor x = fixture["input"];
        Tape tape;
        tape.watch(x);
        const Tensor y = norm(x);
        fixture.check("outputs", y);
        NamedTensors inputs = named_parameters(norm);
        inputs.emplace_back("input", x);
        fixture.check_gradients(tape, sum(y * fixture["cotangent.outputs"]), inputs);
    }
}

TEST_CASE("layer norm: what does not fit is an error at the caller's line") {
    const LayerNorm norm(4), empty;
    CHECK_THROWS_WITH_AS(LayerNorm(0), "LayerNorm: a number of features is 0, less than 1", ValueError);
    CHECK_THROWS_WITH_AS(LayerNorm(4, -1), "LayerNorm: eps is -1, not 0 or more", ValueError);
    check_refused<ShapeError>("layer_norm: the weight must be [3] for x [2, 3], not [4]", [&] { norm(zeros({2, 3})); });
    check_refused<ShapeError>("layer_norm: x must be [.., n], not []", [&] { norm(zeros({})); });
    check_refused<ValueError>("layer_norm: the layer has no weight (default-constructed or moved from)", [&] {
        empty(zeros({2, 4}));
    });
    std::string text;
    try {
        norm(zeros({2, 4}, Dtype::float64));
    } catch (const DtypeError& error) {
        text = error.what();
    }
    CHECK_MESSAGE(text.starts_with("layer_norm: "), text);
    CHECK_MESSAGE(text.find("parameter \"weight\"") != std::string::npos, text);
}
