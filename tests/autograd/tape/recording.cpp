#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>
#include <wengert/autograd/observe/memory.hpp>
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
        "mul: an operand [2] was recorded on a tape that has ended; pass stop_gradient(x) to "
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

namespace {

/// Its forward() calls public ops.
struct Composite {
    static constexpr std::string_view name = "composite";
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        CHECK(Recording::current() == nullptr);
        write(transpose(scale(transpose(in[0]), 3)), out);
    }
    void vjp(Backward& back) const { back.add(0, scale(back.cotangent(), 3)); }
};

/// Keeps the derivative by each operand that a tape follows: 3 for the first, 5 for the second.
struct Prepared {
    static constexpr std::string_view name = "prepared";
    static constexpr Saves saves = Saves::output;
    static constexpr std::size_t workspace = 2;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out, const Workspace& workspace) const {
        write(scale(in[0], 3), out);
        write(scale(in[1], 5), {out.tensor, true});
        for (std::size_t i = 0; i < 2; ++i)
            if (workspace.follows(i)) workspace.tensors[i] = full(in[i].shape(), i == 0 ? 3 : 5, Dtype::float64);
    }
    void vjp(Backward& back) const {
        CHECK(back.saved(0).defined());
        CHECK_THROWS_AS(back.saved(1), ValueError);
        CHECK_THROWS_AS(back.workspace(2), ValueError);
        for (std::size_t i = 0; i < 2; ++i)
            if (back.needs(i)) back.add(i, mul(back.take_workspace(i), back.cotangent()));
    }
};
Tensor prepared(const Tensor& a, const Tensor& b) { return apply(Prepared{}, {&a, &b}, SourceLine()); }

struct Failing {
    static constexpr std::string_view name = "failing";
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs&, const Destination&) const { throw ValueError("no"); }
};

}  // namespace

TEST_CASE("recording: an op is one node, whatever its forward calls") {
    const Tensor x = matrix({1, 2, 3, 4}, 2);
    Tape tape;
    tape.watch(x);
    const Tensor y = transpose(x);
    const NodeId before = tape.size();
    const Tensor z = apply(Composite{}, {&y}, SourceLine());
    CHECK(tape.size() == before + 1);
    CHECK(tape[tape.find(y)].uses() == 1);
    CHECK(elements(tape.gradient(sum(z), x)) == std::vector<double>{3, 3, 3, 3});
    CHECK_THROWS_AS(apply(Failing{}, {&y}, SourceLine()), ValueError);
    CHECK(Recording::current() != nullptr);
}

TEST_CASE("recording: what is written by its own handle is a constant from then on") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    Tensor y = scale(x, 2);
    y.mutable_data<double>()[0] = 5;
    CHECK(tape.find(y) == no_node);
    CHECK(elements(tape.gradient(sum(add(mul(y, y), x)), x)) == std::vector<double>{1, 1});
}

TEST_CASE("recording: a write through a view, or to what a view shows, is an error at the next use") {
    const Tensor x = vector({1, 2, 3});
    Tape tape;
    tape.watch(x);
    Tensor y = scale(x, 2).set_name("y"), part = slice(y, 0, 0, 2);
    const std::string text =
        " was overwritten after it was recorded, in a view of it or in what it is a view of; to make it a constant, "
        "overwrite it by its own handle, and to use its value, pass stop_gradient(x)";
    SUBCASE("fill") { y.detached().fill(0); }
    SUBCASE("copy_from") { y.detached().copy_from(x); }
    SUBCASE("mutable_data") { y.detached().mutable_data<double>()[0] = 1; }
    SUBCASE("the free fill") { fill(y.detached(), 0); }
    SUBCASE("the free write") { write(x, {y.detached()}); }
    SUBCASE("the base") {
        y.fill(0);
        CHECK(tape.find(y) == no_node);
        CHECK_THROWS_WITH_AS(scale(part, 2), doctest::Contains(("a tensor \"y\" [2]" + text).c_str()), TapeError);
        return;
    }
    SUBCASE("a part") {
        part.fill(0);
        CHECK(tape.find(part) == no_node);
    }
    CHECK_THROWS_WITH_AS(scale(y, 2), doctest::Contains(("a tensor \"y\" [3]" + text).c_str()), TapeError);
    CHECK_THROWS_AS(tape.gradient(y, x, {.cotangent = x}), TapeError);
    mul(stop_gradient(y), x);
}

TEST_CASE("recording: a node keeps its op's workspace, which is made for what a tape follows") {
    const Tensor x = vector({1, 2}), y = vector({3, 4});
    CHECK(elements(prepared(x, y)) == std::vector<double>{18, 26});
    Tape tape;
    CHECK(elements(prepared(x, y)) == std::vector<double>{18, 26});
    CHECK(tape.size() == 0);
    tape.watch(y);
    const Tensor z = prepared(x, y);
    const Node& node = tape[tape.find(z)];
    REQUIRE(node.workspace().size() == 2);
    CHECK_FALSE(node.workspace()[0].tensor.defined());
    CHECK(node.saved().size() == 1);
    CHECK(saved_bytes(tape) == 2 * 2 * 8);
    const Tensor total = sum(z);
    CHECK(elements(tape.gradient(total, y, {.retain_graph = true})) == std::vector<double>{5, 5});
    CHECK(elements(tape.gradient(total, y)) == std::vector<double>{5, 5});
    CHECK(saved_bytes(tape) == 0);
    CHECK_THROWS_AS(tape.gradient(total, y), TapeError);
}
