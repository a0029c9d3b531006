#include <cmath>
#include <numbers>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

TEST_CASE("special: digamma and its derivatives at points that are known") {
    const auto value = [](const Tensor& x) { return x.item(); };
    const auto at = [](double x) { return scalar(x, Dtype::float64); };
    constexpr double pi = std::numbers::pi, euler = std::numbers::egamma, apery = 1.2020569031595942854;
    CHECK(value(digamma(at(1))) == doctest::Approx(-euler).epsilon(1e-14));
    CHECK(value(digamma(at(0.5))) == doctest::Approx(-euler - 2 * std::numbers::ln2).epsilon(1e-14));
    CHECK(value(digamma(at(-0.5))) == doctest::Approx(-euler - 2 * std::numbers::ln2 + 2).epsilon(1e-13));
    CHECK(value(polygamma(1, at(1))) == doctest::Approx(pi * pi / 6).epsilon(1e-14));
    CHECK(value(polygamma(1, at(0.5))) == doctest::Approx(pi * pi / 2).epsilon(1e-14));
    CHECK(value(polygamma(2, at(1))) == doctest::Approx(-2 * apery).epsilon(1e-14));
    CHECK(value(polygamma(3, at(1))) == doctest::Approx(std::pow(pi, 4) / 15).epsilon(1e-14));
    CHECK(value(lgamma(at(5))) == doctest::Approx(std::log(24)).epsilon(1e-15));
    for (const double n : {-1.0, 101.0, 1e9}) CHECK(std::isnan(value(polygamma(n, at(2)))));
    CHECK(std::isnan(value(digamma(at(0)))));
    CHECK(std::isnan(value(digamma(at(-3)))));
    // Below 0, by the recurrence from points that are known.
    const double cube = std::pow(pi, 3);
    CHECK(value(polygamma(2, at(-0.5))) == doctest::Approx(16 - 14 * apery).epsilon(1e-14));
    CHECK(value(polygamma(3, at(-0.5))) == doctest::Approx(96 + std::pow(pi, 4)).epsilon(1e-14));
    CHECK(value(polygamma(2, at(-2.5))) == doctest::Approx(16 + 16.0 / 27 + 16.0 / 125 - 14 * apery).epsilon(1e-13));
    CHECK(value(polygamma(2, at(-0.25))) == doctest::Approx(128 + 2 * cube - 56 * apery).epsilon(1e-14));
    CHECK(value(polygamma(2, at(-0.75))) == doctest::Approx(128.0 / 27 - 2 * cube - 56 * apery).epsilon(1e-14));
    CHECK(value(polygamma(2, at(-1e-10))) == doctest::Approx(2e30).epsilon(1e-14));
    for (const double n : {2.0, 3.0, 10.0}) {
        CHECK(std::isnan(value(polygamma(n, at(0)))));
        CHECK(std::isnan(value(polygamma(n, at(-3)))));
        CHECK(std::isnan(value(polygamma(n, at(-infinity)))));
    }
    for (const double x : {-0.5, -1.3, -4.8}) {
        const GradcheckResult result = gradcheck([](const auto& in) { return digamma(in[0]); }, {at(x)}, {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
}
