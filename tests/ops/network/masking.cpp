#include "ops/brute_force.hpp"

#include <wengert/ops/network/masking.hpp>

using namespace brute_force;

TEST_CASE("masking: positions before each length") {
    const Tensor mask = length_mask(ids({2, 0, 3}), 3);
    CHECK(mask.shape() == Shape{3, 3});
    CHECK(elements(mask) == Values{1, 1, 0, 0, 0, 0, 1, 1, 1});
    CHECK(length_mask(ids({1}), 2, Dtype::float64).dtype() == Dtype::float64);
    CHECK(length_mask(ids({}), 2).shape() == Shape{0, 2});
    check_refused<ValueError>("length_mask: length 4 is outside [0, 3]", [&] { length_mask(ids({1, 4}), 3); });
    check_refused<ValueError>("length_mask: length -1 is outside [0, 3]", [&] { length_mask(ids({-1}), 3); });
    check_refused<ShapeError>("length_mask: lengths must be [B], not []",
                              [&] { length_mask(scalar(1, Dtype::int64), 3); });
    check_refused<DtypeError>("length_mask: a mask is float32 or float64, not int64",
                              [&] { length_mask(ids({1}), 3, Dtype::int64); });
    check_refused<DtypeError>("length_mask: lengths must be int64, not float32", [&] { length_mask(zeros({2}), 3); });
}

TEST_CASE("masking: what is filled gets no gradient") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2}, Dtype::float64), mask = tensor({0, 1}, Dtype::float64);
    CHECK(elements(masked_fill(x, mask, -infinity)) == Values{1, -infinity, 3, -infinity});
    const auto g =
        gradients([&](const auto& in) { return masked_fill(in[0], mask, 7); }, {x}, ones({2, 2}, Dtype::float64));
    CHECK(elements(g[0]) == Values{1, 0, 1, 0});
    check_refused<ShapeError>("where: shapes do not broadcast: [3] and [2, 2] (3 != 2)",
                              [&] { masked_fill(x, zeros({3}, Dtype::float64), 0); });
}

TEST_CASE("masking: dropout keeps the mean, and its gradient is what it multiplied by") {
    const double p = 0.3;
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = ones({100000}, dtype);
        Generator generator(1);
        Tensor y;
        const Tensor g = gradients([&](const auto& in) { return y = dropout(in[0], p, generator); }, {x}, x)[0];
        const Values values = elements(y);
        double zeros = 0;
        for (const double v : values) {
            if (v == 0)
                ++zeros;
            else
                CHECK(v == doctest::Approx(1 / (1 - p)));
        }
        // Five standard deviations of a count of independent draws.
        CHECK(std::abs(zeros / 1e5 - p) < 5 * std::sqrt(p * (1 - p) / 1e5));
        CHECK(elements(g) == values);
    }
}

TEST_CASE("masking: dropout follows its generator") {
    const Tensor x = ones({64});
    Generator a(1), b(1), c(2);
    const Values first = elements(dropout(x, 0.5, a));
    CHECK(elements(dropout(x, 0.5, b)) == first);
    CHECK(elements(dropout(x, 0.5, b)) != first);
    CHECK(elements(dropout(x, 0.5, c)) != first);
    CHECK(dropout(x, 0, a).same_as(x));
    check_refused<ValueError>("dropout: p is 1, outside [0, 1)", [&] { dropout(x, 1, a); });
    check_refused<ValueError>("dropout: p is -0.1, outside [0, 1)", [&] { dropout(x, -0.1, a); });
    CHECK_THROWS_AS(dropout(x, not_a_number, a), ValueError);
    CHECK_THROWS_AS(dropout(arange(3), 0.5, a), DtypeError);
}
