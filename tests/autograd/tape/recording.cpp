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
