#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/transform/custom_op.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

/// An op of numbers: its value, and its derivative.
GradcheckFunction of_numbers(const std::function<double(double)>& f, const std::function<double(double)>& slope) {
    const auto each = [](const Tensor& x, const auto& f) {
        Values values = elements(x);
        for (double& v : values) v = f(v);
        return tensor(values, x.shape());
    };
    return custom_op(
        "planted", [=](const auto& in) { return each(in[0], f); },
        [=](const auto& in, const Tensor&, const Tensor& ct) { return std::vector{mul(ct, each(in[0], slope))}; });
}

double square(double x) { return x * x; }
double twice(double x) { return 2 * x; }

void check_verdict(const GradcheckResult& result, GradcheckVerdict verdict, const std::string& text) {
    CAPTURE(result.message);
    CHECK(to_string(result.verdict) == to_string(verdict));
    CHECK(result.passed == (verdict == GradcheckVerdict::passed));
    CHECK(result.message.find(text) != std::string::npos);
}

}  // namespace

TEST_CASE("gradcheck: the verdict of a wrong rule") {
    check_verdict(gradcheck(of_numbers(square, twice), {vector({1, 2})}), GradcheckVerdict::passed, "");
    for (const double wrong : {1e-6, 1e-3, 2.0}) {
        const auto slope = [&](double x) { return 2 * x * (1 + wrong); };
        check_verdict(gradcheck(of_numbers(square, slope), {vector({1, 2})}), GradcheckVerdict::wrong_rule,
                      "; wrong rule: the error is ");
    }
    check_verdict(gradcheck(of_numbers(square, [](double) { return 0.0; }), {vector({1e6})}),
                  GradcheckVerdict::wrong_rule, "; wrong rule: the error is 2e+06 at best, with a step of ");
}

TEST_CASE("gradcheck: the verdict of a kink, and of a rule that is wrong there") {
    const auto relu = [](double x) { return std::max(x, 0.0); };
    for (const double at_kink : {0.0, 0.25, 1.0})
        check_verdict(gradcheck(of_numbers(relu, [=](double x) { return x > 0   ? 1
                                                                        : x < 0 ? 0
                                                                                : at_kink; }),
                                {vector({-1, 0, 1})}),
                      GradcheckVerdict::kink,
                      "; kink here: from the left the slope is 0, from the right 1, at every step down to ");
    const auto wrong = [](double x) { return x > 0 ? 1 : x < 0 ? 0 : 1.5; };
    check_verdict(gradcheck(of_numbers(relu, wrong), {vector({-1, 0, 1})}), GradcheckVerdict::wrong_rule,
                  "; wrong rule: there is a kink here, of the slopes 0 and 1, but the analytic one is not between");
    // Next to a kink the step is shortened, as ever.
    check_verdict(gradcheck(of_numbers(relu, [](double x) { return x > 0 ? 1.0 : 0.0; }), {vector({1e-5})}),
                  GradcheckVerdict::passed, "");
    // A curve is no kink, however sharp, and a slope that is infinite neither.
    const auto sharp = [](double x) { return std::sqrt(x * x + 1e-6); };
    check_verdict(gradcheck(of_numbers(sharp, [](double) { return 0.5; }), {vector({0})}), GradcheckVerdict::wrong_rule,
                  "; wrong rule: the error is 0.5");
}

TEST_CASE("gradcheck: the verdict of values that are too rough, and of a rule that is wrong all the same") {
    const auto rough = [](double x) { return static_cast<double>(static_cast<float>(x * x)); };
    const GradcheckResult result = gradcheck(of_numbers(rough, twice), {vector({0.7, 1.3})});
    check_verdict(result, GradcheckVerdict::too_noisy, "; too noisy to judge: the values are noisy by about ");
    check_verdict(result, GradcheckVerdict::too_noisy, "and rises to ");
    const auto wrong = [](double x) { return 2.02 * x; };
    check_verdict(gradcheck(of_numbers(rough, wrong), {vector({0.7, 1.3})}), GradcheckVerdict::wrong_rule,
                  "; wrong rule: the error is 0.01");
    const auto jagged = [](double x) { return x * x + 1e-9 * std::sin(1e12 * x); };
    check_verdict(gradcheck(of_numbers(jagged, twice), {vector({0.7})}), GradcheckVerdict::too_noisy, "too noisy");
}

TEST_CASE("gradcheck: the verdict of what is nondeterministic, forward, beside the point or backward") {
    int calls = 0;
    const auto counts = [&](double x) { return x * ++calls; };
    check_verdict(gradcheck(of_numbers(counts, twice), {vector({1})}), GradcheckVerdict::nondeterministic,
                  "the function is nondeterministic: two evaluations at one point differ");
    const auto beside = [&](double x) { return x == 1 ? 1 : x + 1e-3 * (++calls % 7); };
    check_verdict(gradcheck(of_numbers(beside, [](double) { return 1.0; }), {vector({1})}),
                  GradcheckVerdict::nondeterministic, "; nondeterministic: two evaluations at one point differ: ");
    const auto backward = [&](double x) { return 2 * x + 1e-3 * (++calls % 7); };
    check_verdict(gradcheck(of_numbers(square, backward), {vector({1})}), GradcheckVerdict::nondeterministic,
                  "; nondeterministic: two backward passes at one point differ");
}

TEST_CASE("gradcheck: the verdict of what is not finite: a value, a gradient, the neighbourhood") {
    const double infinity = std::numeric_limits<double>::infinity();
    check_verdict(gradcheck(of_numbers([=](double) { return infinity; }, twice), {vector({1})}),
                  GradcheckVerdict::not_finite, "the result [1] at [0] is inf, where no derivative can be checked");
    check_verdict(gradcheck(of_numbers(square, [=](double) { return infinity; }), {vector({1})}),
                  GradcheckVerdict::not_finite, "inf, where the function is finite");
    const auto half = [](double x) { return x < 0 ? not_a_number : x; };
    check_verdict(gradcheck(of_numbers(half, [](double) { return 1.0; }), {vector({0})}), GradcheckVerdict::not_finite,
                  "; not finite: the function is nan at a distance of 3.7e-09 on the left");
}

TEST_CASE("gradcheck: the verdicts of second order, and of what overwrites") {
    const auto f = [](const std::vector<Tensor>& in) { return mul(in[0], mul(in[0], sign(in[0]))); };  // x |x|
    check_verdict(gradcheck(f, {vector({1, 0, -1})}), GradcheckVerdict::kink,
                  "; kink here: the error falls with the step, to ");
    const auto cubic = [](const std::vector<Tensor>& in) {
        return mul(mul(in[0], in[0]), mul(in[0], sign(in[0])));  // whose second derivative has a kink
    };
    check_verdict(gradcheck(cubic, {vector({1, 0, -1})}), GradcheckVerdict::passed, "");
    check_verdict(gradcheck(cubic, {vector({1, 0, -1})}, {.order = 2}), GradcheckVerdict::kink,
                  "second order: the derivative of the gradient of input 0 [3] at [1] by input 0 [3] at [1] is wrong");
    const auto writes = [](const std::vector<Tensor>& in) {
        Tensor x = in[0];
        static_cast<double*>(x.raw())[0] += 1;
        return x;
    };
    check_verdict(gradcheck(writes, {vector({1})}), GradcheckVerdict::overwrites, "the function overwrites input 0");
}
