#include <doctest/doctest.h>

#include <optional>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("recording: without a tape nothing is recorded and no node is allocated") {
    Tensor w = vector({1, 2});
    w.set_parameter();
    CHECK(Recording::current() == nullptr);
    const std::int64_t before = allocator_statistics().live_bytes;
    const Tensor y = tiny::tanh(mul(w, w));
    const std::int64_t of_result = allocator_statistics().live_bytes - before;
    const Tensor same = y.clone();
    CHECK(allocator_statistics().live_bytes - before == 2 * of_result);
    CHECK(y.state()->recording == 0);
    CHECK(y.state()->node == no_node);
}

TEST_CASE("recording: only ops that lead back to a parameter or a watched tensor become nodes") {
    const Tensor constant = vector({1, 2}), watched = vector({3, 4});
    Tensor parameter = vector({5, 6});
    parameter.set_parameter();
    Tape tape;
    mul(constant, constant);
    CHECK(tape.size() == 0);
    tape.watch(watched);
    CHECK(tape.size() == 1);
    const Tensor a = mul(constant, watched);
    CHECK(tape.size() == 2);
    const Tensor b = mul(parameter, a);  // and the parameter's leaf
    CHECK(tape.size() == 4);
    add(parameter, b);
    CHECK(tape.size() == 5);
    sign(b);
    CHECK(tape.size() == 5);
}

TEST_CASE("recording: a node tells its op, operands, shape, place and line") {
    Tensor w = tensor({1, 2});
    w.set_parameter().set_name("w");
    const Tensor constant = tensor({3, 4});
    Tape tape;
    std::string where;
    {
        const Scope scope("cell");
        const Step step(2);
        mul(w, constant);
        where = at_line(-1);
    }
    const Node& leaf = tape[0];
    CHECK(leaf.name() == "parameter");
    CHECK(leaf.is_leaf());
    CHECK(leaf.uses() == 1);
    CHECK(dynamic_cast<const Leaf&>(leaf).tensor().same_as(w));
    const Node& node = tape[1];
    CHECK(node.name() == "mul");
    CHECK_FALSE(node.is_leaf());
    CHECK(std::vector<NodeId>(node.inputs().begin(), node.inputs().end()) == std::vector<NodeId>{0, no_node});
    CHECK(node.saved().size() == 2);
    CHECK(node.shape() == Shape{2});
    CHECK(node.dtype() == Dtype::float32);
    CHECK(node.uses() == 0);
    CHECK(to_string(node.place()) == "cell, step 2");
    CHECK("\n  at " + to_string(node.where()) == where);
    CHECK_FALSE(node.is_view());
    const Tensor part = slice(w, 0, 1, 2);
    CHECK(tape[tape.find(part)].is_view());
    CHECK(tape[tape.find(part)].interval()->begin == 1);
    CHECK_FALSE(tape[tape.find(expand(slice(w, 0, 0, 1), {3}))].is_view());
}

TEST_CASE("recording: a pause records nothing and its values are constants") {
    Tensor w = vector({2});
    w.set_parameter();
    Tape tape;
    Tensor constant;
    {
        const Pause pause;
        CHECK(Recording::current() == nullptr);
        constant = mul(w, w);
        const Pause again;
    }
    CHECK(Recording::current() != nullptr);
    CHECK(tape.size() == 0);
    CHECK(tape.gradient(mul(w, constant), w).item() == 4);
}

TEST_CASE("recording: a tensor of a tape that has ended is an error with a sentence") {
    const Tensor x = vector({1, 2});
    Tensor y;
    {
        Tape tape;
        tape.watch(x);
        y = mul(x, x);
    }
    const std::string text =
        "mul: an operand [2] was recorded on a tape that has ended or belongs to another thread; pass stop_gradient(x) "
        "to "
        "use its value, or watch(x) to make it an input of this tape\n  in decoder; lhs = \"y\"";
    y.set_name("y");
    CHECK(elements(mul(y, y)) == std::vector<double>{1, 16});  // without a tape there is nothing to follow
    Tape tape;
    const Scope scope("decoder");
    CHECK_THROWS_WITH_AS(mul(y, x), (text + at_line()).c_str(), TapeError);
    CHECK_THROWS_AS(tape.gradient(y, x), TapeError);
    const Tensor value = stop_gradient(y);
    mul(value, value);
    CHECK(tape.size() == 0);
    tape.watch(y);
    CHECK(elements(tape.gradient(sum(mul(y, y)), y)) == std::vector<double>{2, 8});
}

TEST_CASE("recording: an op's error names the scope, the operands that have names, and the line") {
    Tensor w = vector({1, 2, 3});
    w.set_parameter().set_name("cell.weight");
    const Tensor x = vector({1, 2});
    const Scope scope("cell");
    const Step step(1);
    CHECK_THROWS_WITH_AS(
        mul(x, w),
        ("mul: shapes differ: [2] and [3]\n  in cell, step 1; rhs = parameter \"cell.weight\"" + at_line()).c_str(),
        ShapeError);
    CHECK_THROWS_WITH_AS(
        slice(w, 0, 2, 5),
        ("slice: [2, 5) is not within [3]\n  in cell, step 1; operand 0 = parameter \"cell.weight\"" + at_line())
            .c_str(),
        ShapeError);
}

TEST_CASE("recording: operands that are undefined or numbers") {
    CHECK_THROWS_WITH_AS(mul(Tensor(), vector({1})), ("operand: an undefined tensor was given" + at_line()).c_str(),
                         ValueError);
    const Tensor undefined, x = vector({1});
    CHECK_THROWS_WITH_AS(apply(Mul{}, {&x, &undefined}, std::source_location::current()),
                         ("mul: operand 1 is an undefined tensor" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(scale(3.0, 2), ("operand: a number was given where a tensor is needed" + at_line()).c_str(),
                         ValueError);
}

TEST_CASE("recording: anomaly mode stops at the first value that is not finite") {
    Tensor w = vector({1, 10});
    w.set_parameter().set_name("w");
    const DetectAnomalies detect;
    const Scope scope("decoder");
    CHECK_THROWS_WITH_AS(scale(w, 1e308),
                         ("scale: forward produced inf at [1] of the result [2]; operands [2] in [1, 10]\n"
                          "  in decoder; operand 0 = parameter \"w\"" +
                          at_line())
                             .c_str(),
                         NonFiniteError);
    CHECK(scale(w, 2).at({1}) == 20);
    CHECK_THROWS_WITH_AS(scale(vector({3, std::numeric_limits<double>::quiet_NaN(), 5}), 2),
                         doctest::Contains("operands [3] in [3, 5] and nan at [1]"), NonFiniteError);
}

TEST_CASE("recording: anomaly mode stops at the first cotangent that is not finite") {
    const Tensor x = vector({4, 0});
    Tape tape;
    tape.watch(x);
    Tensor y;
    std::string where;
    {
        const Scope scope("decoder");
        y = root(x);
        where = at_line(-1);
    }
    const Tensor loss = sum(scale(y, 3));
    CHECK(std::isinf(tape.gradient(loss, x, {.retain_graph = true}).at({1})));
    const DetectAnomalies detect;
    CHECK_THROWS_WITH_AS(tape.gradient(loss, x),
                         ("root: backward produced inf at [1] of the cotangent [2] of operand 0; saved [2] in [0, 2]\n"
                          "  in decoder" +
                          where)
                             .c_str(),
                         NonFiniteError);
}

TEST_CASE("recording: anomaly mode finds what ops, whole tensors and parts contribute") {
    const Tensor x = vector({1, 2}), large = vector({1e200, 1e200});
    Tape tape;
    tape.watch(x);
    const auto fails_in = [&](const Tensor& y, const Tensor& cotangent, const std::string& op) {
        const DetectAnomalies detect;
        try {
            tape.gradient(y, x, {.cotangent = cotangent});
            FAIL("no error");
        } catch (const NonFiniteError& error) {
            CHECK(error.op() == op);
            CHECK(std::string(error.what()).find(": backward produced inf at [0] of the cotangent") !=
                  std::string::npos);
        }
    };
    fails_in(mul(x, large), large, "mul");
    fails_in(add(x, x), vector({1.5e308, 1}), "add");
    fails_in(add(slice(concat(x, x), 0, 0, 2), slice(concat(x, x), 0, 2, 4)), vector({1.5e308, 1}), "concat");
    const Tensor part = slice(x, 0, 0, 1);
    fails_in(mul(part, slice(large, 0, 0, 1)), slice(large, 0, 0, 1), "mul");
}

TEST_CASE("recording: anomaly mode does not mistake what is not set yet for a value") {
    const Tensor x = vector({1, 2, 3, 4});
    Tape tape;
    tape.watch(x);
    const DetectAnomalies detect;
    const Tensor a = slice(x, 0, 0, 1), b = slice(x, 0, 3, 4);
    CHECK(elements(tape.gradient(mul(a, b), x)) == std::vector<double>{4, 0, 0, 1});
}

TEST_CASE("recording: anomaly mode ends with its block") {
    CHECK_FALSE(detecting_anomalies());
    {
        const DetectAnomalies detect;
        { const DetectAnomalies again; }
        CHECK(detecting_anomalies());
    }
    CHECK_FALSE(detecting_anomalies());
}
