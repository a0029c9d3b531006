#include <algorithm>
#include <array>
#include <map>
#include <wengert/autograd/transform/checkpoint.hpp>
#include <wengert/ops/random/distributions.hpp>

#include "ops/brute_force.hpp"
#include "ops/random/distances.hpp"

using namespace brute_force;

namespace {

constexpr int many = 40000;

/// How often things happen that should happen with these probabilities: each count within 5 deviations.
void check_frequencies(const std::map<Values, int>& counts, const std::map<Values, double>& probabilities, int trials) {
    for (const auto& [what, count] : counts) CHECK(probabilities.contains(what));
    for (const auto& [what, p] : probabilities) {
        CAPTURE(what);
        const auto found = counts.find(what);
        const double count = found == counts.end() ? 0 : found->second;
        CHECK(std::abs(count - trials * p) < 5 * std::sqrt(trials * p * (1 - p)));
    }
}

}  // namespace

TEST_CASE("distributions: bernoulli is 1 with its probability") {
    Generator generator(3);
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor p = transpose(expand(cast(tensor({0, 0.25, 0.9, 1}), dtype), {many, 4}));
        const Tensor y = bernoulli(p, generator);
        CHECK(y.dtype() == dtype);
        for (std::int64_t i = 0; i < 4; ++i) {
            double ones = 0;
            for (const double v : elements(select(y, 0, i))) {
                CHECK_UNARY(v == 0 || v == 1);
                ones += v;
            }
            const double q = element(p, {i, 0});
            CHECK(std::abs(ones - many * q) <= 5 * std::sqrt(many * q * (1 - q)));
        }
    }
}

TEST_CASE("distributions: gamma follows its distribution") {
    Generator generator(4);
    // The distribution functions of whole and half shapes have closed forms.
    const auto half = [](double x) { return std::erf(std::sqrt(x)); };
    const auto one = [](double x) { return 1 - std::exp(-x); };
    const auto three = [](double x) { return 1 - std::exp(-x) * (1 + x + x * x / 2); };
    const auto values = [&](double a) { return elements(gamma(full({many}, a, Dtype::float64), generator)); };
    CHECK(distance(values(0.5), half) < limit(many));
    CHECK(distance(values(1), one) < limit(many));
    CHECK(distance(values(3), three) < limit(many));
    double mean = 0;
    for (const double v : values(1000)) mean += v / many;
    CHECK(std::abs(mean - 1000) < 5 * std::sqrt(1000.0 / many));
    CHECK(gamma(tensor({1e-3, 1e6}), generator).dtype() == Dtype::float32);
}

TEST_CASE("distributions: the same for any number of threads, and no number is drawn twice") {
    const Tensor a = full({3001}, 0.7), p = full({3001}, 0.5);
    const auto all = [&] {
        Generator generator(5);
        const Values first = elements(gamma(a, generator)), second = elements(gamma(a, generator)),
                     third = elements(bernoulli(p, generator));
        CHECK(first != second);
        Values joined = first;
        joined.insert(joined.end(), second.begin(), second.end());
        joined.insert(joined.end(), third.begin(), third.end());
        return joined;
    };
    const Threads one(1);
    const Values alone = all();
    const Threads two(2);
    CHECK(all() == alone);
}

TEST_CASE("distributions: multinomial draws by weight, with and without replacement") {
    Generator generator(6);
    const Tensor weights = expand(tensor({1, 0, 3, 4}), {many, 4});
    std::map<Values, int> with, without;
    const Values a = elements(multinomial(weights, 2, generator, true)),
                 b = elements(multinomial(weights, 2, generator));
    for (std::size_t i = 0; i < many; ++i) {
        ++with[{a[2 * i], a[2 * i + 1]}];
        ++without[{b[2 * i], b[2 * i + 1]}];
    }
    std::map<Values, double> both, apart;
    const std::map<double, double> p{{0, 1 / 8.0}, {2, 3 / 8.0}, {3, 4 / 8.0}};
    for (const auto& [i, p_i] : p)
        for (const auto& [j, p_j] : p) {
            both[{i, j}] = p_i * p_j;
            if (i != j) apart[{i, j}] = p_i * p_j / (1 - p_i);  // the second among those that are left
        }
    check_frequencies(with, both, many);
    check_frequencies(without, apart, many);
    const Tensor rows = multinomial(tensor({0, 0, 5, 1e-300, 0, 0}, {2, 3}, Dtype::float64), 1, generator);
    CHECK(rows.shape() == Shape{2, 1});
    CHECK(elements(rows) == Values{2, 0});
    CHECK(multinomial(zeros({3, 2}), 0, generator).shape() == Shape{3, 0});
    CHECK(multinomial(zeros({0, 2}), 5, generator).shape() == Shape{0, 5});
}

TEST_CASE("distributions: each order of a permutation is equally likely") {
    Generator generator(7);
    std::map<Values, int> counts;
    std::map<Values, double> probabilities;
    for (int i = 0; i < many; ++i) ++counts[elements(permutation(3, generator))];
    Values order{0, 1, 2};
    do probabilities[order] = 1 / 6.0;
    while (std::ranges::next_permutation(order).found);
    check_frequencies(counts, probabilities, many);
    Values large = elements(permutation(1000, generator));
    std::ranges::sort(large);
    CHECK(large == elements(arange(1000)));
    CHECK(permutation(0, generator).shape() == Shape{0});
}

TEST_CASE("distributions: what does not fit is refused with the caller's line") {
    Generator g(1);
    check_refused<ValueError>("bernoulli: 1.5 is no probability", [&] { bernoulli(tensor({0.5, 1.5}), g); });
    check_refused<ValueError>("bernoulli: nan is no probability", [&] { bernoulli(tensor({not_a_number}), g); });
    check_refused<DtypeError>("bernoulli: the operand is int64; float32 or float64 is needed",
                              [&] { bernoulli(arange(2), g); });
    check_refused<ValueError>("gamma: 0 is no shape of a gamma distribution", [&] { gamma(tensor({1, 0}), g); });
    check_refused<ValueError>("gamma: inf is no shape of a gamma distribution", [&] { gamma(tensor({infinity}), g); });
    check_refused<ValueError>("multinomial: -1 is no weight", [&] { multinomial(tensor({1, -1}), 1, g); });
    check_refused<ShapeError>("multinomial: weights need an axis, and are []", [&] { multinomial(scalar(1), 1, g); });
    check_refused<ValueError>("multinomial: count is -1, less than 0", [&] { multinomial(ones({2}), -1, g); });
    check_refused<ValueError>(
        "multinomial: a row has 1 weights above 0, too few to draw 2 positions without replacement", [&] {
            multinomial(tensor({1, 0}), 2, g);
        });
    check_refused<ValueError>("multinomial: a row has 0 weights above 0, too few to draw 3 positions",
                              [&] { multinomial(zeros({2}), 3, g, true); });
    check_refused<ValueError>("permutation: n is -1, less than 0", [&] { permutation(-1, g); });
}

TEST_CASE("distributions: in a checkpoint gamma draws the same again") {
    const Tensor a = full({2000}, 0.7, Dtype::float64), x = ones({2000}, Dtype::float64);
    const auto run = [&](bool checkpoints, int threads) {
        const Threads number(threads);
        Generator generator(3);
        const auto f = [&](const Tensor& z) { return z * z * gamma(a, generator); };
        Tape tape;
        tape.watch(x);
        const Tensor y = checkpoints ? checkpoint(f, x) : f(x);
        return std::pair{elements(tape.gradient(y, x, {.cotangent = x})), generator.position()};
    };
    const auto plain = run(false, 1);
    for (const int threads : {1, 2, 3}) CHECK(run(true, threads) == plain);
}

TEST_CASE("distributions: at the ends of the number range") {
    Generator generator(8);
    for (const double v : elements(gamma(full({1000}, 1e-3), generator))) CHECK(v > 0);
    const Tensor large = expand(tensor({1.5e308, 1.5e308}, Dtype::float64), {200, 2});
    double ones = 0;
    for (const double v : elements(multinomial(large, 1, generator, true))) ones += v;
    CHECK(ones > 50);
    CHECK(ones < 150);
}
