#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/autograd/observe/internal/mirror.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

namespace {

using Kind = Drawing::Kind;

int find_named(const Drawing& drawing, const std::string& name) {
    const auto found = std::ranges::find(drawing.vertices, name, &Drawing::Vertex::name);
    REQUIRE(found != drawing.vertices.end());
    return static_cast<int>(found - drawing.vertices.begin());
}

bool leads(const Drawing& drawing, const std::string& from, const std::string& to) {
    const int a = find_named(drawing, from), b = find_named(drawing, to);
    return std::ranges::any_of(drawing.arrows,
                               [&](const Drawing::Arrow& arrow) { return arrow.from == a && arrow.to == b; });
}

}  // namespace

TEST_CASE("each op on a way to the result has a rule, and cotangents go the other way") {
    const Tensor w = parameter("w", {2, 3});
    Tensor x = zeros({3});
    x.set_name("x");
    Tape tape;
    tape.watch(x);
    Tensor loss;
    {
        const Scope layer("layer");
        const Tensor product = compute<"matmul">({2}, {&w, &x});
        loss = compute<"sum">({}, {&product});
        compute<"unused">({2}, {&product});
    }
    Drawing drawing = draw(tape, {});
    const std::size_t forward = drawing.vertices.size();
    add_backward(drawing, tape.find(loss));
    CHECK(drawing.vertices.size() == forward + 4);  // two rules, two gradients
    CHECK(leads(drawing, "rule of sum", "rule of matmul"));
    CHECK(leads(drawing, "rule of matmul", "gradient of w"));
    CHECK(leads(drawing, "rule of matmul", "gradient of x"));
    CHECK(!leads(drawing, "rule of matmul", "rule of sum"));
    CHECK(leads(drawing, "matmul", "rule of matmul"));  // which reads what the op keeps
    const Drawing::Vertex& rule = drawing.vertices[static_cast<std::size_t>(find_named(drawing, "rule of matmul"))];
    CHECK(rule.kind == Kind::rule);
    CHECK(rule.label == "rule of matmul\ncotangent [2] float32");
    CHECK(drawing.boxes[static_cast<std::size_t>(rule.box)].title == "backward of layer");
    CHECK(std::ranges::find(drawing.vertices, "rule of unused", &Drawing::Vertex::name) == drawing.vertices.end());
}

TEST_CASE("a folded recurrence hands its cotangents back through the steps, and a shared weight has one gradient") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    for (int t = 0; t < 3; ++t) {
        const Step step(t);
        h = compute<"mul">({3}, {&h, &w});
    }
    const Tensor loss = compute<"sum">({}, {&h});
    Drawing drawing = draw(tape, {});
    add_backward(drawing, tape.find(loss));
    CHECK(leads(drawing, "rule of mul", "rule of mul"));
    CHECK(std::ranges::count(drawing.vertices, Kind::gradient, &Drawing::Vertex::kind) == 1);
}

TEST_CASE("time that rules took is theirs in the mirror") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    const Tensor loss = compute<"sum">({}, {&w});
    Drawing drawing = draw(tape, {});
    drawing.vertices[1].totals = {1, 12, 0.5, 0.25};
    add_backward(drawing, tape.find(loss));
    CHECK(drawing.vertices[1].totals.backward_seconds == 0);
    CHECK(drawing.vertices[1].totals.forward_seconds == 0.5);
    CHECK(drawing.vertices[2].totals.backward_seconds == 0.25);
    CHECK(drawing.vertices[2].label.ends_with("250.000 ms"));
}
