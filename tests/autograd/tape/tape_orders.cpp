#include <doctest/doctest.h>

#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("tape: derivatives up to the third order") {
    const Tensor x = vector({0.5, -2});
    Tape tape;
    tape.watch(x);
    SUBCASE("of a polynomial") {
        const Tensor y = mul(mul(x, x), mul(x, x));
        const Tensor g = tape.gradient(sum(y), x, {.create_graph = true});
        const Tensor h = tape.gradient(sum(g), x, {.create_graph = true});
        const Tensor third = tape.gradient(sum(h), x, {.create_graph = true});
        CHECK(elements(g) == Values{4 * 0.125, 4 * -8});
        CHECK(elements(h) == Values{12 * 0.25, 12 * 4});
        CHECK(elements(third) == Values{24 * 0.5, 24 * -2});
        CHECK(elements(tape.gradient(sum(third), x)) == Values{24, 24});
    }
    SUBCASE("of a transcendental function") {
        const Tensor g = tape.gradient(sum(tiny::tanh(x)), x, {.create_graph = true});
        const Tensor h = tape.gradient(sum(g), x, {.create_graph = true});
        const Tensor third = tape.gradient(sum(h), x);
        for (const std::size_t i : {0, 1}) {
            const double t = std::tanh(elements(x)[i]), s = 1 - t * t;
            CHECK(elements(g)[i] == doctest::Approx(s).epsilon(1e-13));
            CHECK(elements(h)[i] == doctest::Approx(-2 * t * s).epsilon(1e-13));
            CHECK(elements(third)[i] == doctest::Approx(s * (6 * t * t - 2)).epsilon(1e-13));
        }
    }
    SUBCASE("through views and products") {
        const Tensor m = matrix({1, 2, 3, 4}, 2);
        tape.watch(m);
        const Tensor y = sum(product(m, slice(product(m, m), 1, 0, 1)));  // cubic in m
        const Tensor g = tape.gradient(y, m, {.create_graph = true});
        const Tensor h = tape.gradient(sum(mul(g, m)), m, {.create_graph = true});  // sum(g m) = 3 y
        CHECK(sum(mul(g, m)).item() == doctest::Approx(3 * y.item()).epsilon(1e-13));
        CHECK(elements(h)[1] == doctest::Approx(3 * elements(g)[1]).epsilon(1e-13));
    }
}

TEST_CASE("tape: a gradient inside the loss") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor g = tape.gradient(sum(mul(x, mul(x, x))), x, {.create_graph = true});  // 3 x^2
    const Tensor loss = add(sum(mul(g, g)), sum(x));                                    // 9 x^4 + x
    CHECK(elements(tape.gradient(loss, x)) == Values{37, 289});
}

TEST_CASE("tape: a gradient that was not recorded is a constant") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor g = tape.gradient(sum(mul(x, x)), x);
    CHECK(tape.find(g) == no_node);
    CHECK(elements(tape.gradient(sum(mul(g, x)), x)) == Values{2, 4});
}

TEST_CASE("tape: the derivative by a cotangent") {
    const Tensor x = vector({1, 2}), c = vector({3, 4});
    Tape tape;
    tape.watch(x);
    tape.watch(c);
    const Tensor g = tape.gradient(mul(x, x), x, {.create_graph = true, .cotangent = c});
    const std::vector<Tensor> h = tape.gradient(sum(g), {c, x});
    CHECK(elements(h[0]) == Values{2, 4});
    CHECK(elements(h[1]) == Values{6, 8});
}
