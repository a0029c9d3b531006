#include <doctest/doctest.h>

#include <cmath>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/derivatives.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

Tensor cubes(const Tensor& x) { return mul(x, mul(x, x)); }
Tensor sum_of_cubes(const Tensor& x) { return sum(cubes(x)); }

/// [2, 2] -> [2, 2]: the square of a matrix.
Tensor squared(const Tensor& x) { return product(x, x); }

/// The derivatives of the square of a matrix, entry by entry.
Values slopes_of_square(const Values& x) {
    Values result;
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t k = 0; k < 2; ++k)
            for (std::size_t a = 0; a < 2; ++a)
                for (std::size_t b = 0; b < 2; ++b)
                    result.push_back((i == a ? x[2 * b + k] : 0) + (k == b ? x[2 * i + a] : 0));
    return result;
}

}  // namespace

TEST_CASE("grad: of one argument, of several, of a list, and the value beside") {
    const Tensor x = vector({1, -2}), y = vector({3, 5});
    CHECK(elements(grad(sum_of_cubes, x)) == Values{3, 12});
    const auto f = [](const Tensor& a, const Tensor& b) { return sum(mul(a, mul(b, b))); };
    const auto [dx, dy] = grad(f, x, y);
    CHECK(elements(dx) == Values{9, 25});
    CHECK(elements(dy) == Values{6, -20});
    const auto of_list = [&](const std::vector<Tensor>& in) { return f(in[0], in[1]); };
    const std::vector<Tensor> gradients = grad(of_list, {x, y});
    REQUIRE(gradients.size() == 2);
    CHECK(elements(gradients[1]) == Values{6, -20});

    const auto [value, gradient] = value_and_grad(sum_of_cubes, x);
    CHECK(value.item() == -7);
    CHECK(elements(gradient) == Values{3, 12});
    CHECK(elements(value_and_grad(f, x, y).gradient[1]) == Values{6, -20});
    CHECK(value_and_grad(of_list, {x, y}).value.item() == -41);
    CHECK(elements(value_and_grad(of_list, {x, y}).gradient[0]) == Values{9, 25});
}

TEST_CASE("grad: generic lambdas, float32 and transposed arguments") {
    CHECK(elements(grad([](const auto& x) { return sum(mul(x, x)); }, tensor({1, 2}))) == Values{2, 4});
    CHECK(grad([](const auto& x) { return sum(mul(x, x)); }, tensor({1, 2})).dtype() == Dtype::float32);
    const Tensor t = tiny::transpose(matrix({1, 2, 3, 4, 5, 6}, 2));
    const Tensor gradient = grad([](const Tensor& x) { return sum(mul(x, x)); }, t);
    CHECK(gradient.shape() == Shape{3, 2});
    CHECK(elements(gradient) == Values{2, 8, 4, 10, 6, 12});
    CHECK(gradient.is_contiguous());
    CHECK(grad([](const Tensor& x) { return sum(x); }, Tensor::empty({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("grad: results are constants without a tape, and arguments stay as they are") {
    Tensor x = vector({1, -2});
    x.set_parameter();
    const auto [value, gradient] = value_and_grad(sum_of_cubes, x);
    CHECK(x.state()->recording == 0);
    const Tape tape;
    CHECK(tape.find(value) == no_node);
    CHECK(tape.find(gradient) == no_node);
    CHECK(elements(add(gradient, gradient)) == Values{6, 24});
    {
        const Pause pause;
        CHECK(tape.find(grad(sum_of_cubes, x)) == no_node);
        CHECK(tape.find(value_and_grad(sum_of_cubes, x).value) == no_node);
    }
}

TEST_CASE("grad: of grad of grad") {
    const auto fourth = [](const Tensor& x) { return sum(mul(mul(x, x), mul(x, x))); };
    const auto first = [&](const Tensor& x) { return grad(fourth, x); };
    const auto second = [&](const Tensor& x) { return grad([&](const Tensor& z) { return sum(first(z)); }, x); };
    const auto third = [&](const Tensor& x) { return grad([&](const Tensor& z) { return sum(second(z)); }, x); };
    const Tensor x = vector({0.5, -2});
    CHECK(elements(first(x)) == Values{0.5, -32});
    CHECK(elements(second(x)) == Values{3, 48});
    CHECK(elements(third(x)) == Values{12, -48});
    CHECK(elements(grad([&](const Tensor& z) { return sum(third(z)); }, x)) == Values{24, 24});
}

TEST_CASE("grad: what was computed from the argument outside is held") {
    const Tensor one = vector({1});
    // d/dx (x d/dy (x + y)): the inner derivative is 1, although x stands in for y.
    const auto outer = [](const Tensor& x) {
        return sum(mul(x, grad([&](const Tensor& y) { return sum(add(x, y)); }, x)));
    };
    CHECK(elements(grad(outer, one)) == Values{1});

    Tensor x = vector({2, 3});
    x.set_parameter();
    Tape tape;
    const Tensor square = mul(x, x);
    const Tensor gradient = grad([&](const Tensor& z) { return sum(mul(z, mul(square, x))); }, x);
    CHECK(elements(gradient) == Values{8, 27});                                // not 4 x^3
    CHECK(elements(tape.gradient(sum(gradient), x)) == Values{3 * 4, 3 * 9});  // and yet a function of x
}

TEST_CASE("grad: under a tape it is differentiated by what the function captures") {
    Tensor w = vector({2, 3});
    w.set_parameter();
    Tape tape;
    const auto f = [&](const Tensor& x) { return sum(mul(w, cubes(x))); };
    const auto [value, gradient] = value_and_grad(f, vector({1, 2}));
    CHECK(elements(gradient) == Values{6, 36});
    CHECK(elements(tape.gradient(sum(gradient), w, {.retain_graph = true})) == Values{3, 12});
    CHECK(elements(tape.gradient(value, w)) == Values{1, 8});
}

TEST_CASE("grad: zero or error") {
    const Tensor x = vector({1, 2}), y = vector({3, 4});
    const auto first_alone = [](const Tensor& a, const Tensor&) { return sum(a); };
    CHECK(elements(grad(first_alone, x, y)[1]) == Values{0, 0});
    const auto linear = [](const Tensor& a) { return sum(scale(a, 3)); };
    const auto slope = [&](const Tensor& a) { return sum(grad(linear, a)); };
    CHECK(elements(grad(slope, x)) == Values{0, 0});
    CHECK(elements(grad([&](const Tensor& a) { return sum(grad(slope, a)); }, x)) == Values{0, 0});

    CHECK_THROWS_WITH_AS(grad([](const Tensor& a) { return sum(sign(a)); }, x),
                         ("grad: the result comes from sign, which has no derivative" + at_line()).c_str(),
                         NotDifferentiableError);
    CHECK_THROWS_WITH_AS(grad([](const Tensor& a) { return sum(stop_gradient(a)); }, x),
                         ("grad: the result does not depend on any parameter or watched tensor of this tape: "
                          "stop_gradient() made a constant of what it was computed from" +
                          at_line())
                             .c_str(),
                         TapeError);
    CHECK_THROWS_AS(grad([&](const Tensor&) { return sum(y); }, x), TapeError);
}

TEST_CASE("grad: what it does not take") {
    const auto identity = [](const Tensor& a) { return a; };
    CHECK_THROWS_WITH_AS(grad(identity, vector({1, 2})),
                         ("grad: the result [2] is no scalar; vjp() and jacobian() take it" + at_line()).c_str(),
                         ShapeError);
    CHECK_THROWS_WITH_AS(grad(identity, ids({1})),
                         ("grad: argument 0 [1] is int64, which has no derivative" + at_line()).c_str(), DtypeError);
    CHECK_THROWS_WITH_AS(grad(identity, Tensor()), ("grad: operand 0 is an undefined tensor" + at_line()).c_str(),
                         ValueError);
    CHECK_THROWS_WITH_AS(grad([](const auto& in) { return sum(in[0]); }, std::vector{vector({1}), Tensor()}),
                         ("grad: argument 1 is an undefined tensor" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(value_and_grad([](const Tensor&) { return Tensor(); }, vector({1})),
                         ("value_and_grad: the result is an undefined tensor" + at_line()).c_str(), ValueError);
    // The error of an op inside stays that op's.
    const std::string line = at_line(1);
    const auto wrong = [](const Tensor& a) { return sum(mul(a, vector({1}))); };
    CHECK_THROWS_WITH_AS(grad(wrong, vector({1, 2})), ("mul: shapes differ: [2] and [1]" + line).c_str(), ShapeError);
}

TEST_CASE("vjp: a cotangent for a result that is no scalar") {
    const Tensor x = vector({1, -2}), c = vector({10, 100});
    CHECK(elements(vjp(cubes, x, c)) == Values{30, 1200});
    const auto products = [](const std::vector<Tensor>& in) { return mul(in[0], in[1]); };
    const std::vector<Tensor> gradients = vjp(products, {x, vector({3, 5})}, c);
    CHECK(elements(gradients[0]) == Values{30, 500});
    CHECK(elements(gradients[1]) == Values{10, -200});
    CHECK_THROWS_WITH_AS(vjp(cubes, x, vector({1})),
                         ("vjp: the cotangent [1] float64 is not like the result [2] float64" + at_line()).c_str(),
                         ShapeError);
    const auto slope = [](const Tensor& z) { return grad([](const Tensor& y) { return sum(y); }, z); };
    CHECK_THROWS_WITH_AS(vjp(slope, x, vector({1})),
                         ("vjp: the cotangent [1] is not like the result [2]" + at_line()).c_str(), ShapeError);
    // It is linear in the cotangent, and differentiable by it.
    CHECK(elements(grad([&](const Tensor& ct) { return sum(vjp(cubes, x, ct)); }, c)) == Values{3, 12});
}

TEST_CASE("jacobian: every entry") {
    const Tensor x = matrix({1, 2, 3, 4}, 2);
    const Tensor result = jacobian(squared, x);
    CHECK(result.shape() == Shape{2, 2, 2, 2});
    CHECK(elements(result) == slopes_of_square(elements(x)));
    const Tensor transposed = jacobian(squared, tiny::transpose(x));
    CHECK(elements(transposed) == slopes_of_square({1, 3, 2, 4}));
    CHECK(elements(jacobian(sum_of_cubes, vector({1, 2}))) == Values{3, 12});
    CHECK(jacobian(sum_of_cubes, vector({1, 2})).shape() == Shape{2});
    CHECK(elements(jacobian(cubes, scalar(2, Dtype::float64))) == Values{12});
    CHECK(elements(jacobian([](const Tensor& z) { return z; }, tensor({5, 6}))) == Values{1, 0, 0, 1});
}

TEST_CASE("jacobian: nothing of nothing, and too much") {
    CHECK(jacobian(cubes, Tensor::empty({0, 2})).shape() == Shape{0, 2, 0, 2});
    CHECK(jacobian(sum_of_cubes, Tensor::empty({0}, Dtype::float64)).shape() == Shape{0});
    CHECK(jacobian([](const Tensor& x) { return slice(x, 0, 0, 0); }, vector({1, 2})).shape() == Shape{0, 2});
    CHECK_THROWS_AS(jacobian(cubes, Tensor::empty({1, 1, 1, 1})), ShapeError);
}

TEST_CASE("jacobian: of a Jacobian, and under a tape") {
    const Tensor x = matrix({1, 2, 3, 4}, 2);
    // The square is quadratic, so that its second derivatives are those of slopes_of_square(), which is linear.
    const Tensor second = jacobian([](const Tensor& z) { return jacobian(squared, z); }, matrix({1, 2, 3, 4}, 2));
    CHECK(second.shape() == Shape{2, 2, 2, 2, 2, 2});
    for (std::size_t j = 0; j < 4; ++j) {
        Values unit(4, 0.0);
        unit[j] = 1;
        const Values slopes = slopes_of_square(unit), found = elements(second);
        for (std::size_t i = 0; i < 16; ++i) CHECK(found[4 * i + j] == slopes[i]);
    }
    const auto norm = [](const Tensor& z) {
        const Tensor j = jacobian(cubes, z);
        return sum(mul(j, j));  // 9 x^4
    };
    CHECK(elements(grad(norm, vector({1, -2}))) == Values{36, -288});
    CHECK(elements(grad([&](const Tensor& z) { return sum(grad(norm, z)); }, vector({1, -2}))) == Values{108, 432});
    Tape tape;
    tape.watch(x);
    CHECK(elements(tape.gradient(sum(jacobian(squared, x)), x)) == Values{4, 4, 4, 4});
}

TEST_CASE("hessian: of products, of sums, of linear functions") {
    const auto f = [](const Tensor& x) { return sum(mul(slice(x, 0, 0, 2), slice(cubes(x), 0, 1, 3))); };
    // f(a, b, c) = a b^3 + b c^3
    const double a = 2, b = 3, c = 5;
    CHECK(elements(hessian(f, vector({a, b, c}))) ==
          Values{0, 3 * b * b, 0, 3 * b * b, 6 * a * b, 3 * c * c, 0, 3 * c * c, 6 * b * c});
    CHECK(elements(hessian([](const Tensor& x) { return sum(x); }, vector({1, 2}))) == Values{0, 0, 0, 0});
    CHECK(hessian(sum_of_cubes, matrix({1, 2, 3, 4}, 2)).shape() == Shape{2, 2, 2, 2});
    CHECK_THROWS_WITH_AS(hessian(cubes, vector({1, 2})),
                         ("hessian: the result [2] is no scalar; vjp() and jacobian() take it" + at_line()).c_str(),
                         ShapeError);
}

TEST_CASE("hvp: the Hessian times a vector, without the Hessian") {
    const auto f = [](const Tensor& x) { return sum(tiny::tanh(mul(x, cubes(x)))); };
    const Tensor x = vector({0.3, -0.7, 0.9}), v = vector({1, -2, 0.5});
    const Values h = elements(hessian(f, x)), found = elements(hvp(f, x, v));
    for (std::size_t i = 0; i < 3; ++i) {
        double expected = 0;
        for (std::size_t j = 0; j < 3; ++j) expected += h[3 * i + j] * elements(v)[j];
        CHECK(found[i] == doctest::Approx(expected).epsilon(1e-13));
    }
    CHECK(elements(hvp([](const Tensor& z) { return sum(z); }, x, v)) == Values{0, 0, 0});
    // By the vector it is linear: its derivative is the Hessian again.
    const Values by_v = elements(jacobian([&](const Tensor& z) { return hvp(f, x, z); }, v));
    for (std::size_t i = 0; i < 9; ++i) CHECK(by_v[i] == doctest::Approx(h[i]).epsilon(1e-13));
    CHECK_THROWS_WITH_AS(hvp(f, x, vector({1})),
                         ("hvp: vector 0 [1] float64 is not like argument [3] float64" + at_line()).c_str(),
                         ShapeError);
    CHECK_THROWS_AS(hvp(f, x, Tensor()), ValueError);
}

TEST_CASE("hvp: by several tensors it is that by all their elements as one") {
    using List = std::vector<Tensor>;
    const auto f = [](const List& in) {
        const Tensor rows = mul(tiny::transpose(in[0]), tiny::tanh(in[1]));
        return sum(mul(rows, mul(rows, rows)));
    };
    const List x{matrix({0.3, -0.7, 0.9, 0.2, 0.4, -0.5}, 3),
                 tiny::transpose(matrix({0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, 3))},
        v{matrix({1, -2, 0.5, 0, 1, 1}, 3), tiny::transpose(matrix({2, 1, 0, -1, 0.5, 3}, 3))};
    const auto along = [&](double step, std::size_t i) {
        return scale(grad(f, List{add(x[0], scale(v[0], step)), add(x[1], scale(v[1], step))})[i], 1 / (2 * step));
    };
    const List found = hvp(f, x, v);
    for (std::size_t i = 0; i < 2; ++i) {
        const Values by_differences = elements(add(along(1e-5, i), along(-1e-5, i)));
        CHECK(found[i].shape() == x[i].shape());
        for (std::size_t k = 0; k < 6; ++k)
            CHECK(elements(found[i])[k] == doctest::Approx(by_differences[k]).epsilon(1e-8));
    }
    // It is differentiable by x and by v.
    const List more{x[0], x[1], v[0], v[1]};
    const GradcheckResult checked = gradcheck(
        [&](const List& in) {
            const List h = hvp(f, List{in[0], in[1]}, List{in[2], in[3]});
            return mul(h[0], tiny::transpose(h[1]));
        },
        more, {.order = 2});
    CHECK_MESSAGE(checked.passed, checked.message);
    const List of_linear = hvp([](const List& in) { return sum(in[1]); }, x, v);
    for (const Tensor& h : of_linear) CHECK(elements(h) == Values(6, 0));
    CHECK_THROWS_WITH_AS(hvp(f, x, {v[0]}), ("hvp: 1 vectors for 2 arguments" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(hvp(f, {x[0], tensor({1})}, {v[0], tensor({1})}),
                         ("hvp: arguments of float64 and float32" + at_line()).c_str(), DtypeError);
    CHECK_THROWS_WITH_AS(hvp(f, List(), List()), ("hvp: there is no argument" + at_line()).c_str(), ValueError);
}
