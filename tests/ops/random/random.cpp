#include <algorithm>
#include <array>
#include <wengert/ops/products/threads.hpp>
#include <wengert/ops/random/random.hpp>

#include "ops/brute_force.hpp"
#include "ops/random/distances.hpp"

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

TEST_CASE("random: a generator is a seed, a stream and a position, on every platform") {
    // Written down from the definition of Philox4x32-10, not from a run of this code.
    Generator generator(12345678901234567, 987654321098765432);
    generator.seek((std::uint64_t{1} << 40) - 1);
    for (const std::uint64_t bits : {0xa760dc8e41cb7e93, 0x8a9ade5cf18024c3, 0xc272a16572e2dd80})
        CHECK(generator.bits() == bits);
    CHECK(generator.seed() == 12345678901234567);
    CHECK(generator.stream() == 987654321098765432);
    CHECK(generator.position() == (std::uint64_t{1} << 40) + 2);
    Generator first(1);
    for (const double number : {0.8902591729757107, 0.6719982688953429, 0.24740147231065202})
        CHECK(first.uniform() == number);
}

TEST_CASE("random: whole numbers below a bound are equally frequent") {
    Generator generator(1);
    std::array<int, 6> counts{};
    for (int i = 0; i < 60000; ++i) ++counts[generator.below(6)];
    for (const int count : counts) CHECK(std::abs(count - 10000) < 5 * std::sqrt(10000 * 5 / 6.0));
    CHECK(generator.below(1) == 0);
    // A bound above 2^63 refuses almost half of what is drawn.
    const std::uint64_t bound = (std::uint64_t{1} << 63) + 1;
    for (int i = 0; i < 100; ++i) CHECK(generator.below(bound) < bound);
    CHECK_THROWS_WITH_AS(generator.below(0), "Generator: there is no number below 0", ValueError);
}

TEST_CASE("random: a generator goes on where another stood") {
    Generator all(5, 2);
    uniform({100, 3}, 0, 1, all);
    Generator resumed(all.seed(), all.stream());
    resumed.seek(all.position());
    CHECK(resumed == all);
    CHECK(elements(normal({1000}, 0, 1, resumed)) == elements(normal({1000}, 0, 1, all)));
    CHECK(resumed.uniform() == all.uniform());
    CHECK(resumed.normal() == all.normal());
    // No call draws what the one before has drawn, not even what that left of its last block.
    Generator generator(5);
    const Values before = elements(uniform({3}, 0, 1, generator)), after = elements(uniform({3}, 0, 1, generator));
    for (const double x : before) CHECK(std::ranges::find(after, x) == after.end());
}

TEST_CASE("random: the same numbers on any number of threads") {
    const int before = thread_count();
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const std::int64_t n : {1, 63, 64, 65, 8191, 40007}) {
            std::vector<Values> drawn;
            for (const int threads : {1, 2, 3, 7}) {
                set_thread_count(threads);
                Generator generator(3);
                drawn.push_back(elements(uniform({n}, -1, 1, generator, dtype)));
                const Values more = elements(normal({n}, 0, 1, generator, dtype));
                drawn.back().insert(drawn.back().end(), more.begin(), more.end());
                CHECK(drawn.back() == drawn.front());
            }
        }
    set_thread_count(before);
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
    check_refused<DtypeError>("uniform: random values are float32 or float64, not int64",
                              [&] { uniform({3}, 0, 9, generator, Dtype::int64); });
    check_refused<ValueError>("uniform: low 3 is above high 1", [&] { uniform({3}, 3, 1, generator); });
    check_refused<ShapeError>("uniform: a length is negative: [-1]", [&] { uniform({-1}, 0, 1, generator); });
    CHECK_THROWS_AS(uniform({3}, not_a_number, 1, generator), ValueError);
    // In float32 their distance is infinite.
    CHECK_THROWS_AS(uniform({3}, -3e38, 3e38, generator), ValueError);
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
    CHECK(elements(normal({3}, 2, 0, generator)) == Values{2, 2, 2});
    check_refused<ValueError>("normal: the deviation is -1, not a finite number of 0 or more",
                              [&] { normal({3}, 0, -1, generator); });
    CHECK_THROWS_AS(normal({3}, 0, not_a_number, generator), ValueError);
    check_refused<ValueError>("normal: the mean is inf", [&] { normal({3}, infinity, 1, generator); });
}

TEST_CASE("random: the distributions are those that are promised") {
    const double root_half = std::sqrt(0.5);
    const auto normal_below = [&](double x) { return 0.5 * std::erfc(-x * root_half); };
    const auto uniform_below = [](double x) { return x; };
    for (const std::uint64_t seed : {1, 2, 3}) {
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            Generator generator(seed);
            CHECK(distance(elements(uniform({100000}, 0, 1, generator, dtype)), uniform_below) < limit(100000));
            CHECK(distance(elements(normal({100000}, 0, 1, generator, dtype)), normal_below) < limit(100000));
        }
        Generator generator(seed);
        Values numbers(20000), normals(20000);
        for (double& x : numbers) x = generator.uniform();
        for (double& x : normals) x = generator.normal();
        CHECK(distance(numbers, uniform_below) < limit(20000));
        CHECK(distance(normals, normal_below) < limit(20000));
    }
}

TEST_CASE("random: neighbours, streams and seeds are not correlated") {
    const std::int64_t n = 100000;
    const auto correlation = [&](const Values& a, const Values& b, std::size_t lag) {
        double total = 0;
        for (std::size_t i = 0; i + lag < a.size(); ++i) total += a[i + lag] * b[i];
        return std::abs(total) / static_cast<double>(a.size());
    };
    const auto drawn = [&](std::uint64_t seed, std::uint64_t stream) {
        Generator generator(seed, stream);
        return elements(normal({n}, 0, 1, generator));
    };
    const Values first = drawn(1, 0);
    const double five_deviations = 5 / std::sqrt(static_cast<double>(n));
    // A chunk is 64 numbers, its halves are the sines and the cosines of the same angles.
    for (const std::size_t lag : {1, 2, 15, 16, 31, 32, 33, 64})
        CHECK(correlation(first, first, lag) < five_deviations);
    for (const Values& other : {drawn(1, 1), drawn(2, 0), drawn(1, std::uint64_t{1} << 32)})
        CHECK(correlation(first, other, 0) < five_deviations);
}

TEST_CASE("random: the same seed gives the same values") {
    Generator a(7), b(7), c(8);
    const Values first = elements(uniform({50}, 0, 1, a));
    CHECK(elements(uniform({50}, 0, 1, b)) == first);
    CHECK(elements(uniform({50}, 0, 1, b)) != first);
    CHECK(elements(uniform({50}, 0, 1, c)) != first);
}

TEST_CASE("randint: each number of the range is equally likely, for any number of threads") {
    Generator generator(3), again(3);
    const Tensor x = randint(-2, 3, {200, 500}, generator);
    CHECK(x.dtype() == Dtype::int64);
    std::array<double, 5> counts{};
    for (const double v : elements(x)) {
        REQUIRE((v >= -2 && v < 3));
        ++counts[static_cast<std::size_t>(v + 2)];
    }
    for (const double count : counts) CHECK(count == doctest::Approx(20'000).epsilon(0.03));  // 5 deviations
    const int threads = thread_count();
    set_thread_count(1);
    CHECK(elements(randint(-2, 3, {200, 500}, again)) == elements(x));
    set_thread_count(threads);
    CHECK(again.position() == generator.position());
    // The whole range of int64 does not overflow.
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                           most = std::numeric_limits<std::int64_t>::max();
    double negative = 0;
    for (const double v : elements(randint(least, most, {1000}, generator))) negative += v < 0;
    CHECK(negative == doctest::Approx(500).epsilon(0.2));
    CHECK(elements(randint(7, 8, {2}, generator)) == Values{7, 7});
    CHECK(randint(0, 9, {0, 3}, generator).shape() == Shape{0, 3});
    CHECK_THROWS_WITH_AS(randint(2, 2, {1}, generator), doctest::Contains("randint: low 2 is not below high 2"),
                         ValueError);
}
