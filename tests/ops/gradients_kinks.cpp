// Mirrors no file: the gradient check of ops at points where they have no derivative.
// Covers autograd/check/gradcheck.hpp
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

struct AtKink {
    const char* name;
    std::function<Tensor(const Tensor&)> f;
    Tensor x;
};

Tensor numbers(std::initializer_list<double> values) { return tensor(values, Dtype::float64); }

}  // namespace

TEST_CASE("gradients_kinks: where an op has no derivative, the check does not blame its rule") {
    const Tensor ones2 = ones({2}, Dtype::float64);
    const std::vector<AtKink> points{
        {"relu", [](const Tensor& x) { return relu(x); }, numbers({0, 1})},
        {"abs", [](const Tensor& x) { return abs(x); }, numbers({0, 1})},
        {"square of relu", [](const Tensor& x) { return square(relu(x)); }, numbers({0, 1})},
        {"identity of two", [](const Tensor& x) { return relu(x) - relu(-x); }, numbers({0, 1})},
        {"l1_loss",
         [](const Tensor& x) {
             return l1_loss(x, numbers({0, 2}));
         },
         numbers({0, 1})},
        {"norm 1", [](const Tensor& x) { return norm(x, 1); }, numbers({0, 0})},
        {"norm 2", [](const Tensor& x) { return norm(x, 2); }, numbers({0, 0})},
        {"floor", [](const Tensor& x) { return floor(x); }, numbers({1, 2.5})},
        {"step", [=](const Tensor& x) { return where(x > 1.0, x + ones2, x); }, numbers({1, 2})},
        {"hardswish", [](const Tensor& x) { return hardswish(x); }, numbers({-3, 1})},
        {"clamp", [](const Tensor& x) { return clamp(x, 0, 1); }, numbers({0, 1})},
        {"max", [](const Tensor& x) { return max(x); }, numbers({1, 1})},
        {"amax", [](const Tensor& x) { return amax(x); }, numbers({1, 1, 1})},
        {"maximum", [](const Tensor& x) { return maximum(x, ones({2}, Dtype::float64)); }, numbers({1, 1})},
        {"sort",
         [](const Tensor& x) {
             return sort(x) * numbers({1, 2, 3});
         },
         numbers({1, 1, 2})},
        {"median", [](const Tensor& x) { return median(x); }, numbers({1, 1, 1})},
        {"quantile", [](const Tensor& x) { return quantile(x, 0.4); }, numbers({1, 1, 1})},
    };
    for (const AtKink& point : points) {
        CAPTURE(point.name);
        for (const int order : {1, 2}) {
            const GradcheckResult result =
                gradcheck([&](const auto& in) { return point.f(in[0]); }, {point.x}, {.order = order});
            CAPTURE(result.message);
            CHECK(to_string(result.verdict) == "kink here");
        }
    }
}

TEST_CASE("gradients_kinks: a kink of a derivative is found in its order, and in none before") {
    const auto verdict = [](const auto& f, double x, int order) {
        return to_string(gradcheck([&](const auto& in) { return f(in[0]); }, {numbers({x})}, {.order = order}).verdict);
    };
    const auto huber = [](const Tensor& x) { return huber_loss(x, zeros({1}, Dtype::float64)); };
    CHECK(verdict(huber, 1, 1) == "passed");
    CHECK(verdict(huber, 1, 2) == "kink here");
    const auto cubic = [](const Tensor& x) { return x * x * abs(x); };
    CHECK(verdict(cubic, 0, 2) != "wrong rule");
    const auto quartic = [](const Tensor& x) { return x * x * x * relu(x); };
    CHECK(verdict(quartic, 0, 2) == "passed");
    for (const double x : {0.0, 1e-3, -2.0}) {
        CHECK(verdict([](const Tensor& t) { return square(t); }, x, 2) == "passed");
        CHECK(verdict([](const Tensor& t) { return sin(t) * t; }, x, 3) == "passed");
    }
}
