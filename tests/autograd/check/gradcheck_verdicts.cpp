#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
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

TEST_CASE("gradcheck: a gradient whose large terms cancel is noisy, not wrong, unless the rule is wrong by more") {
    // sin(x) + 4e9 (x - x): the values do not show the large factor, and the gradient adds 4e9 and takes it away.
    const auto f = [](double fault) {
        return [=](const std::vector<Tensor>& in) {
            const auto linear = [](double by) {
                return of_numbers([=](double x) { return by * x; }, [=](double) { return by; });
            };
            const Tensor none = linear(4e9)({add(in[0], linear(-1)(in))});
            const Tensor one =
                of_numbers([](double x) { return std::sin(x); }, [=](double x) { return fault * std::cos(x); })(in);
            return add(none, one);
        };
    };
    const Values at{0.3, 0.7, 1.1, -0.4};
    check_verdict(gradcheck(f(1), {tensor(at, {4})}), GradcheckVerdict::too_noisy, "large terms cancel");
    check_verdict(gradcheck(f(1), {vector({1.56, 1.5707})}), GradcheckVerdict::too_noisy, "large terms cancel");
    check_verdict(gradcheck(f(1.001), {tensor(at, {4})}), GradcheckVerdict::wrong_rule, "wrong rule");
}

TEST_CASE("gradcheck: what is off by little, but not by rounding in float64, is told from what is") {
    const auto rule = [](const std::function<double(double ct, double slope)>& gradient) {
        return custom_op(
            "planted",
            [](const auto& in) {
                Values v = elements(in[0]);
                for (double& x : v) x = std::sin(x);
                return tensor(v, in[0].shape());
            },
            [=](const auto& in, const Tensor&, const Tensor& ct) {
                Values v = elements(in[0]);
                const Values cts = elements(ct);
                for (std::size_t i = 0; i < v.size(); ++i) v[i] = gradient(cts[i], std::cos(v[i]));
                return std::vector{tensor(v, in[0].shape())};
            });
    };
    const Tensor at = vector({0.3, 0.7, 1.1, -0.4});
    check_verdict(gradcheck(rule([](double ct, double slope) { return ct * slope + 1e-6 * ct * ct; }), {at}),
                  GradcheckVerdict::wrong_rule, "wrong rule");
    check_verdict(gradcheck(rule([](double ct, double slope) { return ct * slope * (1 + 1e-6); }), {at}),
                  GradcheckVerdict::wrong_rule, "wrong rule");
    const auto in_float32 = [](double ct, double slope) {
        const float product = static_cast<float>(ct) * static_cast<float>(51 * slope);
        return static_cast<double>(product - static_cast<float>(50 * ct) * static_cast<float>(slope));
    };
    check_verdict(gradcheck(rule(in_float32), {at}), GradcheckVerdict::too_noisy,
                  "or the rule computes in less than float64");
}

TEST_CASE("gradcheck: a rule that is wrong on both sides of a jump is no rounding") {
    // Straight through: the mean slope agrees with what five points show, and neither side's does.
    const auto value = [](double x) { return x * x * x + 0.1 * std::abs(x) + std::floor(4096 * x) / 4096; };
    const auto slope = [](double x) { return 3 * x * x + 0.1 * (x > 0 ? 1 : -1) + 1; };
    CHECK(gradcheck(of_numbers(value, slope), {vector({0})}).verdict == GradcheckVerdict::wrong_rule);
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

namespace {

double relu_of(double x) { return std::max(x, 0.0); }
double step_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

/// The middle one of three numbers, whose rule is right but for ties: there every element has `at_ties`.
GradcheckFunction middle_of_three(double at_ties, double factor, double width) {
    return custom_op(
        "middle",
        [](const auto& in) {
            Values v = elements(in[0]);
            std::sort(v.begin(), v.end());
            return vector({v[1]});
        },
        [=](const auto& in, const Tensor&, const Tensor& ct) {
            const Values v = elements(in[0]);
            const auto [low, high] = std::minmax({v[0], v[1], v[2]});
            Values gradient(3);
            for (std::size_t i = 0; i < 3; ++i) {
                gradient[i] = factor * ct.item() * (low < v[i] && v[i] < high ? 1 : 0);
                if (high - low <= width) gradient[i] = at_ties * ct.item();
            }
            return std::vector{tensor(gradient, {3})};
        });
}

}  // namespace

TEST_CASE("gradcheck: the verdict of a kink whose sides a central difference takes for one slope") {
    const auto magnitude = [](double x) { return std::abs(x); };
    for (const double at_kink : {0.0, 0.5, -1.0}) {
        const auto slope = [=](double x) { return x == 0 ? at_kink : step_of(x); };
        check_verdict(gradcheck(of_numbers(magnitude, slope), {vector({-1, 0, 1})}), GradcheckVerdict::kink,
                      "; kink here: from the left the slope is -1, from the right 1, at every step down to ");
    }
    const GradcheckFunction right = of_numbers(magnitude, step_of);
    check_verdict(gradcheck(right, {vector({0})}), GradcheckVerdict::kink,
                  "by input 0 [1] at [0] has two sides: analytic 0; kink here: ");
    check_verdict(gradcheck(right, {zeros({100}, Dtype::float64)}), GradcheckVerdict::kink,
                  "by input 0 along a random direction has two sides: ");
    // A step does not reach it, or what looks like one is smooth.
    check_verdict(gradcheck(right, {vector({1e-2, -3})}), GradcheckVerdict::passed, "");
    const auto smooth = [](double x) { return std::sqrt(x * x + 1e-12); };
    check_verdict(gradcheck(of_numbers(smooth, [](double x) { return x / std::sqrt(x * x + 1e-12); }), {vector({0})}),
                  GradcheckVerdict::passed, "");
    // What rounding leaves of terms that cancel is no jump.
    check_verdict(
        gradcheck(of_numbers([](double x) { return x == 1 ? 1e-18 : 0; }, [](double) { return 0.0; }), {vector({1})}),
        GradcheckVerdict::passed, "");
    for (const int power : {2, 3, 4})
        check_verdict(gradcheck(of_numbers([=](double x) { return std::pow(x, power); },
                                           [=](double x) { return power * std::pow(x, power - 1); }),
                                {vector({0, 1e-9, 1})}),
                      GradcheckVerdict::passed, "");
}

TEST_CASE("gradcheck: the verdict of a jump, whose value may lie on either side or apart") {
    const auto none = [](double) { return 0.0; };
    const auto floor_of = [](double x) { return std::floor(x); };
    const auto ceiling_of = [](double x) { return std::ceil(x); };
    const auto apart = [](double x) { return x == 1 ? 5.0 : 0.0; };
    const auto middle = [](double x) { return step_of(x - 1); };
    for (const std::function<double(double)>& f :
         std::vector<std::function<double(double)>>{floor_of, ceiling_of, apart, middle})
        check_verdict(gradcheck(of_numbers(f, none), {vector({0.5, 1})}), GradcheckVerdict::kink,
                      "; kink here: the value jumps here, by ");
    const auto curved = [](double x) { return x < 1 ? x * x : 3 + std::exp(x); };
    const auto slope = [](double x) { return x < 1 ? 2 * x : std::exp(x); };
    check_verdict(gradcheck(of_numbers(curved, slope), {vector({1})}), GradcheckVerdict::kink,
                  "has the slope 2 on the left and 2.71828 on the right; the analytic one is between them: move the");
    check_verdict(gradcheck(of_numbers(curved, [&](double x) { return x == 1 ? 3.0 : slope(x); }), {vector({1})}),
                  GradcheckVerdict::wrong_rule, "but the analytic one is not between");
}

TEST_CASE("gradcheck: a value beside a kink that belongs to neither side says nothing of the rule") {
    // As where rounding decides between ties. At first the points are learnt at which the rule is looked at.
    std::set<double> apart, seen;
    const auto value = [&](double x) { return apart.contains(x) ? 1 + 3 * x : std::abs(x); };
    const auto slope = [&](double x) {
        if (x != 0) seen.insert(x);
        return apart.contains(x) ? 3 : step_of(x);
    };
    const auto check = [&] {
        check_verdict(gradcheck(of_numbers(value, slope), {vector({0})}), GradcheckVerdict::kink, "");
    };
    check();
    REQUIRE(!seen.empty());
    apart = seen;
    check();
}

TEST_CASE("gradcheck: the verdict of a point without a derivative that has one along every axis") {
    const Tensor tie = vector({1, 1, 1});
    for (const double share : {0.0, 1.0 / 3, 1.0})
        check_verdict(gradcheck(middle_of_three(share, 1, 0), {tie}),
                      share > 0 ? GradcheckVerdict::kink : GradcheckVerdict::passed,
                      share > 0 ? "; kink here: the slopes of two directions do not add up to that of their sum" : "");
    check_verdict(gradcheck(middle_of_three(1.5, 1, 0), {tie}), GradcheckVerdict::wrong_rule, "; wrong rule: ");
    check_verdict(gradcheck(middle_of_three(-0.1, 1, 0), {tie}), GradcheckVerdict::wrong_rule, "; wrong rule: ");
    check_verdict(gradcheck(middle_of_three(1.5, 1, 1e-6), {tie}), GradcheckVerdict::wrong_rule, "; wrong rule: ");
    check_verdict(gradcheck(middle_of_three(1, 1.001, 0), {tie}), GradcheckVerdict::wrong_rule, "; wrong rule: ");
}

TEST_CASE("gradcheck: no wrong rule becomes a kink, at a kink, at a jump or where there is neither") {
    struct Case {
        const char* name;
        bool is_smooth;
        std::function<double(double)> value, slope;
    };
    const std::vector<Case> cases{
        {"relu", false, relu_of, [](double x) { return x > 0 ? 1.0 : 0.0; }},
        {"magnitude", false, [](double x) { return std::abs(x); }, step_of},
        {"jump", false, [](double x) { return x > 0 ? x + 1 : x; }, [](double) { return 1.0; }},
        {"identity", true, [](double x) { return x; }, [](double) { return 1.0; }},
        {"square", true, square, twice}};
    using Fault = std::function<double(double x, double slope)>;
    const std::vector<std::pair<const char*, Fault>> faults{
        {"factor", [](double, double slope) { return 1.001 * slope; }},
        {"sign", [](double, double slope) { return -slope; }},
        {"shifted", [](double, double slope) { return slope + 1e-3; }},
        {"near", [](double x, double slope) { return std::abs(x) < 1e-3 ? slope + 0.3 : slope; }},
        {"very near", [](double x, double slope) { return std::abs(x) < 1e-6 ? 2.5 : slope; }},
        {"here alone", [](double x, double slope) { return x == 0 ? -1.5 : slope; }},
        {"on the left", [](double x, double slope) { return x < 0 ? slope + 0.3 : slope; }},
        {"on the right", [](double x, double slope) { return x > 0 ? slope - 0.3 : slope; }},
    };
    for (const auto& [name, is_smooth, value, slope] : cases) {
        CAPTURE(name);
        for (const auto& [title, fault] : faults) {
            CAPTURE(title);
            for (const Tensor& x : {vector({0}), vector({-1, 0, 1}), vector({0, 0})}) {
                const auto is_right = [&](double at) { return fault(at, slope(at)) == slope(at); };
                if (is_smooth && std::ranges::all_of(elements(x), is_right)) continue;  // nothing is wrong here
                check_verdict(gradcheck(of_numbers(value, [&](double at) { return fault(at, slope(at)); }), {x}),
                              GradcheckVerdict::wrong_rule, "wrong");
            }
        }
    }
}

TEST_CASE("gradcheck: a rule that is wrong at one element or transposed is wrong at a kink, too") {
    const auto rule = [](const std::function<Values(const Values& slopes)>& fault) {
        return custom_op(
            "planted",
            [](const auto& in) {
                Values v = elements(in[0]);
                for (double& x : v) x = relu_of(x);
                return tensor(v, in[0].shape());
            },
            [=](const auto& in, const Tensor&, const Tensor& ct) {
                Values slopes = elements(in[0]);
                for (double& x : slopes) x = x > 0 ? 1 : 0;
                return std::vector{mul(ct, tensor(fault(slopes), ct.shape()))};
            });
    };
    const Tensor x = matrix({0, 2, -3, 0}, 2), at_kinks = matrix({0, 0, 0, 0}, 2);
    check_verdict(gradcheck(rule([](const Values& v) { return v; }), {x}), GradcheckVerdict::kink, "; kink here: ");
    const auto transposed = [](const Values& v) { return Values{v[0], v[2], v[1], v[3]}; };
    const auto one_element = [](const Values& v) { return Values{v[0], v[1], v[2], v[3] + 0.25}; };
    for (const Tensor& point : {x, at_kinks}) {
        check_verdict(gradcheck(rule(transposed), {point}), GradcheckVerdict::wrong_rule, "wrong");
        check_verdict(gradcheck(rule(one_element), {point}), GradcheckVerdict::wrong_rule,
                      "there is a kink here, but the rule is wrong about 1e-04 beside it, too: first order: ");
    }
}

TEST_CASE("gradcheck: the ops of a composition are asked where it alone disagrees, or might hide one that is wrong") {
    const auto slope = [](double x) { return x > 0 ? 1.0 : 0.0; };
    const GradcheckFunction relu = of_numbers(relu_of, slope);
    const auto odd = [&](const std::vector<Tensor>& in) {
        return add(relu({in[0]}), scale(relu({scale(in[0], -1)}), -1));  // x, by two kinks
    };
    check_verdict(
        gradcheck(odd, {vector({1, 0})}), GradcheckVerdict::kink,
        "; kink here: beside the point the gradient is right, and the rule of every op holds, but planted has "
        "a kink: first order: the derivative of the result [2] at [1] by input 0 \"operand 0\" [2] at [1] ");
    const auto wrong_at_0 = of_numbers([](double x) { return x; }, [](double x) { return x == 0 ? 1.5 : 1.0; });
    const auto both = [&](const std::vector<Tensor>& in) { return add(relu(in), wrong_at_0(in)); };
    check_verdict(gradcheck(both, {vector({0})}), GradcheckVerdict::wrong_rule,
                  "wrong rule: there is a kink here, but the rule of planted is wrong, too: first order: ");
    const auto lone = [&](const std::vector<Tensor>& in) { return scale(wrong_at_0(in), 2); };
    check_verdict(gradcheck(lone, {vector({0})}), GradcheckVerdict::wrong_rule, "; wrong rule: the error is 1 at best");
}

TEST_CASE("gradcheck: what passes costs four evaluations an element, and two for the point") {
    int evaluations = 0;
    const auto counted = [&](const std::vector<Tensor>& in) {
        ++evaluations;
        return mul(in[0], in[0]);
    };
    CHECK(gradcheck(counted, {vector({1, -2})}).passed);
    constexpr int elements = 2, cotangents = 3;
    CHECK(evaluations == 2 + 4 * elements + cotangents);
}
