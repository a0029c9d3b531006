#include <doctest/doctest.h>

#include <cmath>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/custom_op.hpp>
#include <wengert/autograd/transform/derivatives.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

using List = std::vector<Tensor>;

Tensor cube_by_ops(const List& in) { return mul(in[0], mul(in[0], in[0])); }

const CustomOp& cube() {
    static const CustomOp op("cube", cube_by_ops, [](const List& in, const Tensor&, const Tensor& ct) {
        return std::vector{scale(mul(ct, mul(in[0], in[0])), 3)};
    });
    return op;
}

/// exp(a) b, whose vjp uses the result; loops of its own in the forward pass.
const CustomOp& exp_times() {
    static const CustomOp op(
        "exp_times",
        [](const List& in) {
            Values values = elements(in[0]);
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::exp(values[i]) * elements(in[1])[i];
            return tensor(values, in[0].shape());
        },
        [](const List& in, const Tensor& y, const Tensor& ct) {
            const Tensor exp = exp_times()(in[0], full(in[0].shape(), 1, Dtype::float64));
            return std::vector{mul(ct, y), mul(ct, exp)};
        });
    return op;
}

/// A right vjp of loops, whose own derivative nobody knows.
const CustomOp& cube_by_loops() {
    static const CustomOp op("cube_by_loops", cube_by_ops, [](const List& in, const Tensor&, const Tensor& ct) {
        Values result = elements(ct);
        for (std::size_t i = 0; i < result.size(); ++i) result[i] *= 3 * elements(in[0])[i] * elements(in[0])[i];
        return std::vector{tensor(result, ct.shape())};
    });
    return op;
}

CustomOp identity_with(const CustomOp::Vjp& vjp) {
    return custom_op(
        "identity", [](const List& in) { return in[0]; }, vjp);
}

}  // namespace

TEST_CASE("custom_op: value, derivatives of all orders, one node") {
    const Tensor x = vector({0.5, -2});
    CHECK(elements(cube()(x)) == Values{0.125, -8});
    CHECK(elements(grad([](const Tensor& z) { return sum(cube()(z)); }, x)) == Values{0.75, 12});
    CHECK(elements(hessian([](const Tensor& z) { return sum(cube()(z)); }, x)) == Values{3, 0, 0, -12});
    CHECK_MESSAGE(gradcheck(cube(), {x}, {.order = 2}).passed, gradcheck(cube(), {x}, {.order = 2}).message);
    const GradcheckResult two = gradcheck(exp_times(), {x, vector({3, 5})}, {.order = 2});
    CHECK_MESSAGE(two.passed, two.message);

    Tape tape;
    tape.watch(x);
    const Tensor y = cube()(x);
    CHECK(tape.size() == 2);
    CHECK(tape[1].name() == "cube");
    CHECK(tape[1].where().line == __LINE__ - 3);
    CHECK(elements(tape.gradient(y, x, {.cotangent = vector({10, 100})})) == Values{7.5, 1200});
}

TEST_CASE("custom_op: transposed operands, empty ones and constants") {
    const Tensor t = tiny::transpose(matrix({1, 2, 3, 4, 5, 6}, 2));
    CHECK(elements(grad([](const Tensor& z) { return sum(cube()(z)); }, t)) == Values{3, 48, 12, 75, 27, 108});
    CHECK(grad([](const Tensor& z) { return sum(cube()(z)); }, Tensor::empty({0, 2})).shape() == Shape{0, 2});
    const Tensor x = vector({1, 2}), constant = vector({3, 4});
    CHECK(elements(grad([&](const Tensor& z) { return sum(exp_times()(constant, z)); }, x)) ==
          Values{std::exp(3), std::exp(4)});
}

TEST_CASE("custom_op: a vjp of loops has no derivative, and says so") {
    const Tensor x = vector({1, 2});
    CHECK(gradcheck(cube_by_loops(), {x}).passed);
    Tape tape;
    tape.watch(x);
    const std::string line = at_line(1);
    const Tensor y = sum(cube_by_loops()(x));
    CHECK_THROWS_WITH_AS(
        tape.gradient(y, x, {.create_graph = true}),
        ("cube_by_loops: a recorded pass needs a rule whose cotangents are computed from the given one "
         "by ops, and this is a constant" +
         line)
            .c_str(),
        NotDifferentiableError);
}

TEST_CASE("custom_op: a linear op's second derivative is zero, and cotangents stay constants") {
    const CustomOp twice(
        "twice", [](const List& in) { return scale(in[0], 2); },
        [](const List&, const Tensor&, const Tensor& ct) { return std::vector{scale(ct, 2)}; });
    CHECK(elements(hessian([&](const Tensor& z) { return sum(twice(z)); }, vector({1, 2}))) == Values{0, 0, 0, 0});
    const Tensor x = vector({1, 2}), c = vector({3, 4});
    Tape tape;
    tape.watch(x);
    CHECK(elements(tape.gradient(twice(x), x, {.create_graph = true, .cotangent = c})) == Values{6, 8});
    CHECK(tape.find(c) == no_node);
}

TEST_CASE("custom_op: an operand as its own result, twice the same operand, an undefined cotangent") {
    const CustomOp identity =
        identity_with([](const List&, const Tensor&, const Tensor& ct) { return std::vector{ct}; });
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor y = identity(x), z = mul(x, exp_times()(x, x));
    CHECK_FALSE(y.same_as(x));
    CHECK(tape.find(x) == 0);
    CHECK(elements(tape.gradient(mul(y, x), x, {.retain_graph = true, .cotangent = vector({1, 1})})) == Values{2, 4});
    // x^2 exp(x)
    CHECK(elements(tape.gradient(sum(z), x))[1] == doctest::Approx(8 * std::exp(2)).epsilon(1e-13));
    const CustomOp nothing = identity_with([](const List&, const Tensor&, const Tensor&) { return List(1); });
    CHECK(elements(grad([&](const Tensor& a) { return sum(nothing(a)); }, x)) == Values{0, 0});
}

TEST_CASE("custom_op: what is wrong has a name and a line") {
    const Tensor x = vector({1, 2});
    const auto gradient_by = [&](const CustomOp::Vjp& vjp) {
        return grad([&](const Tensor& z) { return sum(identity_with(vjp)(z)); }, x);
    };
    CHECK_THROWS_WITH_AS(gradient_by([](const List&, const Tensor&, const Tensor&) { return List(2); }),
                         doctest::Contains("the vjp returned 2 cotangents for 1 operands"), ValueError);
    CHECK_THROWS_WITH_AS(gradient_by([](const List&, const Tensor&, const Tensor& ct) { return List{sum(ct)}; }),
                         doctest::Contains("a contribution of shape [] to the cotangent of an operand [2]"),
                         ShapeError);
    CHECK_THROWS_AS(
        gradient_by([](const List&, const Tensor&, const Tensor& ct) { return List{cast(ct, Dtype::float32)}; }),
        DtypeError);
    const auto no_vjp = [](const List&, const Tensor&, const Tensor&) { return List(1); };
    const CustomOp undefined(
        "undefined", [](const List&) { return Tensor(); }, no_vjp);
    CHECK_THROWS_WITH_AS(undefined(x), ("undefined: the result is an undefined tensor" + at_line()).c_str(),
                         ValueError);
    const CustomOp whole(
        "whole", [](const List&) { return ids({1}); }, no_vjp);
    CHECK_THROWS_WITH_AS(whole(x), ("whole: the result is int64, which has no derivative" + at_line()).c_str(),
                         DtypeError);
    CHECK_THROWS_WITH_AS(cube()(Tensor()), ("cube: operand 0 is an undefined tensor" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(custom_op("half", cube_by_ops, nullptr),
                         "custom_op: half needs a function for the value and one for the cotangents", ValueError);
}

TEST_CASE("custom_op: a wrong vjp is found by the gradient check") {
    const CustomOp wrong("wrong", cube_by_ops, [](const List& in, const Tensor&, const Tensor& ct) {
        return std::vector{scale(mul(ct, in[0]), 3)};
    });
    CHECK_FALSE(gradcheck(wrong, {vector({0.5, 2})}).passed);
}

TEST_CASE("custom_op: the name outlives the op") {
    std::string_view name;
    {
        const std::string built = std::string("op_") + "1";
        name =
            custom_op(built, cube_by_ops, [](const List&, const Tensor&, const Tensor& ct) { return List{ct}; }).name();
    }
    CHECK(name == "op_1");
}

TEST_CASE("custom_op: a followed tensor that the function captures is an error, not a gradient of zero") {
    const Tensor x = tensor({1, 2}), m = tensor({3, 4});
    const CustomOp scaled(
        "scaled", [&](const List& in) { return mul(in[0], m); },
        [&](const List&, const Tensor&, const Tensor& ct) { return std::vector{mul(ct, m)}; });
    CHECK(elements(scaled(x)) == Values{3, 8});
    {
        Tape tape;
        tape.watch(x);
        CHECK(elements(tape.gradient(sum(scaled(x)), x)) == Values{3, 4});  // m is a constant
    }
    Tape tape;
    tape.watch(x);
    tape.watch(m);
    try {
        scaled(x);
        FAIL("the gradient of m would be zero");
    } catch (const TapeError& error) {
        CHECK(std::string(error.what())
                  .starts_with("scaled: the function computes with a followed tensor [2], which is no operand"));
    }
    const CustomOp product(
        "product", [](const List& in) { return mul(in[0], in[1]); },
        [](const List& in, const Tensor&, const Tensor& ct) {
            return std::vector{mul(ct, in[1]), mul(ct, in[0])};
        });
    CHECK(elements(tape.gradient(sum(product(x, m)), m)) == Values{1, 2});
}

TEST_CASE("custom_op: with a jvp it has a place in forward mode") {
    const CustomOp product(
        "product", [](const List& in) { return mul(in[0], in[1]); },
        [](const List& in, const Tensor&, const Tensor& ct) {
            return std::vector{mul(ct, in[1]), mul(ct, in[0])};
        },
        [](const List& in, const Tensor& y, const List& tangents) {
            CHECK(elements(y) == elements(mul(in[0], in[1])));
            return add(mul(tangents[0], in[1]), mul(in[0], tangents[1]));
        });
    const Tensor x = vector({1, 2}), m = vector({3, 4}), v = vector({5, 6}), zero = vector({0, 0});
    const auto of_both = [&](const List& in) { return product(in[0], in[1]); };
    const auto [value, tangent] = jvp(of_both, {x, m}, {v, vector({1, 1})});
    CHECK(elements(value) == Values{3, 8});
    CHECK(elements(tangent) == Values{16, 26});
    CHECK(elements(jvp([&](const Tensor& z) { return product(z, m); }, x, v).tangent) == Values{15, 24});
    // Forward over reverse, and reverse over forward.
    const auto slope = [&](const Tensor& z) {
        return grad([&](const Tensor& y) { return sum(product(product(y, y), y)); }, z);
    };
    CHECK(elements(jvp(slope, x, v).tangent) == Values{30, 72});
    const auto forward = [&](const Tensor& z) {
        return sum(jvp([&](const Tensor& y) { return product(y, y); }, z, v).tangent);
    };
    CHECK(elements(grad(forward, x)) == Values{10, 12});
    // What the tangent follows is captured by nobody.
    const auto behind_an_op = [&](const Tensor& z) {
        return sum(jvp([&](const Tensor& y) { return product(mul(y, y), y); }, z, v).tangent);
    };
    CHECK(elements(grad(behind_an_op, x)) == Values{30, 72});
    const CustomOp still(
        "still", [](const List& in) { return in[0]; },
        [](const List&, const Tensor&, const Tensor& ct) { return std::vector{ct}; },
        [](const List&, const Tensor&, const List&) { return Tensor(); });
    CHECK(elements(jvp([&](const Tensor& z) { return add(still(z), z); }, x, v).tangent) == Values{5, 6});
    const CustomOp wrong(
        "wrong", [](const List& in) { return in[0]; },
        [](const List&, const Tensor&, const Tensor& ct) { return std::vector{ct}; },
        [](const List&, const Tensor&, const List& tangents) { return sum(tangents[0]); });
    CHECK_THROWS_WITH_AS(jvp([&](const Tensor& z) { return wrong(z); }, x, v),
                         doctest::Contains("wrong: the forward rule returned a tangent [] float64 of a result [2]"),
                         ShapeError);
}
