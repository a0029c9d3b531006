#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/custom_op.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

using Tensors = std::vector<Tensor>;

/// x^3 with faults to choose from. Without one its backward rule is 3 x^2 * cotangent, recorded or not.
enum class Fault {
    none,
    slightly_wrong,         // by 0.1 %
    missing,                // contributes nothing
    one_element,            // the last element wrong by 0.1 %
    one_sided,              // right for a cotangent of ones only
    not_linear,             // right for a cotangent with a single element
    recorded_value,         // the recorded composition 0.1 % off
    recorded_derivative,    // the recorded composition right in value, its derivative 0.1 % off
    recorded_cut,           // the recorded composition does not depend on the cotangent
    overwrites_input,       // in the backward pass
    overwrites_in_forward,  // the same in the forward pass
    overwrites_cotangent,
    not_a_number,
};

struct Cube {
    static constexpr std::string_view name = "cube";
    static constexpr Saves saves = Saves::inputs;
    Fault fault;

    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        for_each_element(in, out, [](double x) { return x * x * x; });
        if (fault == Fault::overwrites_in_forward) static_cast<double*>(in[0].raw())[0] += 1;
    }
    void vjp(Backward& back) const {
        const Tensor& x = back.saved(0);
        const Tensor& c = back.cotangent();
        const Tensor right = scale(mul(c, mul(x, x)), 3);
        if (fault == Fault::missing) return;
        if (back.is_recorded()) {
            if (fault == Fault::recorded_value) return back.add(0, scale(right, 1.001));
            if (fault == Fault::recorded_cut) return back.add(0, scale(mul(stop_gradient(c), mul(x, x)), 3));
            if (fault == Fault::recorded_derivative) {
                const Tensor constant = stop_gradient(right);
                return back.add(0, add(scale(right, 1.001), scale(constant, -0.001)));
            }
        }
        if (fault == Fault::slightly_wrong) return back.add(0, scale(right, 1.001));
        if (fault == Fault::one_sided) return back.add(0, scale(mul(mul(c, c), mul(x, x)), 3));
        Tensor gradient = right.clone();
        double* const g = gradient.mutable_data<double>();
        if (fault == Fault::one_element) g[gradient.numel() - 1] *= 1.001;
        if (fault == Fault::not_linear && c.numel() > 1 && c.at({0}) != 0 && c.at({1}) != 0) g[0] *= 1.001;
        if (fault == Fault::overwrites_input) static_cast<double*>(x.raw())[0] += 1;
        if (fault == Fault::overwrites_cotangent) static_cast<double*>(c.raw())[0] += 1;
        if (fault == Fault::not_a_number) g[1] = std::nan("");
        back.add(0, back.is_recorded() ? right : gradient);
    }
};

GradcheckFunction cube(Fault fault) {
    return [fault](const Tensors& in) { return apply(Cube{fault}, {&in[0]}, SourceLine{}); };
}

GradcheckResult check(Fault fault, int order) {
    return gradcheck(cube(fault), {vector({0.3, -1.2, 2.0})}, {.order = order});
}

Tensor wave(std::int64_t n) {
    Tensor x = Tensor::empty({n}, Dtype::float64);
    for (std::int64_t i = 0; i < n; ++i) x.mutable_data<double>()[i] = 1 + 0.5 * std::sin(static_cast<double>(i));
    return x;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("gradcheck: each input has its error, and a check that fails says of which it judges") {
    const auto product = [](Fault fault) {
        return [fault](const Tensors& in) { return mul(in[0], apply(Cube{fault}, {&in[1]}, SourceLine{})); };
    };
    const Tensors inputs{vector({0.3, -1.2}), vector({0.7, 2.0})};
    const GradcheckResult right = gradcheck(product(Fault::none), inputs, {.order = 2, .names = {"x", "y"}});
    REQUIRE(right.inputs.size() == 3);
    CHECK(right.inputs[0].name == "input 0 \"x\"");
    CHECK(right.inputs[2].name == "the cotangent");
    for (const GradcheckInput& input : right.inputs) {
        CHECK(input.worst_error < 1e-9);
        CHECK(input.verdict == GradcheckVerdict::passed);
    }
    const GradcheckResult wrong = gradcheck(product(Fault::slightly_wrong), inputs);
    REQUIRE(wrong.inputs.size() == 2);
    CHECK(wrong.inputs[0].worst_error < 1e-9);
    CHECK(wrong.inputs[0].verdict == GradcheckVerdict::not_checked);
    CHECK(wrong.inputs[1].worst_error == doctest::Approx(1e-3).epsilon(0.01));
    CHECK(wrong.inputs[1].verdict == GradcheckVerdict::wrong_rule);
    CHECK(wrong.worst_error == wrong.inputs[1].worst_error);
    const GradcheckResult infinite = gradcheck(product(Fault::not_a_number), inputs);
    CHECK(infinite.inputs[0].verdict == GradcheckVerdict::not_checked);
    CHECK(infinite.inputs[1].verdict == GradcheckVerdict::not_finite);
}

TEST_CASE("gradcheck: right rules pass in first and second order, far below the tolerance") {
    const auto everything = [](const Tensors& in) {
        const Tensor y = tiny::tanh(product(in[0], transpose(in[1])));
        return concat(mul(y, slice(in[0], 1, 0, 2)), scale(add(y, y), -0.7));
    };
    const Tensors inputs{matrix({0.1, -0.4, 0.3, 0.8, -0.2, 0.5}, 2), matrix({0.7, 0.2, -0.3, -0.9, 0.4, 0.6}, 2)};
    for (const int order : {1, 2}) {
        const GradcheckResult result = gradcheck(everything, inputs, {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
        CHECK(result.message == "");
        CHECK(result.worst_error > 0);
        CHECK(result.worst_error < 1e-10);
    }
    CHECK(check(Fault::none, 2).passed);
}

TEST_CASE("gradcheck: the message of a rule that is wrong by 0.1 %") {
    const GradcheckResult result =
        gradcheck(cube(Fault::slightly_wrong), {vector({1, 2}).set_name("weight")}, {.order = 2});
    CHECK_FALSE(result.passed);
    CHECK(result.message.starts_with(
        "first order: the derivative of the result [2] at [0] by input 0 \"weight\" [2] at [0] is wrong: "
        "analytic 3.003, numeric 3, error 0.003 > tolerance 3e-07 "
        "(relative 1e-07 * 3 + absolute 1e-10 + rounding 3.64e-12); wrong rule: the error is 0.003 at best, with "));
    CHECK(result.worst_error == doctest::Approx(1e-3).epsilon(0.01));
}

TEST_CASE("gradcheck: every fault of a first-order rule is found") {
    CHECK(
        contains(check(Fault::slightly_wrong, 1).message, "first order: the derivative of the result [3] at [0] by "));
    CHECK(contains(check(Fault::missing, 1).message, "analytic 0, numeric 0.27,"));
    CHECK(
        contains(check(Fault::one_element, 1).message, "by input 0 [3] at [2] is wrong: analytic 12.012, numeric 12,"));
    CHECK(contains(check(Fault::one_sided, 1).message, "is wrong"));
    CHECK(contains(check(Fault::not_linear, 1).message, "the result under a random cotangent by input 0 [3] at [0]"));
    CHECK(check(Fault::overwrites_input, 1).message == "first order: the backward pass overwrites input 0");
    CHECK(check(Fault::overwrites_in_forward, 1).message == "first order: the function overwrites input 0");
    CHECK(check(Fault::overwrites_cotangent, 1).message == "first order: the backward pass overwrites the cotangent");
    CHECK(check(Fault::not_a_number, 1).message ==
          "first order: the gradient of input 0 [3] at [1] is nan, where the function is finite");
}

TEST_CASE("gradcheck: a recorded pass that is wrong fails in second order and only there") {
    for (const Fault fault : {Fault::recorded_value, Fault::recorded_derivative, Fault::recorded_cut}) {
        CHECK(check(fault, 1).passed);
        CHECK_FALSE(check(fault, 2).passed);
    }
    CHECK(contains(check(Fault::recorded_value, 2).message,
                   "second order: the gradient of input 0 [3] at [0] differs when recorded: recorded "));
    CHECK(contains(
        check(Fault::recorded_derivative, 2).message,
        "second order: the derivative of the gradient of input 0 [3] at [0] by input 0 [3] at [0] is wrong: "));
    CHECK(contains(check(Fault::recorded_cut, 2).message,
                   "second order: the derivative of the gradient of input 0 [3] at [0] by the cotangent [3] at [0] is "
                   "wrong: analytic 0, numeric 0.27"));
}

TEST_CASE("gradcheck: third order passes what is right, and finds what is wrong there alone") {
    for (const std::int64_t limit : {4096, 0}) {
        CAPTURE(limit);
        const GradcheckOptions third{.order = 3, .full_jacobian_limit = limit};
        const auto of_two = [](const Tensors& in) { return mul(tiny::tanh(in[0]), mul(in[1], in[1])); };
        const GradcheckResult right = gradcheck(of_two, {vector({0.3, -1.2}), vector({0.7, 0.4})}, third);
        CHECK_MESSAGE(right.passed, right.message);
        // sum() of the first and linear functions have constants for second derivatives.
        CHECK(gradcheck([](const Tensors& in) { return scale(in[0], 3); }, {vector({1, 2})}, third).passed);
        CHECK(
            gradcheck([](const Tensors& in) { return sum(mul(in[0], in[1])); }, {vector({1, 2}), vector({3, 4})}, third)
                .passed);
        // Right in value, gradient and second derivative; the second derivative's own is cut off.
        const auto cut = custom_op(
            "cut", [](const auto& in) { return mul(in[0], mul(in[0], in[0])); },
            [](const auto& in, const Tensor&, const Tensor& ct) {
                const auto cut_square = custom_op(
                    "cut_square", [](const auto& in) { return mul(in[0], in[0]); },
                    [](const auto& in, const Tensor&, const Tensor& ct) {
                        return std::vector{mul(ct, scale(stop_gradient(in[0]), 2))};
                    });
                return std::vector{mul(ct, scale(cut_square(in[0]), 3))};
            });
        const Tensor x = vector({0.3, -1.2});
        CHECK(gradcheck(cut, {x}, {.order = 2, .full_jacobian_limit = limit}).passed);
        const GradcheckResult wrong = gradcheck(cut, {x}, third);
        CHECK_FALSE(wrong.passed);
        CHECK(wrong.verdict == GradcheckVerdict::wrong_rule);
        CHECK(wrong.message.starts_with("third order: the derivative of the derivative of the gradient of input 0"));
    }
}

TEST_CASE("gradcheck: a small gradient beside a large one is compared by its own size") {
    const auto f = [](const Tensors& in) {
        return concat(apply(Cube{Fault::recorded_value}, {&in[0]}, SourceLine{}), scale(in[1], 1e10));
    };
    CHECK(contains(gradcheck(f, {vector({1e-4, 2e-4}), vector({1, 2})}, {.order = 2}).message,
                   "second order: the gradient of input 0 [2] at [0] differs when recorded: recorded "));
}

TEST_CASE("gradcheck: above the limit random directions find the faults, and halving finds the element") {
    const Tensor x = wave(1000);
    for (const int order : {1, 2}) {
        const GradcheckResult right = gradcheck(cube(Fault::none), {x}, {.order = order});
        CHECK_MESSAGE(right.passed, right.message);
        CHECK(right.worst_error > 0);
    }
    CHECK(
        contains(gradcheck(cube(Fault::one_element), {x}).message,
                 "first order: the derivative of the result under a random cotangent by input 0 [1000] at [999] is "));
    CHECK_FALSE(gradcheck(cube(Fault::slightly_wrong), {x}).passed);
    CHECK_FALSE(gradcheck(cube(Fault::missing), {x}).passed);
    CHECK_FALSE(gradcheck(cube(Fault::one_sided), {x}).passed);
    CHECK_FALSE(gradcheck(cube(Fault::recorded_value), {x}, {.order = 2}).passed);
    const GradcheckResult derivative = gradcheck(cube(Fault::recorded_derivative), {x}, {.order = 2});
    CHECK(contains(derivative.message,
                   "second order: the derivative of the gradient of input 0 under a random cotangent"));
}

TEST_CASE("gradcheck: faults of one input among several name that input") {
    const auto f = [](const Tensors& in) {
        return mul(in[0], apply(Cube{Fault::slightly_wrong}, {&in[1]}, SourceLine{}));
    };
    const GradcheckResult result = gradcheck(f, {matrix({1, 2}, 1), matrix({3, 4}, 1)}, {.names = {"left", "right"}});
    CHECK(contains(result.message, "by input 1 \"right\" [1, 2] at [0, 0] is wrong: analytic 27.027, numeric 27,"));
}

TEST_CASE("gradcheck: a nondeterministic function") {
    double calls = 0;
    const GradcheckResult result =
        gradcheck([&](const Tensors& in) { return scale(in[0], ++calls); }, {vector({1, 2})});
    CHECK(result.message == "first order: the function is nondeterministic: two evaluations at one point differ");
}

TEST_CASE("gradcheck: steps that are too long for the function are shortened") {
    CHECK(gradcheck([](const Tensors& in) { return root(in[0]); }, {vector({1e-6, 1e-3, 1, 1e6})}).passed);
    const auto kink = [](const Tensors& in) { return mul(in[0], sign(in[0])); };  // |x|
    CHECK(gradcheck(kink, {vector({1e-6, -1e-5, 3})}).passed);
}

TEST_CASE("gradcheck: elements of very different sizes do not spoil each other's verdict") {
    const GradcheckResult right = gradcheck(cube(Fault::none), {vector({1e-3, 1e8})}, {.order = 2});
    CHECK_MESSAGE(right.passed, right.message);
    CHECK(right.worst_error < 1e-7);
    CHECK_FALSE(gradcheck(cube(Fault::one_element), {vector({1e8, 1e-2})}).passed);
}

TEST_CASE("gradcheck: a result that is not finite cannot be checked") {
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(gradcheck([](const Tensors& in) { return root(in[0]); }, {vector({1, infinity})}).message ==
          "first order: the result [2] at [1] is inf, where no derivative can be checked");
}

TEST_CASE("gradcheck: elements of inputs that are not finite stay as they are") {
    const double infinity = std::numeric_limits<double>::infinity();
    const auto f = [](const Tensors& in) { return tiny::tanh(in[0]); };
    CHECK(gradcheck(f, {vector({0.5, -infinity})}, {.order = 1}).passed);
}

TEST_CASE("gradcheck: linear functions have second derivatives of zero by the inputs") {
    CHECK(gradcheck([](const Tensors& in) { return scale(in[0], 3); }, {vector({1, 2})}, {.order = 2}).passed);
    CHECK(gradcheck([](const Tensors& in) { return in[0]; }, {vector({1, 2})}, {.order = 2}).passed);
}

TEST_CASE("gradcheck: inputs without elements") {
    CHECK(gradcheck(cube(Fault::none), {vector({})}, {.order = 2}).passed);
    CHECK(gradcheck([](const Tensors& in) { return sum(in[0]); }, {Tensor::empty({0, 3}, Dtype::float64)}, {.order = 2})
              .passed);
    const auto f = [](const Tensors& in) { return concat(in[0], in[1]); };
    CHECK(gradcheck(f, {vector({}), vector({1, 2})}, {.order = 2}).passed);
}

TEST_CASE("gradcheck: int64 inputs are passed on and not differentiated") {
    const auto f = [](const Tensors& in) {
        CHECK(in[0].dtype() == Dtype::int64);
        return scale(in[1], in[0].item<double>());
    };
    CHECK(gradcheck(f, {tensor({3}, Shape{}, Dtype::int64), vector({1, 2})}, {.order = 2}).passed);
}

TEST_CASE("gradcheck: the inputs themselves are neither watched nor changed") {
    const Tensor x = vector({0.5, -2}), kept = x.clone();
    CHECK(gradcheck(cube(Fault::none), {x}, {.order = 2}).passed);
    CHECK_FALSE(gradcheck(cube(Fault::overwrites_input), {x}).passed);
    CHECK(elements(x) == elements(kept));
    CHECK(x.state()->recording == 0);
}

TEST_CASE("gradcheck: under a tape and a pause of the caller") {
    const Tape tape;
    CHECK(check(Fault::none, 2).passed);
    CHECK_FALSE(check(Fault::recorded_derivative, 2).passed);
    const Pause pause;
    CHECK(check(Fault::none, 2).passed);
    CHECK_FALSE(check(Fault::slightly_wrong, 1).passed);
}

TEST_CASE("gradcheck: what it does not take") {
    const auto f = cube(Fault::none);
    CHECK_THROWS_WITH_AS(gradcheck(f, {vector({1}), tensor({1, 2}).set_name("bias")}),
                         "gradcheck: input 1 \"bias\" [2] is float32; differences need float64", DtypeError);
    CHECK_THROWS_WITH_AS(gradcheck([](const Tensors& in) { return cast(in[0], Dtype::float32); }, {vector({1})}),
                         "gradcheck: the result is float32, not float64", DtypeError);
    CHECK_THROWS_WITH_AS(gradcheck(f, {arange(3)}), "gradcheck: no input is float64, so there is nothing to check",
                         ValueError);
    CHECK_THROWS_WITH_AS(gradcheck(f, {Tensor()}), "gradcheck: input 0 is an undefined tensor", ValueError);
    CHECK_THROWS_WITH_AS(gradcheck([](const Tensors&) { return Tensor(); }, {vector({1})}),
                         "gradcheck: the result is an undefined tensor", ValueError);
    CHECK_THROWS_WITH_AS(gradcheck(f, {vector({1})}, {.order = 4}), "gradcheck: the order must be 1, 2 or 3, not 4",
                         ValueError);
    CHECK_THROWS_WITH_AS(gradcheck(f, {vector({1})}, {.names = {"a", "b"}}), "gradcheck: 2 names for 1 inputs",
                         ValueError);
    CHECK_THROWS_AS(gradcheck(f, {vector({1})}, {.step = 0}), ValueError);
    CHECK_THROWS_AS(gradcheck(f, {vector({1})}, {.relative_tolerance = 0}), ValueError);
    CHECK_THROWS_AS(gradcheck([](const Tensors& in) { return stop_gradient(in[0]); }, {vector({1})}), TapeError);
}
