#include <doctest/doctest.h>

#include <wengert/autograd/observe/internal/closing.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

namespace {

/// encoder { exp, layer { tanh } }, then sum outside
void record_two_levels() {
    const Tensor w = parameter("encoder.weight", {3}), v = parameter("encoder.layer.weight", {2, 3});
    Tensor h;
    {
        const Scope encoder("encoder");
        h = compute<"exp">({3}, {&w});
        const Scope layer("layer");
        h = compute<"matmul">({2}, {&v, &h});
        h = compute<"tanh">({2}, {&h});
    }
    compute<"sum">({}, {&h});
}

std::vector<std::string> names(const Drawing& drawing) {
    std::vector<std::string> result;
    for (const Drawing::Vertex& vertex : drawing.vertices) result.push_back(vertex.name);
    return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a closed box is one vertex with what goes in and out, and its totals") {
    Tape tape;
    record_two_levels();
    const Drawing open = draw(tape, {});
    CHECK(depth_of(open) == 2);
    const Drawing closed = close_boxes(open, 1);
    CHECK(names(closed) == Names{"encoder.weight", "exp", "encoder.layer", "sum"});
    const Drawing::Vertex& layer = closed.vertices[2];
    CHECK(layer.kind == Drawing::Kind::closed);
    CHECK(layer.label ==
          "encoder.layer\nin: [3] float32\nout: [2] float32\n1 parameter\n2 nodes, keep 44 bytes for backward");
    CHECK(layer.totals.nodes == 2);
    CHECK(closed.boxes.size() == 1);
    CHECK(layer.box == 0);
    CHECK(closed.arrows.size() == 3);
    const Drawing all_closed = close_boxes(open, 0);
    CHECK(names(all_closed) == Names{"encoder", "sum"});
    CHECK(all_closed.vertices[0].totals.nodes == 3);
    CHECK(all_closed.boxes.empty());
    CHECK(names(close_boxes(open, 2)) == names(open));
    CHECK(names(close_boxes(open, 100)) == names(open));
}

TEST_CASE("arrows between closed boxes are one, and what is not finite is told") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    std::vector<Tensor> parts;
    {
        const Scope scope("a");
        for (int i = 0; i < 3; ++i) parts.push_back(compute<"exp">({3}, {&w}));
    }
    {
        const Scope scope("b");
        compute<"concat">({9}, parts);
    }
    Drawing open = draw(tape, {});
    open.vertices[1].is_finite = false;
    const Drawing closed = close_boxes(open, 0);
    CHECK(closed.arrows.size() == 1);
    CHECK(!closed.vertices[0].is_finite);
    CHECK(closed.vertices[0].label.ends_with("has what is not finite"));
    CHECK(closed.vertices[1].kind == Drawing::Kind::closed_result);
}

TEST_CASE("what stands side by side in great number is parted, with its leaves and in its order") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    for (int i = 0; i < 100; ++i) h = compute<"add">({3}, {&h, &w});
    const Drawing parted = part(draw(tape, {}), 7);
    CHECK(parted.vertices.size() == 200);  // each has its own w
    std::vector<int> inside(parted.boxes.size() + 1);
    for (const Drawing::Box& box : parted.boxes) ++inside[static_cast<std::size_t>(box.parent + 1)];
    for (std::size_t b = 0; b < parted.boxes.size(); ++b) CHECK(parted.boxes[b].parent < static_cast<int>(b));
    for (std::size_t v = 0; v < parted.vertices.size(); ++v)
        if (!Drawing::is_outside(parted.vertices[v].kind)) {
            ++inside[static_cast<std::size_t>(parted.vertices[v].box + 1)];
            CHECK(parted.vertices[v - 1].box == parted.vertices[v].box);
        }
    for (const int count : inside) CHECK(count <= 7);
    CHECK(parted.boxes[0].title == "part 1 of 3");
    CHECK(part(draw(tape, {}), 100).boxes.empty());
    CHECK(part({}, 7).boxes.empty());
}

TEST_CASE("a drawing is closed as far as it must be, and says so") {
    Tape tape;
    record_two_levels();
    const Drawing open = draw(tape, {});
    const Fitted all = fit(open, 6);
    CHECK(all.drawing.vertices.size() == 6);
    CHECK(all.note.empty());
    const Fitted some = fit(open, 5);
    CHECK(names(some.drawing) == Names{"encoder.weight", "exp", "encoder.layer", "sum"});
    CHECK(some.note == "6 ops and operands are too many to show: boxes in 1 others are closed");
    CHECK(names(fit(open, 3).drawing) == Names{"encoder", "sum"});
}

TEST_CASE("a long tape without scopes fits, too") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    for (int i = 0; i < 10'000; ++i) h = compute<"tanh">({3}, {&h});
    const Fitted fitted = fit(draw(tape, {}), 150);
    CHECK(fitted.drawing.vertices.size() <= 150);
    CHECK(fitted.drawing.vertices.size() > 2);
    CHECK(fitted.note.ends_with("and what stands side by side is parted"));
    std::int64_t nodes = 0;
    for (const Drawing::Vertex& vertex : fitted.drawing.vertices) nodes += vertex.totals.nodes;
    CHECK(nodes == 10'000);
}
