#include <doctest/doctest.h>

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/derivatives.hpp>
#include <wengert/autograd/transform/on_cotangent.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("on_cotangent: sees the sum of what all uses contribute, once a pass") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    std::vector<Values> seen;
    const Tensor h = on_cotangent(scale(x, 10), [&](const Tensor& ct) { seen.push_back(elements(ct)); });
    CHECK(elements(h) == Values{10, 20});
    const Tensor y = sum(add(mul(h, h), scale(h, 3)));
    CHECK(seen.empty());
    CHECK(elements(tape.gradient(y, x, {.retain_graph = true})) == Values{230, 430});
    CHECK(seen == std::vector<Values>{{23, 43}});
    tape.gradient(sum(x), x, {.retain_graph = true});
    CHECK(seen.size() == 1);
    tape.gradient(y, x);
    CHECK(seen.size() == 2);
}

TEST_CASE("on_cotangent: what it returns goes on in its stead") {
    const Tensor x = vector({1, -2, 3});
    const auto clip = [](const Tensor& ct) {
        Values clipped = elements(ct);
        for (double& c : clipped) c = std::clamp(c, -1.0, 1.0);
        return tensor(clipped, ct.shape());
    };
    const auto f = [&](const Tensor& z) { return sum(scale(mul(on_cotangent(z, clip), z), 0.4)); };
    // One use of z is clipped, the other is not.
    CHECK(elements(grad(f, x)) == Values{0.8, -1.6, 2.2});
}

TEST_CASE("on_cotangent: views, strides and kept cotangents") {
    const Tensor x = matrix({1, 2, 3, 4, 5, 6}, 2);
    std::vector<Tensor> kept;
    const auto keep = [&](const Tensor& ct) { kept.push_back(ct); };
    const auto f = [&](const Tensor& z) {
        const Tensor left = on_cotangent(slice(z, 1, 0, 2), keep), right = on_cotangent(slice(z, 1, 1, 3), keep);
        return sum(add(mul(left, left), mul(right, right)));
    };
    CHECK(elements(grad(f, x)) == Values{2, 8, 6, 8, 20, 12});
    REQUIRE(kept.size() == 2);
    CHECK(elements(kept[0]) == Values{4, 6, 10, 12});
    CHECK(elements(kept[1]) == Values{2, 4, 8, 10});
    const auto through_transpose = [&](const Tensor& z) {
        return sum(mul(on_cotangent(tiny::transpose(z), keep), matrix({1, 2, 3, 4, 5, 6}, 3)));
    };
    CHECK(elements(grad(through_transpose, x)) == Values{1, 3, 5, 2, 4, 6});
    CHECK(grad([&](const Tensor& z) { return sum(on_cotangent(z, keep)); }, Tensor::empty({0, 2})).shape() ==
          Shape{0, 2});
}

TEST_CASE("on_cotangent: in recorded passes") {
    const Tensor x = vector({1, 2});
    const auto f = [](const Tensor& z) {
        // The identity backward too: derivatives of all orders are as without.
        const Tensor h = on_cotangent(z, [](const Tensor&) {});
        return mul(h, mul(h, h));
    };
    CHECK(gradcheck([&](const auto& in) { return f(in[0]); }, {x}, {.order = 2}).passed);
    const auto doubled = [](const Tensor& z) {
        return sum(mul(z, on_cotangent(z, [](const Tensor& ct) { return scale(ct, 2); })));
    };
    CHECK(elements(grad(doubled, x)) == Values{3, 6});
    CHECK(elements(grad([&](const Tensor& z) { return sum(grad(doubled, z)); }, x)) == Values{4, 4});

    const auto constant = [](const Tensor& z) {
        return sum(on_cotangent(z, [](const Tensor& ct) { return ct.clone(); }));
    };
    CHECK(elements(grad(constant, x)) == Values{1, 1});
    CHECK_THROWS_WITH_AS(grad([&](const Tensor& z) { return sum(grad(constant, z)); }, x),
                         doctest::Contains("on_cotangent: a recorded pass needs a rule"), NotDifferentiableError);
}

TEST_CASE("on_cotangent: what it does not take") {
    const auto same = [](const Tensor& ct) { return ct; };
    CHECK_THROWS_WITH_AS(on_cotangent(ids({1}), same),
                         ("on_cotangent: x is int64, which has no cotangent" + at_line()).c_str(), DtypeError);
    CHECK_THROWS_WITH_AS(on_cotangent(Tensor(), same),
                         ("on_cotangent: operand 0 is an undefined tensor" + at_line()).c_str(), ValueError);
    const Tensor x = vector({1, 2});
    CHECK_THROWS_WITH_AS(grad([](const Tensor& z) { return sum(on_cotangent(z, sum)); }, x),
                         doctest::Contains("a contribution of shape [] to the cotangent of an operand [2]"),
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        grad([](const Tensor& z) { return sum(on_cotangent(z, [](const Tensor&) { return Tensor(); })); }, x),
        doctest::Contains("the function returned an undefined tensor"), ValueError);
}

TEST_CASE("on_cotangent: a tangent passes as it is") {
    const auto doubled = [](const Tensor& z) {
        return on_cotangent(mul(z, z), [](const Tensor& ct) { return scale(ct, 2); });
    };
    const Tensor x = vector({1, 3}), v = vector({5, 7});
    CHECK(elements(jvp(doubled, x, v).tangent) == Values{10, 42});
    const auto slope = [&](const Tensor& z) { return grad([&](const Tensor& y) { return sum(doubled(y)); }, z); };
    CHECK(elements(slope(x)) == Values{4, 12});
    CHECK(elements(jvp(slope, x, v).tangent) == Values{20, 28});
}
