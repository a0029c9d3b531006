#include <doctest/doctest.h>

#include <cmath>
#include <wengert/autograd/observe/internal/drawing.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

namespace {

/// An op whose elements are all the same.
struct ConstantOp {
    static constexpr std::string_view name = "constant";
    double element;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs&, const Destination& out) const { fill(out.tensor, element); }
    void vjp(Backward&) const {}
};

}  // namespace

TEST_CASE("the detail tells names in full, the place, the line and what is kept") {
    const Tensor w = parameter("encoder.weight", {16, 25});
    Tape tape;
    {
        const Scope scope("encoder");
        for (int t = 0; t < 3; ++t) {
            const Step step(t);
            compute<"exp">({16, 25}, {&w});
        }
    }
    const Tensor last = compute<"sum">({}, {&w});
    const Drawing drawing = draw(tape, {});
    const std::string where = to_string(tape[1].where());
    CHECK(where.ends_with("tests/autograd/observe/internal/drawing_facts.cpp:" + std::to_string(tape[1].where().line)));
    CHECK(drawing.vertices[0].detail == "parameter encoder.weight\n[16, 25] float32");
    CHECK(drawing.vertices[1].detail ==
          "exp [16, 25] float32\nencoder, steps 0 to 2\n3 nodes\n" + where + "\nkeeps 1.6 kB for backward");
    tape.gradient(last, w);
    CHECK(draw(tape, {}).vertices[3].detail.ends_with("has released what backward needed"));
}

TEST_CASE("a vertex says its bytes, its line and, if somebody measured, its milliseconds") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    {
        const NodeProfile profile;
        const Tensor x = compute<"exp">({3}, {&w});
        const std::string line = "drawing_facts.cpp:" + std::to_string(tape[1].where().line);
        CHECK(draw(tape, {}).vertices[1].label == "exp\n[3] float32\nkeeps 12 bytes\n" + line);
        const std::string timed = draw(tape, {.profile = &profile}).vertices[1].label;
        CHECK(timed.starts_with("exp\n[3] float32\nkeeps 12 bytes\n0.0"));
        CHECK(timed.ends_with(" ms\n" + line));
    }
    CHECK(draw(tape, {}).totals.bytes == 12);
}

TEST_CASE("a NaN is told of leaves, of what is kept, and by a profile of all") {
    const Tensor w = parameter("w", {3});
    fill(w, std::nan(""));
    Tape tape;
    const NodeProfile profile;
    const Tensor kept = apply(ConstantOp{std::nan("")}, {&w}, {}), unkept = apply(ConstantOp{std::nan("")}, {&w}, {});
    compute<"sum">({}, {&kept});
    const Drawing drawing = draw(tape, {}), profiled = draw(tape, {.profile = &profile});
    // w, kept, w, unkept, sum
    CHECK(drawing.vertices[0].label.ends_with("has nan"));
    CHECK(drawing.vertices[1].label.ends_with("has nan"));
    CHECK(drawing.vertices[1].detail.ends_with("has nan"));
    CHECK(!drawing.vertices[1].is_finite);
    CHECK(drawing.vertices[3].is_finite);
    CHECK(!profiled.vertices[3].is_finite);
    CHECK(profiled.vertices[4].is_finite);
    fill(w, 0);
    CHECK(draw(tape, {}).vertices[0].is_finite);
}

TEST_CASE("an infinity is told of the op that makes it, not of those that hand it on") {
    const Tensor w = parameter("w", {3}), infinite = parameter("infinite", {3});
    fill(infinite, INFINITY);
    Tape tape;
    const NodeProfile profile;
    const Tensor x = apply(ConstantOp{-INFINITY}, {&w}, {}), y = apply(ConstantOp{-INFINITY}, {&x}, {});
    apply(ConstantOp{std::nan("")}, {&infinite}, {});
    const Drawing drawing = draw(tape, {.profile = &profile});
    CHECK(drawing.vertices[1].label.ends_with("has -inf"));
    CHECK(drawing.vertices[2].is_finite);
    CHECK(drawing.vertices[3].label.ends_with("has inf"));  // the leaf
    CHECK(drawing.vertices[4].label.ends_with("has nan"));
}
