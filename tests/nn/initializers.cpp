#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <wengert/nn/initializers.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

using namespace wengert;

namespace {

struct Statistics {
    double mean = 0, deviation = 0, least = 0, greatest = 0;
};

Statistics statistics(const Tensor& x) {
    const std::vector<double> values = x.to_vector<double>();
    Statistics s{0, 0, *std::ranges::min_element(values), *std::ranges::max_element(values)};
    for (const double v : values) s.mean += v / static_cast<double>(values.size());
    for (const double v : values) s.deviation += (v - s.mean) * (v - s.mean) / static_cast<double>(values.size());
    s.deviation = std::sqrt(s.deviation);
    return s;
}

/// For samples of 20,000 and more, whose deviation is known to about 0.5 %.
void check_uniform(const Tensor& x, double low, double high) {
    const Statistics s = statistics(x);
    CHECK(s.least >= low);
    CHECK(s.least < low + 0.001 * (high - low));
    CHECK(s.greatest <= high);
    CHECK(s.greatest > high - 0.001 * (high - low));
    CHECK(std::abs(s.mean - (low + high) / 2) < 0.01 * (high - low));
    CHECK(s.deviation == doctest::Approx((high - low) / std::sqrt(12)).epsilon(0.02));
}

void check_normal(const Tensor& x, double mean, double deviation) {
    const Statistics s = statistics(x);
    CHECK(std::abs(s.mean - mean) < 0.03 * deviation);
    CHECK(s.deviation == doctest::Approx(deviation).epsilon(0.02));
    CHECK(s.greatest > mean + 3 * deviation);
    CHECK(s.least < mean - 3 * deviation);
}

/// The greatest distance of x x^T, or of x^T x if x is taller than wide, from gain^2 times the identity.
double distance_from_orthogonal(const Tensor& x, double gain = 1) {
    Tensor rows = cast(reshape(x, {x.dim(0), -1}), Dtype::float64);
    if (rows.dim(0) > rows.dim(1)) rows = transpose(rows);
    const std::vector<double> products = matmul(rows, transpose(rows)).to_vector<double>();
    const auto n = static_cast<std::size_t>(rows.dim(0));
    double distance = 0;
    for (std::size_t i = 0; i < products.size(); ++i)
        distance = std::max(distance, std::abs(products[i] - (i % (n + 1) == 0 ? gain * gain : 0)));
    return distance;
}

}  // namespace

TEST_CASE("uniform and normal") {
    Generator generator(1);
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = Tensor::empty({200, 100}, dtype);
        initialize::uniform(x, -1, 3, generator);
        check_uniform(x, -1, 3);
        initialize::normal(x, 2, 0.5, generator);
        check_normal(x, 2, 0.5);
    }
}

TEST_CASE("Xavier and Kaiming have PyTorch's bounds and deviations") {
    Generator generator(2);
    const Tensor x = Tensor::empty({300, 100});  // fan-in 100, fan-out 300
    const auto check_bound = [&](double bound) { check_uniform(x, -bound, bound); };
    initialize::xavier_uniform(x, generator);
    check_bound(std::sqrt(6.0 / 400));
    initialize::xavier_uniform(x, generator, initialize::gain::tanh);
    check_bound(5.0 / 3 * std::sqrt(6.0 / 400));
    initialize::xavier_normal(x, generator);
    check_normal(x, 0, std::sqrt(2.0 / 400));
    initialize::kaiming_uniform(x, generator);
    check_bound(std::sqrt(6.0 / 100));
    initialize::kaiming_uniform(x, generator, {.fan = initialize::Fan::out});
    check_bound(std::sqrt(6.0 / 300));
    // What PyTorch's Linear does: 1 / sqrt(fan-in).
    initialize::kaiming_uniform(x, generator, {.gain = initialize::gain::leaky_relu(std::sqrt(5.0))});
    check_bound(0.1);
    initialize::kaiming_normal(x, generator);
    check_normal(x, 0, std::sqrt(2.0 / 100));
    initialize::kaiming_normal(x, generator, {.fan = initialize::Fan::out, .gain = 1});
    check_normal(x, 0, std::sqrt(1.0 / 300));
}

TEST_CASE("axes after the second count to both fans") {
    Generator generator(3);
    const Tensor x = Tensor::empty({40, 30, 5, 4});
    initialize::xavier_uniform(x, generator);
    check_uniform(x, -std::sqrt(6.0 / (70 * 20)), std::sqrt(6.0 / (70 * 20)));
    initialize::kaiming_normal(x, generator, {.gain = 1});
    check_normal(x, 0, std::sqrt(1.0 / 600));
}

TEST_CASE("orthogonal: wide, tall, square, with more axes, longer than one panel") {
    Generator generator(4);
    for (const Shape& shape : {Shape{3, 5}, Shape{5, 3}, Shape{1, 1}, Shape{1, 4}, Shape{4, 1}, Shape{32, 32},
                               Shape{33, 40}, Shape{150, 150}, Shape{70, 5, 14}, Shape{100, 4, 3}}) {
        CAPTURE(to_string(shape));
        const Tensor wide = Tensor::empty(shape, Dtype::float64), narrow = Tensor::empty(shape);
        initialize::orthogonal(wide, generator);
        CHECK(distance_from_orthogonal(wide) < 1e-14);
        initialize::orthogonal(wide, generator, 3);
        CHECK(distance_from_orthogonal(wide, 3) < 1e-13);
        initialize::orthogonal(narrow, generator);
        CHECK(distance_from_orthogonal(narrow) < 1e-6);
    }
    const Tensor none = Tensor::empty({0, 3});
    CHECK_NOTHROW(initialize::orthogonal(none, generator));
}

TEST_CASE("orthogonal takes every direction: in the plane, angles are uniform and reflections half of all") {
    Generator generator(5);
    const Tensor x = Tensor::empty({2, 2}, Dtype::float64);
    int reflections = 0, quadrants[4] = {};
    constexpr int draws = 4000;
    for (int i = 0; i < draws; ++i) {
        initialize::orthogonal(x, generator);
        const double a = x.at({0, 0}), b = x.at({0, 1});
        reflections += a * x.at({1, 1}) - b * x.at({1, 0}) < 0;
        ++quadrants[(a < 0) + 2 * (b < 0)];
    }
    CHECK(std::abs(reflections - draws / 2) < 5 * std::sqrt(draws / 4));
    for (const int n : quadrants) CHECK(std::abs(n - draws / 4) < 5 * std::sqrt(draws * 3 / 16));
}

TEST_CASE("a slice is filled as a tensor of its own, and the rest stays") {
    Generator generator(6);
    const Tensor x = full({6, 8}, 9, Dtype::float64);
    const Tensor columns = slice(x, 1, 2, 5);
    initialize::orthogonal(columns, generator);
    CHECK(distance_from_orthogonal(contiguous(columns)) < 1e-14);
    initialize::xavier_uniform(slice(x, 0, 4, 6), generator);
    CHECK(slice(x, 0, 0, 4).at({3, 1}) == 9);
    CHECK(x.at({0, 7}) == 9);
    CHECK(x.at({5, 7}) != 9);
}

TEST_CASE("the seed decides") {
    const auto draw = [](std::uint64_t seed) {
        Generator generator(seed);
        const Tensor x = Tensor::empty({4, 4});
        initialize::orthogonal(x, generator);
        return x.to_vector<float>();
    };
    CHECK(draw(1) == draw(1));
    CHECK(draw(1) != draw(2));
}

TEST_CASE("filling counts as a write") {
    Generator generator;
    const Tensor x = Tensor::empty({2, 2});
    const std::uint32_t version = x.version();
    initialize::xavier_normal(x, generator);
    CHECK(x.version() > version);
}

TEST_CASE("too few axes and integers are refused") {
    Generator generator;
    const Tensor vector = Tensor::empty({3}), integers = Tensor::empty({3, 3}, Dtype::int64);
    CHECK_THROWS_WITH_AS(initialize::xavier_uniform(vector, generator),
                         "xavier_uniform: at least two axes are needed, not [3]", ShapeError);
    CHECK_THROWS_AS(initialize::xavier_normal(vector, generator), ShapeError);
    CHECK_THROWS_AS(initialize::kaiming_uniform(vector, generator), ShapeError);
    CHECK_THROWS_AS(initialize::kaiming_normal(vector, generator), ShapeError);
    CHECK_THROWS_AS(initialize::orthogonal(vector, generator), ShapeError);
    CHECK_THROWS_AS(initialize::uniform(integers, 0, 1, generator), DtypeError);
    CHECK_THROWS_AS(initialize::normal(integers, 0, 1, generator), DtypeError);
    CHECK_THROWS_AS(initialize::kaiming_uniform(integers, generator), DtypeError);
    CHECK_THROWS_AS(initialize::orthogonal(integers, generator), DtypeError);
}
