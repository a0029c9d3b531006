#include <doctest/doctest.h>

#include <cmath>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

TEST_CASE("positional encoding: sines and cosines of the paper's frequencies, for an odd width too") {
    for (const std::int64_t features : {6, 5}) {
        const Tensor table = SinusoidalEncoding::table(40, features, 0, Dtype::float64);
        REQUIRE(table.shape() == Shape{40, features});
        for (std::int64_t t = 0; t < 40; ++t)
            for (std::int64_t i = 0; i < features; ++i) {
                const double even = static_cast<double>(i / 2 * 2), width = static_cast<double>(features);
                const double angle = static_cast<double>(t) / std::pow(10000.0, even / width);
                const double expected = i % 2 == 0 ? std::sin(angle) : std::cos(angle);
                CHECK(table.at({t, i}) == doctest::Approx(expected).epsilon(1e-12));
            }
    }
    CHECK(SinusoidalEncoding::table(0, 4).shape() == Shape{0, 4});
}

TEST_CASE("positional encoding: a sequence in pieces gets what it gets at once") {
    Generator generator(1);
    const Tensor x = uniform({2, 7, 4}, -1, 1, generator);
    const SinusoidalEncoding sinusoidal;
    const LearnedEncoding learned(7, 4, generator);
    const auto in_pieces = [&](const auto& encoding) {
        return concat({encoding(slice(x, 1, 0, 3)), encoding(slice(x, 1, 3, 7), 3)}, 1);
    };
    CHECK(difference(in_pieces(sinusoidal), sinusoidal(x), 0) == "");
    CHECK(difference(in_pieces(learned), learned(x), 0) == "");
    CHECK(named_parameters(learned)[0].first == "weight");
    CHECK(learned.weight.shape() == Shape{7, 4});
}

TEST_CASE("positional encoding: gradients") {
    Generator generator(1);
    const Tensor x = sample_values({2, 3, 4}, -1, 1, 2);
    for (const int order : {1, 2}) {
        GradcheckResult result = gradcheck(
            LearnedEncoding(5, 4, generator), {x},
            [](const LearnedEncoding& encoding, const std::vector<Tensor>& in) { return tanh(encoding(in[0], 1)); },
            {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
        result = gradcheck([](const std::vector<Tensor>& in) { return tanh(SinusoidalEncoding()(in[0], 1)); }, {x},
                           {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("positional encoding: values and gradients are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("positional_encoding", precision);
        Generator generator(1);
        const LearnedEncoding learned = fixture.load(LearnedEncoding(10, 6, generator));
        const Tensor x = fixture["input"];
        fixture.check("sinusoidal", SinusoidalEncoding()(x, 3));
        Tape tape;
        tape.watch(x);
        const Tensor result = learned(x, 3);
        fixture.check("learned", result);
        NamedTensors inputs = named_parameters(learned);
        inputs.emplace_back("input", x);
        fixture.check_gradients(tape, sum(result * fixture["cotangent.learned"]), inputs);
    }
}

TEST_CASE("positional encoding: what does not fit is an error at the caller's line") {
    Generator generator(1);
    const SinusoidalEncoding sinusoidal;
    const LearnedEncoding learned(5, 4, generator), empty;
    CHECK_THROWS_AS(LearnedEncoding(0, 4, generator), ValueError);
    CHECK_THROWS_AS(SinusoidalEncoding::table(-1, 4), ValueError);
    check_refused<ShapeError>("positional_encoding: x must be [B, T, E], not [3, 4]", [&] {
        sinusoidal(zeros({3, 4}));
    });
    check_refused<ValueError>("positional_encoding: the first step is -1, less than 0", [&] {
        sinusoidal(zeros({1, 3, 4}), -1);
    });
    check_refused<ValueError>("positional_encoding: the layer has no weight (default-constructed or moved from)", [&] {
        empty(zeros({1, 3, 4}));
    });
    check_refused<ShapeError>("positional_encoding: x must be [B, T, 4], not [1, 3, 5]", [&] {
        learned(zeros({1, 3, 5}));
    });
    check_refused<ValueError>("positional_encoding: steps 3 to 5 are more than the 5 that the layer has", [&] {
        learned(zeros({1, 3, 4}), 3);
    });
}
