#include "ops/brute_force.hpp"

#include <wengert/ops/random/random.hpp>

using namespace brute_force;

namespace {

struct Moments {
    double mean = 0, deviation = 0, least = infinity, largest = -infinity;
};

Moments moments(const Tensor& x) {
    Moments m;
    const Values values = elements(x);
    for (const double v : values) {
        m.mean += v / static_cast<double>(values.size());
        m.least = std::min(m.least, v);
        m.largest = std::max(m.largest, v);
    }
    for (const double v : values) m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
    m.deviation = std::sqrt(m.deviation);
    return m;
}

}  // namespace

TEST_CASE("random: the first numbers of a seed, on every platform") {
    Generator generator(5489);  // the standard's own seed: the 10000th value of mt19937_64 is 9981545732273789042
    double last = 0;
    for (int i = 0; i < 10000; ++i) last = generator.uniform();
    CHECK(last == static_cast<double>(9981545732273789042u >> 11) * 0x1p-53);
}

TEST_CASE("random: uniform values") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        Generator generator(1);
        const Moments m = moments(uniform({300, 1000}, -3, 1, generator, dtype));
        CHECK(m.least >= -3);
        CHECK(m.largest < 1);
        const double deviation = 4 / std::sqrt(12);
        CHECK(std::abs(m.mean + 1) < 5 * deviation / std::sqrt(3e5));
        CHECK(m.deviation == doctest::Approx(deviation).epsilon(0.01));
    }
    // Of the numbers below 1 that float64 has, the highest are 1 in float32.
    Generator generator(2);
    const Tensor high = uniform({200000}, 16777215, 16777216, generator);
    CHECK(moments(high).largest < 16777216);
    CHECK(elements(uniform({3}, 2, 2, generator)) == Values{2, 2, 2});
    CHECK_THROWS_WITH_AS(uniform({3}, 0, 9, generator, Dtype::int64), "random values are float32 or float64, not int64",
                         DtypeError);
}

TEST_CASE("random: normal values") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        Generator generator(3);
        const Tensor x = normal({300000}, 2, 0.5, generator, dtype);
        const Moments m = moments(x);
        CHECK(std::abs(m.mean - 2) < 5 * 0.5 / std::sqrt(3e5));
        CHECK(m.deviation == doctest::Approx(0.5).epsilon(0.01));
        int within = 0;
        for (const double v : elements(x)) within += std::abs(v - 2) < 0.5;
        CHECK(within / 3e5 == doctest::Approx(0.6827).epsilon(0.01));
    }
    Generator generator(4);
    CHECK_THROWS_AS(normal({3}, 0, 1, generator, Dtype::int64), DtypeError);
}

TEST_CASE("random: the same seed gives the same values") {
    Generator a(7), b(7), c(8);
    const Values first = elements(uniform({50}, 0, 1, a));
    CHECK(elements(uniform({50}, 0, 1, b)) == first);
    CHECK(elements(uniform({50}, 0, 1, b)) != first);
    CHECK(elements(uniform({50}, 0, 1, c)) != first);
}
