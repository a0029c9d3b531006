// Mirrors no file: every function of the families' lists.
// Covers ops/elementwise/activation.hpp
// Covers ops/elementwise/arithmetic.hpp
// Covers ops/elementwise/comparison.hpp
// Covers ops/elementwise/exponential.hpp
// Covers ops/elementwise/hyperbolic.hpp
// Covers ops/elementwise/rounding.hpp
// Covers ops/elementwise/trigonometric.hpp
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/elementwise/map.hpp>

#include "ops/brute_force.hpp"
#include "ops/elementwise/ulp_errors.hpp"

using namespace brute_force;
using ulp_errors::Bound, ulp_errors::Limits;

namespace {

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
Values all_magnitudes(Dtype dtype, int n) {
    return dtype == Dtype::float32 ? all_magnitudes<float, std::uint32_t>(n) : all_magnitudes<double, std::uint64_t>(n);
}

Tensor as(const Values& values, Dtype dtype) {
    return cast(tensor(values, {static_cast<std::int64_t>(values.size())}), dtype);
}

/// Operands around the domain, and in widening ranges around 0, and of every magnitude, within those that the function
/// is exact for.
Values operands_of(const FunctionEntry& f, Dtype dtype) {
    Values all;
    for (const Range& range : {f.domain, Range{-1e-3, 1e-3}, Range{-1, 1}, Range{0, 10}, Range{-10, 10},
                               Range{-100, 100}, Range{-1000, 1000}, Range{0, 1e6}}) {
        const Values values = elements(sample_values({4000}, range.low, range.high, 5));
        all.insert(all.end(), values.begin(), values.end());
    }
    const Values magnitudes = all_magnitudes(dtype, 20000);
    all.insert(all.end(), magnitudes.begin(), magnitudes.end());
    std::erase_if(all, [&](double x) { return x < f.accuracy.between.low || x > f.accuracy.between.high; });
    return elements(as(all, dtype));
}
/// Second operands, as many as there are first ones.
Values second_operands_of(const FunctionEntry& f, Dtype dtype, std::size_t n) {
    Values all = elements(sample_values({static_cast<std::int64_t>(n)}, f.domain_y.low, f.domain_y.high, 6));
    const Values magnitudes = all_magnitudes(dtype, static_cast<int>(n));
    const auto [low, high] = f.accuracy.between_y;
    for (std::size_t i = 0; i < n; i += 3)
        if (magnitudes[i] >= low && magnitudes[i] <= high) all[i] = magnitudes[i];
    return elements(as(all, dtype));
}

/// How far a result is from exact, in units of its last place; 0 if it may be lost.
double error(double x, double got, long double exact, const Bound& bound, Dtype dtype) {
    const Limits limits(dtype);
    return bound.may_lose(got, exact, limits) ? 0 : bound.distance(x, got, exact, limits);
}

void check_values(const FunctionEntry& f, const Values& x, const Values& y, Dtype dtype) {
    const Values got = elements(f.apply(as(x, dtype), as(y, dtype)));
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double d = error(x[i], got[i], f.exact(x[i], y[i]), ulp_errors::value_bound(f.accuracy), dtype);
        if (!(d <= worst)) {
            worst = d;
            at = i;
        }
    }
    if (!(worst <= f.accuracy.ulps))
        FAIL_CHECK(f.name << "(" << x[at] << ", " << y[at] << ") in " << to_string(dtype) << " is " << got[at]
                          << ", not " << f.exact(x[at], y[at]) << " (" << worst << " ulp)");
}

/// The derivatives by each operand, as backward computes them.
std::vector<Values> slopes_of(const FunctionEntry& f, const Values& x, const Values& y, Dtype dtype) {
    const Tensor a = as(x, dtype), b = as(y, dtype);
    std::vector<Tensor> inputs{a};
    if (f.operands == 2) inputs.push_back(b);
    const auto g = gradients([&](const auto& in) { return f.apply(in[0], in.back()); }, inputs, ones(a.shape(), dtype));
    std::vector<Values> slopes;
    for (const Tensor& slope : g) slopes.push_back(elements(slope));
    return slopes;
}

void check_slopes(const FunctionEntry& f, const Values& x, const Values& y, Dtype dtype) {
    const std::vector<Values> got = slopes_of(f, x, y, dtype);
    for (std::size_t k = 0; k < got.size(); ++k) {
        double worst = 0;
        std::size_t at = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            // Where the value itself is not finite there is no slope to speak of.
            const long double value = f.exact(x[i], y[i]);
            if (!(std::abs(value) <= Limits(dtype).largest)) continue;
            const long double exact = f.exact_slopes(x[i], y[i])[k];
            if (!std::isfinite(exact)) continue;
            const double d = error(x[i], got[k][i], exact, ulp_errors::slope_bound(f.accuracy), dtype);
            if (!(d <= worst)) {
                worst = d;
                at = i;
            }
        }
        if (!(worst <= f.accuracy.slope_ulps))
            FAIL_CHECK("the derivative of " << f.name << "(" << x[at] << ", " << y[at] << ") by operand " << k << " in "
                                            << to_string(dtype) << " is " << got[k][at] << ", not "
                                            << f.exact_slopes(x[at], y[at])[k] << " (" << worst << " ulp)");
    }
}

double slope(Tensor (*f)(const Tensor&), double at, Dtype dtype) {
    const Tensor x = scalar(at, dtype);
    return gradients([f](const auto& in) { return f(in[0]); }, {x}, scalar(1, dtype))[0].item();
}
std::pair<double, double> slopes(Tensor (*f)(const Tensor&, const Tensor&), double x, double y) {
    const std::vector<Tensor> in{scalar(x, Dtype::float64), scalar(y, Dtype::float64)};
    const auto g = gradients([f](const auto& v) { return f(v[0], v[1]); }, in, scalar(1, Dtype::float64));
    return {g[0].item(), g[1].item()};
}
double second_slope(Tensor (*f)(const Tensor&), double at) {
    const Tensor x = scalar(at, Dtype::float64);
    Tape tape;
    tape.watch(x);
    const Tensor first = tape.gradient(f(x), x, {.create_graph = true});
    return tape.find(first) == no_node ? 0 : tape.gradient(first, x).item();
}

}  // namespace

TEST_CASE("functions: values over all ranges, in both types") {
    for (const FunctionEntry& f : all_functions()) {
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const Values x = operands_of(f, dtype);
            check_values(f, x, second_operands_of(f, dtype, x.size()), dtype);
        }
    }
}

TEST_CASE("functions: values at the ends of the number range") {
    for (const FunctionEntry& f : all_functions()) {
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const auto largest = static_cast<double>(Limits(dtype).largest);
            const Values ends{0, -0.0, 1, -1, infinity, -infinity, not_a_number, largest, -largest};
            Values x, y;
            for (const double a : ends) {
                for (const double b : ends) {
                    if (std::isfinite(a) && (a < f.accuracy.between.low || a > f.accuracy.between.high)) continue;
                    if (std::isfinite(b) && (b < f.accuracy.between_y.low || b > f.accuracy.between_y.high)) continue;
                    x.push_back(a);
                    y.push_back(b);
                }
            }
            check_values(f, x, y, dtype);
        }
    }
}

TEST_CASE("functions: derivatives over all ranges, against the rule or the formula in long double") {
    for (const FunctionEntry& f : all_functions()) {
        if (f.exact_slopes == nullptr) continue;
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const Values x = operands_of(f, dtype);
            check_slopes(f, x, second_operands_of(f, dtype, x.size()), dtype);
        }
    }
}

TEST_CASE("functions: a NaN comes through every function that is no comparison") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        // Among other numbers, in a whole register and in the rest of one.
        for (const std::int64_t place : {3, 36}) {
            Tensor x = full({37}, 0.5, dtype);
            const Tensor y = full({37}, 0.25, dtype);
            visit_floating(dtype, [&](auto type) {
                x.mutable_data<decltype(type)>()[place] = static_cast<decltype(type)>(not_a_number);
            });
            const auto check = [&](const Tensor& result, const Tensor& without) {
                const Values values = elements(result), others = elements(without);
                for (std::int64_t i = 0; i < 37; ++i) {
                    const auto at = static_cast<std::size_t>(i);
                    CHECK(std::isnan(values[at]) == (i == place || std::isnan(others[at])));
                }
            };
            const Tensor plain = full({37}, 0.5, dtype);
            for (const FunctionEntry& f : all_functions()) {
                if (!f.differentiable) continue;
                CAPTURE(f.name);
                check(f.apply(x, y), f.apply(plain, y));
                if (f.operands == 2 && !f.second_is_parameter) check(f.apply(y, x), f.apply(y, plain));
            }
        }
    }
}

TEST_CASE("functions: expm1's derivative is e^x to the last place where e^x - 1 is -1") {
    for (const double x : {-10.0, -18.0, -30.0, -80.0})
        CHECK(ulps(slope([](const Tensor& t) { return expm1(t); }, x, Dtype::float32), std::exp(x), Dtype::float32) <=
              3);
}

TEST_CASE("functions: powers are those of the standard library, at every edge") {
    const Values numbers{0,    -0.0,     1,         -1,           2,    -2,    3,   -3,  0.5,
                         -0.5, infinity, -infinity, not_a_number, 1e30, -1e30, 700, 1e-3};
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        Values x, y, want;
        for (const double a : elements(cast(sample_values({200}, 0, 1000, 5), dtype))) {
            for (const double b : elements(cast(sample_values({50}, -10, 10, 5), dtype))) {
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

TEST_CASE("functions: derivatives at kinks") {
    const auto relu_of = +[](const Tensor& x) { return relu(x); };
    const auto abs_of = +[](const Tensor& x) { return abs(x); };
    const auto minimum_of = +[](const Tensor& x, const Tensor& y) { return minimum(x, y); };
    const auto maximum_of = +[](const Tensor& x, const Tensor& y) { return maximum(x, y); };
    const auto pow_of = +[](const Tensor& x, const Tensor& y) { return pow(x, y); };
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        CHECK(slope(relu_of, 0, dtype) == 0);
        CHECK(slope(relu_of, -0.0, dtype) == 0);
        CHECK(slope(relu_of, 1e-30, dtype) == 1);
        CHECK(slope(abs_of, 0, dtype) == 0);
        CHECK(slope(abs_of, 1e-30, dtype) == 1);
        CHECK(slope(abs_of, -1e-30, dtype) == -1);
    }
    using Pair = std::pair<double, double>;
    CHECK(slopes(minimum_of, 2, 2) == Pair{1, 0});
    CHECK(slopes(maximum_of, 2, 2) == Pair{1, 0});
    CHECK(slopes(minimum_of, 1, 2) == Pair{1, 0});
    CHECK(slopes(minimum_of, 2, 1) == Pair{0, 1});
    CHECK(slopes(maximum_of, 1, 2) == Pair{0, 1});
    CHECK(slopes(maximum_of, -0.0, 0.0) == Pair{1, 0});
    CHECK(slopes(pow_of, 0, 0) == Pair{0, 0});
    CHECK(slopes(pow_of, 0, 1) == Pair{1, 0});
    CHECK(slopes(pow_of, 0, 2) == Pair{0, 0});
    CHECK(slopes(pow_of, -3, 2) == Pair{-6, 0});
    CHECK(slopes(pow_of, 5, 0) == Pair{0, std::log(5)});
    CHECK(second_slope([](const Tensor& x) { return pow(x, 2); }, 0) == 2);
    CHECK(second_slope([](const Tensor& x) { return pow(x, 2); }, -3) == 2);
    CHECK(second_slope([](const Tensor& x) { return pow(x, 1); }, 0) == 0);
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
    CHECK(second_slope(relu_of, 0) == 0);
    CHECK(second_slope(abs_of, 0) == 0);
}

TEST_CASE("functions: conditions of tensors at every kind of number") {
    const Tensor x = tensor({0, -0.0, 2, -1, infinity, -infinity, not_a_number});
    CHECK(elements(isnan(x)) == Values{0, 0, 0, 0, 0, 0, 1});
    CHECK(elements(isinf(x)) == Values{0, 0, 0, 0, 1, 1, 0});
    CHECK(elements(isfinite(x)) == Values{1, 1, 1, 1, 0, 0, 0});
    CHECK(elements(logical_not(x)) == Values{1, 1, 0, 0, 0, 0, 0});
    const Tensor a = tensor({0, 0, 3, 3}), b = tensor({0, -1, 0, not_a_number});
    CHECK(elements(logical_and(a, b)) == Values{0, 0, 0, 1});
    CHECK(elements(logical_or(a, b)) == Values{0, 1, 1, 1});
    CHECK(elements(logical_xor(a, b)) == Values{0, 1, 1, 0});
    const Tensor kinds = map([](auto x) { return where(isnan(x), 3.0, where(isfinite(x), 1.0, 2.0)); }, x);
    CHECK(elements(kinds) == Values{1, 1, 1, 1, 2, 2, 3});
    for (const Tensor& condition : {isnan(x), isinf(x), isfinite(x), logical_not(x), logical_or(a, b)})
        CHECK(condition.dtype() == Dtype::boolean);
    CHECK(elements(isnan(arange(2))) == Values{0, 0});
    CHECK(elements(isinf(arange(2))) == Values{0, 0});
    CHECK(elements(isfinite(tensor({true, false}))) == Values{1, 1});
    CHECK(elements(logical_not(arange(2))) == Values{1, 0});
    CHECK(elements(logical_not(isnan(x))) == Values{1, 1, 1, 1, 1, 1, 0});
    check_refused<DtypeError>("isnan: an operand is float16, which is stored only: cast() it first",
                              [] { isnan(ones({2}, Dtype::float16)); });
}

TEST_CASE("functions: hardtanh with ends, whose derivative there is 0") {
    const Tensor x = tensor({-3, -0.5, 0.25, 1, 2, not_a_number}, Dtype::float64);
    check_close(hardtanh(x, -0.5, 1), {-0.5, -0.5, 0.25, 1, 1, not_a_number}, 0);
    CHECK(elements(gradients([](const auto& in) { return hardtanh(in[0], -0.5, 1); }, {slice(x, 0, 0, 5)},
                             ones({5}, Dtype::float64))[0]) == Values{0, 0, 1, 0, 0});
    check_close(map([](auto a) { return 2.0 * hardtanh(a, -0.5, 1); }, x), {-1, -1, 0.5, 2, 2, not_a_number}, 0);
    CHECK_THROWS_WITH_AS(hardtanh(x, 1, 1), doctest::Contains("hardtanh: low 1 is not below high 1"), ValueError);
}

TEST_CASE("functions: clamp and lerp") {
    const Tensor x = tensor({-3, -1, 0, 1, 3, not_a_number}, Dtype::float64);
    check_close(clamp(x, -1, 1), {-1, -1, 0, 1, 1, not_a_number}, 0);
    check_close(clamp(x, 2, 1), {1, 1, 1, 1, 1, not_a_number}, 0);
    CHECK(elements(gradients([](const auto& in) { return clamp(in[0], -1, 1); }, {slice(x, 0, 0, 5)},
                             ones({5}, Dtype::float64))[0]) == Values{0, 1, 1, 1, 0});
    CHECK(elements(lerp(tensor({1, 0.1}), tensor({3, 0.7}), 0)) == elements(tensor({1, 0.1})));
    CHECK(elements(lerp(tensor({1, 0.1}), tensor({3, 0.7}), 1)) == elements(tensor({3, 0.7})));
    CHECK(lerp(tensor({1}), tensor({3}), 0.25).item() == 1.5);
    CHECK(lerp(tensor({1}), tensor({3}), 2).item() == 5);
}

TEST_CASE("functions: erf takes erfinv back") {
    const Tensor x = sample_values({1000}, -0.999, 0.999, 1);
    check_close(erf(erfinv(x)), elements(x), 8, 1);
    CHECK(erfinv(scalar(1, Dtype::float64)).item() == infinity);
    CHECK(std::isnan(erfinv(scalar(1.1, Dtype::float64)).item()));
}

TEST_CASE("functions: logarithms of sums and products where an operand is at an edge") {
    const auto add = +[](const Tensor& x, const Tensor& y) { return logaddexp(x, y); };
    const auto product = +[](const Tensor& x, const Tensor& y) { return xlogy(x, y); };
    using Pair = std::pair<double, double>;
    CHECK(logaddexp(scalar(-infinity), scalar(-infinity)).item() == -infinity);
    CHECK(slopes(add, -infinity, -infinity) == Pair{0.5, 0.5});
    CHECK(slopes(add, 2, -infinity) == Pair{1, 0});
    CHECK(logaddexp(scalar(-1000.0, Dtype::float64), scalar(-1000.0, Dtype::float64)).item() ==
          doctest::Approx(-1000 + std::numbers::ln2).epsilon(1e-15));
    CHECK(xlogy(scalar(0), scalar(0)).item() == 0);
    CHECK(slopes(product, 0, 0) == Pair{0, 0});
    const Pair spoilt = slopes(product, 0, not_a_number);
    CHECK(std::isnan(spoilt.first));
    const std::vector<Tensor> in{tensor({0, 0, 1}, Dtype::float64), tensor({2, 0.5, 3}, Dtype::float64)};
    for (const int order : {1, 2}) {
        const GradcheckResult result = gradcheck([](const auto& v) { return xlogy(v[0], v[1]); }, in, {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
    const auto far = +[](const Tensor& x, const Tensor& y) { return hypot(x, y); };
    CHECK(std::isnan(slopes(far, 3, not_a_number).first));
    CHECK(slopes(far, 0, 0) == Pair{0, 0});
}
