// Covers autograd/tape/forward.hpp
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/transform/checkpoint.hpp>
#include <wengert/autograd/transform/custom_op.hpp>
#include <wengert/autograd/transform/derivatives.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

Tensor cube_of(const Tensor& x) { return mul(x, mul(x, x)); }
Tensor total_of_cubes(const Tensor& x) { return sum(cube_of(x)); }

/// A forward rule that is wrong.
struct WrongShape {
    static constexpr std::string_view name = "wrong_shape";
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, back.cotangent()); }
    Tensor jvp(const Forward& forward) const { return sum(forward.tangent(0)); }
};

template <class E, class F>
std::string text_of(const F& f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("jvp: the value and the derivative in a direction") {
    const auto [value, tangent] = jvp(cube_of, vector({1, -2}), vector({10, 1}));
    CHECK(elements(value) == Values{1, -8});
    CHECK(elements(tangent) == Values{30, 12});
    const auto f = [](const std::vector<Tensor>& in) { return mul(in[0], mul(in[1], in[1])); };
    const ValueAndTangent both = jvp(f, {vector({2, 3}), vector({4, 5})}, {vector({1, 0}), vector({0, 1})});
    CHECK(elements(both.value) == Values{32, 75});
    CHECK(elements(both.tangent) == Values{16, 30});
    CHECK(jvp([](const auto& x) { return mul(x, x); }, tensor({1, 2}), tensor({1, 1})).tangent.dtype() ==
          Dtype::float32);
    CHECK(jvp(cube_of, Tensor::empty({0}, Dtype::float64), Tensor::empty({0}, Dtype::float64)).tangent.shape() ==
          Shape{0});
}

TEST_CASE("jvp: an argument that is the result, one that is used twice, one that does not matter") {
    const Tensor x = vector({1, 2}), t = vector({3, 4});
    CHECK(elements(jvp([](const Tensor& z) { return z; }, x, t).tangent) == Values{3, 4});
    CHECK(elements(jvp([](const Tensor& z) { return add(z, z); }, x, t).tangent) == Values{6, 8});
    const auto first = [](const std::vector<Tensor>& in) { return scale(in[0], 2); };
    CHECK(elements(jvp(first, {x, x}, {t, vector({100, 100})}).tangent) == Values{6, 8});
    // What f captures is held, the argument itself too.
    CHECK(elements(jvp([&](const Tensor& z) { return mul(z, x); }, x, t).tangent) == Values{3, 8});
}

TEST_CASE("jvp: views show the tangent, whatever its strides") {
    const Tensor x = matrix({1, 2, 3, 4, 5, 6}, 2), t = tiny::transpose(matrix({1, 2, 3, 4, 5, 6}, 3));
    const auto f = [](const Tensor& z) { return mul(slice(z, 1, 1, 3), slice(z, 1, 0, 2)); };
    CHECK(elements(jvp(f, x, t).tangent) == Values{3 * 1 + 2 * 1, 5 * 2 + 3 * 3, 4 * 4 + 5 * 2, 6 * 5 + 6 * 4});
}

TEST_CASE("jvp: a bilinear op, each of its operands and both") {
    const Tensor a = matrix({1, 2, 3, 4}, 2), b = matrix({5, 6, 7, 8}, 2), t = matrix({1, 0, 0, 2}, 2);
    CHECK(elements(jvp([&](const Tensor& x) { return product(x, b); }, a, t).tangent) == Values{5, 6, 14, 16});
    CHECK(elements(jvp([&](const Tensor& x) { return product(a, x); }, b, t).tangent) == Values{1, 4, 3, 8});
    CHECK(elements(jvp([&](const Tensor& x) { return product(x, x); }, a, t).tangent) == Values{2, 6, 9, 16});
}

TEST_CASE("jvp: nests with itself and with grad, in either order") {
    const Tensor x = vector({0.5, -2}), v = vector({3, 1});
    const Values expected{9, -12};  // 6 x v
    const auto gradient = [](const Tensor& z) { return grad(total_of_cubes, z); };
    CHECK(elements(jvp(gradient, x, v).tangent) == expected);
    CHECK(elements(jvp(gradient, x, v).value) == Values{0.75, 12});
    CHECK(elements(hvp(total_of_cubes, x, v)) == expected);
    CHECK(elements(grad([&](const Tensor& z) { return jvp(total_of_cubes, z, v).tangent; }, x)) == expected);
    const auto slope = [&](const Tensor& z) { return jvp(cube_of, z, v).tangent; };
    CHECK(elements(jvp(slope, x, v).tangent) == Values{6 * 0.5 * 9, 6 * -2.0});
    CHECK(elements(jvp([&](const Tensor& z) { return jvp(slope, z, v).tangent; }, x, v).tangent) == Values{162, 6});
    const auto of_slope = [&](const Tensor& z) { return sum(slope(z)); };
    CHECK(elements(jvp([&](const Tensor& z) { return grad(of_slope, z); }, x, v).tangent) == Values{54, 6});
    CHECK(elements(jvp([&](const Tensor& z) { return jacobian(cube_of, z); }, x, v).tangent) == Values{9, 0, 0, -12});
}

TEST_CASE("jvp: nests where a rule computes with the result") {
    const Tensor x = vector({0.5, -2}), one = vector({1, 1});
    const auto first = [&](const Tensor& z) {
        return jvp([](const auto& y) { return tiny::tanh(y); }, z, one).tangent;
    };
    const auto second = [&](const Tensor& z) { return jvp(first, z, one).tangent; };
    const Values by_jvp = elements(second(x)), third = elements(jvp(second, x, one).tangent),
                 by_grad = elements(grad([&](const Tensor&z) { return sum(first(z)); }, x));
    for (std::size_t i = 0; i < 2; ++i) {
        const double t = std::tanh(x.at({static_cast<std::int64_t>(i)})), slope = 1 - t * t;
        CHECK(by_jvp[i] == doctest::Approx(-2 * t * slope));
        CHECK(by_grad[i] == doctest::Approx(-2 * t * slope));
        CHECK(third[i] == doctest::Approx(-2 * slope * slope + 4 * t * t * slope));
    }
}

TEST_CASE("jvp: nested derivatives are not confused") {
    const Tensor one = vector({1});
    // d/dx (x d/dy (x + y)): the inner derivative is 1, although x stands in for y.
    const auto outer = [&](const Tensor& x) {
        return mul(x, jvp([&](const Tensor& y) { return add(x, y); }, one, one).tangent);
    };
    CHECK(elements(jvp(outer, one, one).tangent) == Values{1});
    CHECK(elements(grad([&](const Tensor& x) { return sum(outer(x)); }, one)) == Values{1});
    // d/dx of the tangent itself.
    const auto in_direction = [&](const Tensor& x) { return jvp(cube_of, vector({2}), x).tangent; };
    CHECK(elements(jvp(in_direction, one, one).tangent) == Values{12});
    CHECK(elements(grad([&](const Tensor& x) { return sum(in_direction(x)); }, one)) == Values{12});
}

TEST_CASE("jvp: a gradient is a function of what it captures, by a tape of its own too") {
    const Tensor w = vector({2, 3}), x = vector({1, 2}), v = vector({1, 1});
    const auto weighted = [&](const Tensor& z) {
        return grad([&](const Tensor& y) { return sum(mul(z, cube_of(y))); }, x);
    };
    CHECK(elements(jvp(weighted, w, v).tangent) == Values{3, 12});
    const auto by_tape = [&](const Tensor& z) {
        Tape tape;
        const Tensor y = tiny::scale(z, 1);
        tape.watch(y);
        return tape.gradient(total_of_cubes(y), y);
    };
    CHECK(elements(jvp(by_tape, x, v).tangent) == Values{6, 12});
    const auto [value, tangent] = jvp([&](const Tensor& z) { return grad(total_of_cubes, by_tape(z)); }, x, v);
    CHECK(elements(value) == Values{27, 3 * 144});
    CHECK(elements(tangent) == Values{6 * 3 * 6, 6 * 12 * 12});  // 3 (3 x²)², whose slope is 108 x³
}

TEST_CASE("jvp: checkpoints and pauses") {
    const Tensor x = vector({1, 2}), v = vector({1, 1});
    const auto kept = [](const std::vector<Tensor>& in) { return cube_of(in[0]); };
    const auto f = [&](const Tensor& z) { return checkpoint(kept, std::vector{z}); };
    CHECK(elements(jvp(f, x, v).tangent) == Values{3, 12});
    CHECK(elements(grad([&](const Tensor& z) { return sum(jvp(f, z, v).tangent); }, x)) == Values{6, 12});
    const auto paused = [](const Tensor& z) {
        Tensor constant;
        {
            const Pause pause;
            constant = mul(z, z);
        }
        return mul(z, constant);
    };
    CHECK(elements(jvp(paused, x, v).tangent) == Values{1, 4});
    CHECK(elements(jvp([](const Tensor& z) { return mul(z, stop_gradient(z)); }, x, v).tangent) == Values{1, 2});
    const Pause pause;
    CHECK(elements(jvp(cube_of, x, v).tangent) == Values{3, 12});
}

TEST_CASE("jvp: without a tape nothing is recorded, and intermediate values go as they do without it") {
    const Tensor x = vector({1, 2}), v = vector({1, 1});
    const auto live = [] { return allocator_statistics().live_bytes; };
    std::int64_t before = 0, after = 0;
    const auto f = [&](const Tensor& z) {
        before = live();
        Tensor y = z;
        for (int i = 0; i < 50; ++i) y = tiny::tanh(y);
        after = live();
        CHECK(y.state()->recording == 0);
        return y;
    };
    const auto [value, tangent] = jvp(f, x, v);
    CHECK(after - before < 4096);
    CHECK(value.state()->recording == 0);
    CHECK(value.state()->extras == nullptr);
    const Tape tape;
    CHECK(tape.find(value) == no_node);
    CHECK(tape.find(tangent) == no_node);
    const auto [constant, slope] = jvp(cube_of, x, v);
    CHECK(tape.size() == 0);
}

TEST_CASE("jvp: zero or error") {
    const Tensor x = vector({1, 2}), v = vector({3, 4});
    const auto of_linear = [](const Tensor& z) { return grad([](const Tensor& y) { return sum(y); }, z); };
    CHECK(elements(jvp(of_linear, x, v).tangent) == Values{0, 0});
    const auto beyond = [&](const Tensor& z) { return mul(of_linear(z), of_linear(z)); };
    CHECK(elements(jvp(beyond, x, v).tangent) == Values{0, 0});
    const std::string text = text_of<TapeError>([&] { jvp([](const Tensor& z) { return sign(z); }, x, v); });
    CHECK(
        text.starts_with("jvp: the result depends on no argument, or only through what has no derivative: an op "
                         "without one, a cast, a copy, a Pause or stop_gradient()\n  at "));
}

TEST_CASE("jvp: errors") {
    const Tensor x = vector({4, 9}), v = vector({1, 1});
    const auto fails = [&](const auto& f, const Tensor& at, const Tensor& along) { return [=] { jvp(f, at, along); }; };
    const auto begins = [](const std::string& text, const std::string& begin) {
        CHECK_MESSAGE(text.starts_with(begin + "\n  at "), text);
    };
    begins(text_of<NotDifferentiableError>(fails([](const Tensor& z) { return root(z); }, x, v)),
           "root: the op has no forward rule, which jvp() needs; vjp() and grad() do not");
    CHECK(elements(jvp([&](const Tensor& z) { return mul(z, root(x)); }, x, v).tangent) == Values{2, 3});
    const CustomOp square = custom_op(
        "square", [](const auto& in) { return mul(in[0], in[0]); },
        [](const auto& in, const Tensor&, const Tensor& ct) { return std::vector{scale(mul(in[0], ct), 2)}; });
    begins(text_of<NotDifferentiableError>(fails(square, x, v)),
           "square: the op has no forward rule, which jvp() needs: custom_op() takes one after the vjp");
    begins(text_of<ShapeError>(fails(cube_of, x, vector({1}))),
           "jvp: tangent 0 [1] float64 is not like argument [2] float64");
    begins(text_of<ShapeError>(fails(cube_of, x, tensor({1, 1}))),
           "jvp: tangent 0 [2] float32 is not like argument [2] float64");
    begins(text_of<ValueError>(fails(cube_of, x, Tensor())), "jvp: tangent 0 is an undefined tensor");
    begins(text_of<DtypeError>(fails(cube_of, arange(2), arange(2))),
           "jvp: argument 0 [2] is int64, which has no derivative");
    begins(text_of<ValueError>(fails([](const Tensor&) { return Tensor(); }, x, v)),
           "jvp: the result is an undefined tensor");
    const auto of_list = [](const std::vector<Tensor>& in) { return in[0]; };
    begins(text_of<ValueError>([&] { jvp(of_list, {x, x}, {v}); }), "jvp: 1 tangents for 2 arguments");
    begins(text_of<ValueError>([&] { jvp(of_list, std::vector<Tensor>{Tensor()}, {v}); }),
           "jvp: argument 0 is an undefined tensor");
    begins(text_of<ShapeError>(fails([](const Tensor& z) { return apply(WrongShape{}, z); }, x, v)),
           "wrong_shape: the forward rule returned a tangent [] float64 of a result [2] float64");
    const auto overwrites = [](const Tensor& z) {
        Tensor y = scale(z, 2);
        y.fill(1);
        return mul(z, y);
    };
    begins(text_of<TapeError>(fails(overwrites, x, v)),
           "mul: a tensor [2] was overwritten after its tangent was computed; to use its value, pass "
           "stop_gradient(x)");
    Tape tape;
    const auto in_pause = [&](const Tensor& z) { return tape.gradient(sum(z), x); };
    tape.watch(x);
    const Pause pause;
    CHECK(
        text_of<TapeError>(fails(in_pause, x, v)).starts_with("gradient: jvp() asks to record the pass, but a Pause"));
}

TEST_CASE("jvp: under a tape its results are differentiated by what the function captures") {
    Tensor w = vector({2, 3});
    w.set_parameter();
    Tape tape;
    const auto f = [&](const Tensor& x) { return mul(w, cube_of(x)); };
    const auto [value, tangent] = jvp(f, vector({1, 2}), vector({1, 1}));
    CHECK(elements(tape.gradient(sum(tangent), w, {.retain_graph = true})) == Values{3, 12});
    CHECK(elements(tape.gradient(sum(value), w)) == Values{1, 8});
}
