#include "ops/brute_force.hpp"

#include <cstring>
#include <random>
#include <wengert/autograd/check/gradcheck.hpp>

using namespace brute_force;

namespace {

struct Range {
    double low, high;
};

/// A function of one tensor, what it should be, and how far from it it may be.
struct Unary {
    std::string name;
    Tensor (*f)(const Input&);
    long double (*want)(long double);
    std::vector<Range> ranges;
    double tolerance;  // ulp
};

const std::vector<Unary> unaries{
    {"neg", [](const Input& x) { return -x; }, [](long double x) { return -x; }, {{-9, 9}}, 0},
    {"exp", exp, std::exp, {{-5, 5}, {-87, 88.7}, {-700, 709.7}}, 3},
    {"log", log, std::log, {{0.5, 2}, {0, 1000}}, 1},
    {"log1p", log1p, std::log1p, {{-1e-3, 1e-3}, {-0.999, 1}, {-0.9, 1e6}}, 1},
    {"expm1", expm1, std::expm1, {{-1e-3, 1e-3}, {-1, 1}, {-80, 88.7}, {-80, 709.7}}, 3},
    {"sqrt", sqrt, std::sqrt, {{0, 100}}, 1},
    {"sin", sin, std::sin, {{-4, 4}, {-1000, 1000}}, 3},
    {"cos", cos, std::cos, {{-4, 4}, {-1000, 1000}}, 3},
    {"tanh", tanh, std::tanh, {{-1e-3, 1e-3}, {-1, 1}, {-10, 10}, {-100, 100}}, 2},
    {"sigmoid", sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, {{-5, 5}, {-80, 80}, {-700, 700}}, 3},
    {"relu", relu, [](long double x) { return std::max(x, 0.0L); }, {{-9, 9}}, 0},
    {"softplus",
     softplus,
     [](long double x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); },
     {{-5, 5}, {-80, 80}, {-700, 700}},
     3},
    {"erf", erf, std::erf, {{-1e-3, 1e-3}, {-1, 1}, {-6, 6}}, 3},
    {"abs", abs, [](long double x) { return std::abs(x); }, {{-9, 9}}, 0},
};

/// Numbers of every magnitude and sign, subnormal ones among them.
template <class T, class Bits>
Values all_magnitudes(int n) {
    std::mt19937_64 random(7);
    Values values;
    while (static_cast<int>(values.size()) < n) {
        const Bits bits = static_cast<Bits>(random());
        T value;
        std::memcpy(&value, &bits, sizeof value);
        if (std::isfinite(value)) values.push_back(static_cast<double>(value));
    }
    return values;
}

Values in_range(const Range& range, Dtype dtype, int n) {
    return elements(cast(sample_values({n}, range.low, range.high, 5), dtype));
}

Tensor as(const Values& values, Dtype dtype) {
    return cast(tensor(values, {static_cast<std::int64_t>(values.size())}), dtype);
}

/// Beyond the normal numbers of its type a result may be zero, or off by the least normal number.
void check_unary(const Unary& u, const Values& x, Dtype dtype) {
    const bool is_double = dtype == Dtype::float64;
    const long double least = is_double ? std::numeric_limits<double>::min() : std::numeric_limits<float>::min();
    const double largest = is_double ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
    const Values got = elements(u.f(as(x, dtype)));
    for (std::size_t i = 0; i < x.size(); ++i) {
        const long double exact = u.want(x[i]);
        const double want = std::abs(exact) > largest ? std::copysign(infinity, static_cast<double>(exact))
                                                      : static_cast<double>(exact);
        if (std::abs(exact) < least && std::abs(got[i]) <= 2 * least) continue;
        if (std::abs(want) > 0.99999 * largest && std::abs(got[i]) > 0.99999 * largest) continue;
        const double distance = ulps(got[i], want, dtype);
        if (!(distance <= u.tolerance))
            FAIL_CHECK(u.name << "(" << x[i] << ") in " << to_string(dtype) << " is " << got[i] << ", not " << want
                              << " (" << distance << " ulp)");
    }
}

double slope(Tensor (*f)(const Input&), double at, Dtype dtype) {
    const Tensor x = scalar(at, dtype);
    return gradients([f](const auto& in) { return f(in[0]); }, {x}, scalar(1, dtype))[0].item();
}
std::pair<double, double> slopes(Tensor (*f)(const Input&, const Input&), double x, double y) {
    const std::vector<Tensor> in{scalar(x, Dtype::float64), scalar(y, Dtype::float64)};
    const auto g = gradients([f](const auto& v) { return f(v[0], v[1]); }, in, scalar(1, Dtype::float64));
    return {g[0].item(), g[1].item()};
}
double second_slope(Tensor (*f)(const Input&), double at) {
    const Tensor x = scalar(at, Dtype::float64);
    Tape tape;
    tape.watch(x);
    const Tensor first = tape.gradient(f(x), x, {.create_graph = true});
    return tape.find(first) == no_node ? 0 : tape.gradient(first, x).item();
}

const std::vector<Tensor (*)(const Input&, const Input&)> binaries{operator+, operator-, operator*, operator/,
                                                                   pow,       minimum,   maximum};

}  // namespace

TEST_CASE("calculus: values over wide ranges, in both types") {
    for (const Unary& u : unaries) {
        CAPTURE(u.name);
        for (const Range& range : u.ranges) {
            if (range.high < 700) check_unary(u, in_range(range, Dtype::float32, 20000), Dtype::float32);
            check_unary(u, in_range(range, Dtype::float64, 20000), Dtype::float64);
        }
        const bool periodic = u.name == "sin" || u.name == "cos";  // beyond 1e8 their argument has no place for a phase
        if (periodic) continue;
        check_unary(u, all_magnitudes<float, std::uint32_t>(20000), Dtype::float32);
        check_unary(u, all_magnitudes<double, std::uint64_t>(20000), Dtype::float64);
    }
}

TEST_CASE("calculus: values at the ends of the number range") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        CAPTURE(to_string(dtype));
        for (const Unary& u : unaries) check_unary(u, {0, 1, -1, infinity, -infinity, not_a_number}, dtype);
        const double largest =
            dtype == Dtype::float32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
        for (const double x : {largest, -largest}) {
            CHECK(tanh(scalar(x, dtype)).item() == std::copysign(1, x));
            CHECK(erf(scalar(x, dtype)).item() == std::copysign(1, x));
            CHECK(sigmoid(scalar(x, dtype)).item() == (x > 0));
            CHECK(exp(scalar(x, dtype)).item() == (x > 0 ? infinity : 0));
            CHECK(softplus(scalar(x, dtype)).item() == (x > 0 ? x : 0));
        }
        CHECK(exp(scalar(88.6, dtype)).item() == doctest::Approx(std::exp(88.6)).epsilon(1e-5));
        CHECK(expm1(scalar(88.6, dtype)).item() == doctest::Approx(std::exp(88.6)).epsilon(1e-5));
    }
    CHECK(log(scalar(1e-310, Dtype::float64)).item() == std::log(1e-310));
    CHECK(std::isnan(log(scalar(-1e-310, Dtype::float64)).item()));
}

TEST_CASE("calculus: powers are those of the standard library, at every edge") {
    const Values numbers{0,    -0.0,     1,         -1,           2,    -2,    3,   -3,  0.5,
                         -0.5, infinity, -infinity, not_a_number, 1e30, -1e30, 700, 1e-3};
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        Values x, y, want;
        for (const double a : in_range({0, 1000}, dtype, 200)) {
            for (const double b : in_range({-10, 10}, dtype, 50)) {
                x.push_back(a);
                y.push_back(b);
            }
        }
        for (const double a : numbers) {
            for (const double b : numbers) {
                x.push_back(a);
                y.push_back(b);
            }
        }
        const Tensor base = as(x, dtype), exponent = as(y, dtype);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double exact = dtype == Dtype::float32 ? std::pow(static_cast<float>(x[i]), static_cast<float>(y[i]))
                                                         : std::pow(x[i], y[i]);
            want.push_back(exact);
        }
        check_close(pow(base, exponent), want, 1);
    }
}

TEST_CASE("calculus: a NaN comes through every function") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        // Among other numbers, in a whole register and in the rest of one.
        for (const std::int64_t place : {3, 36}) {
            Tensor x = full({37}, 0.5, dtype);
            const Tensor y = full({37}, 0.25, dtype);
            visit_floating(dtype, [&](auto type) {
                x.mutable_data<decltype(type)>()[place] = static_cast<decltype(type)>(not_a_number);
            });
            const auto check = [&](const Tensor& result, const std::string& name) {
                CAPTURE(name);
                const Values values = elements(result);
                for (std::int64_t i = 0; i < 37; ++i)
                    CHECK(std::isnan(values[static_cast<std::size_t>(i)]) == (i == place));
            };
            for (const Unary& u : unaries) check(u.f(x), u.name);
            for (std::size_t k = 0; k < binaries.size(); ++k) {
                check(binaries[k](x, y), "binary " + std::to_string(k) + ", first");
                check(binaries[k](y, x), "binary " + std::to_string(k) + ", second");
            }
        }
    }
}

TEST_CASE("calculus: derivatives at kinks") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        CHECK(slope(relu, 0, dtype) == 0);
        CHECK(slope(relu, -0.0, dtype) == 0);
        CHECK(slope(relu, 1e-30, dtype) == 1);
        CHECK(slope(abs, 0, dtype) == 0);
        CHECK(slope(abs, 1e-30, dtype) == 1);
        CHECK(slope(abs, -1e-30, dtype) == -1);
    }
    using Pair = std::pair<double, double>;
    CHECK(slopes(minimum, 2, 2) == Pair{1, 0});
    CHECK(slopes(maximum, 2, 2) == Pair{1, 0});
    CHECK(slopes(minimum, 1, 2) == Pair{1, 0});
    CHECK(slopes(minimum, 2, 1) == Pair{0, 1});
    CHECK(slopes(maximum, 1, 2) == Pair{0, 1});
    CHECK(slopes(maximum, -0.0, 0.0) == Pair{1, 0});
    CHECK(slopes(pow, 0, 0) == Pair{0, 0});
    CHECK(slopes(pow, 0, 1) == Pair{1, 0});
    CHECK(slopes(pow, 0, 2) == Pair{0, 0});
    CHECK(slopes(pow, -3, 2) == Pair{-6, 0});
    CHECK(slopes(pow, 5, 0) == Pair{0, std::log(5)});
    CHECK(second_slope([](const Input& x) { return pow(x, 2); }, 0) == 2);
    CHECK(second_slope([](const Input& x) { return pow(x, 2); }, -3) == 2);
    CHECK(second_slope([](const Input& x) { return pow(x, 1); }, 0) == 0);
    for (int power = 0; power <= 3; ++power) {
        const Tensor x = scalar(0, Dtype::float64);
        Tape tape;
        tape.watch(x);
        Tensor y = pow(x, power);
        double factorial = 1;
        for (int order = 1; order <= 4; ++order) {
            CAPTURE(power);
            CAPTURE(order);
            factorial *= order;
            y = tape.gradient(y, x, {.create_graph = true});
            CHECK(y.item() == (order == power ? factorial : 0));
        }
    }
    CHECK(second_slope(relu, 0) == 0);
    CHECK(second_slope(abs, 0) == 0);
}

TEST_CASE("calculus: a finite value has a finite derivative") {
    const std::vector<std::pair<std::string, Values>> points{
        {"tanh", {infinity, -infinity, 1e4, -1e4}},
        {"sigmoid", {infinity, -infinity, 1e4, -1e4}},
        {"softplus", {-infinity, 1e4, -1e4, 3e38}},
        {"erf", {infinity, -infinity, 1e4, -1e4, 3e38}},
        {"exp", {-infinity, -1e4, 88.6}},
        {"expm1", {-infinity, -1e4, 88.6, 1e-30}},
        {"relu", {-infinity, 3e38, -3e38}},
        {"abs", {3e38, -3e38}},
        {"log", {3e38, 1e-30}},
        {"log1p", {3e38, 1e-30, -0.9999}},
        {"sqrt", {3e38, 1e-30}},
        {"sin", {1e6, 0}},
        {"cos", {1e6, 0}},
        {"neg", {3e38}},
    };
    for (const auto& [name, numbers] : points) {
        const Unary& u = *std::ranges::find(unaries, name, &Unary::name);
        for (const double x : numbers) {
            for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
                CAPTURE(name);
                CAPTURE(x);
                CHECK(std::isfinite(u.f(scalar(x, dtype)).item()));
                CHECK(std::isfinite(slope(u.f, x, dtype)));
            }
        }
    }
    CHECK(slope(tanh, infinity, Dtype::float32) == 0);
    CHECK(slope(sigmoid, -infinity, Dtype::float32) == 0);
    CHECK(slope(softplus, 1e4, Dtype::float32) == 1);
    CHECK(slope(softplus, -1e4, Dtype::float32) == 0);
}
