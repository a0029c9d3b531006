// Covers autograd/observe/picture_file.hpp
// Covers autograd/observe/svg.hpp
#include <doctest/doctest.h>

#include <sstream>
#include <wengert/autograd/observe/internal/drawing.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

namespace {

using Kind = Drawing::Kind;

struct Lines : std::vector<std::string> {
    using std::vector<std::string>::vector;
    friend std::ostream& operator<<(std::ostream& stream, const Lines& lines) {
        for (const std::string& line : lines) stream << '\n' << line;
        return stream;
    }
};

/// The text without " float32".
std::string without_usual(std::string text) {
    constexpr std::string_view usual = " float32";
    if (const std::size_t at = text.find(usual); at != text.npos) text.erase(at, usual.size());
    return text;
}

/// "kind label" of each vertex, its lines parted by " / ", without what the node keeps, its line and " float32".
Lines describe_vertices(const Drawing& drawing) {
    Lines lines;
    for (const Drawing::Vertex& vertex : drawing.vertices) {
        std::string line;
        switch (vertex.kind) {
            case Kind::parameter:
                line = "parameter ";
                break;
            case Kind::input:
                line = "input ";
                break;
            case Kind::constant:
                line = "constant ";
                break;
            case Kind::view:
                line = "view ";
                break;
            case Kind::op:
                line = "op ";
                break;
            case Kind::result:
                line = "result ";
                break;
            case Kind::closed:
            case Kind::closed_result:
            case Kind::rule:
            case Kind::gradient:
                line = "of another file ";
                break;
        }
        std::istringstream label(vertex.label);
        const char* between = "";
        for (std::string part; std::getline(label, part); between = " / ")
            if (!part.starts_with("keeps") && part.find(".cpp:") == part.npos) line += between + without_usual(part);
        lines.push_back(line);
    }
    return lines;
}

/// "from -> to" of each arrow by number, "from => to" if it is carried, then its label.
Lines describe_arrows(const Drawing& drawing) {
    Lines lines;
    for (const Drawing::Arrow& arrow : drawing.arrows)
        lines.push_back(std::to_string(arrow.from) + (arrow.is_carried ? " => " : " -> ") + std::to_string(arrow.to) +
                        (arrow.label.empty() ? "" : " " + arrow.label));
    return lines;
}

/// "title < title of parent < ..." of each box.
Lines describe_boxes(const Drawing& drawing) {
    Lines lines;
    for (const Drawing::Box& box : drawing.boxes) {
        std::string line = box.title;
        for (int parent = box.parent; parent >= 0; parent = drawing.boxes[static_cast<std::size_t>(parent)].parent)
            line += " < " + drawing.boxes[static_cast<std::size_t>(parent)].title;
        lines.push_back(line);
    }
    return lines;
}

/// h = tanh(matmul(h, weight)), `steps` times; all states.
std::vector<Tensor> run_cell(const Tensor& weight, Tensor h, int steps) {
    std::vector<Tensor> states;
    for (int t = 0; t < steps; ++t) {
        const Step step(t);
        const Tensor product = compute<"matmul">({2, 3}, {&h, &weight});
        states.push_back(h = compute<"tanh">({2, 3}, {&product}));
    }
    return states;
}

}  // namespace

TEST_CASE("what is in no step is drawn as it is") {
    const Tensor w = parameter("w", {2, 3});
    Tape tape;
    Tensor x = w;
    for (int i = 0; i < 3; ++i) x = compute<"tanh">({2, 3}, {&x});
    const Drawing drawing = draw(tape, {});
    CHECK(describe_vertices(drawing) ==
          Lines{"parameter w / [2, 3]", "op tanh / [2, 3]", "op tanh / [2, 3]", "result tanh / [2, 3]"});
    CHECK(describe_arrows(drawing) == Lines{"0 -> 1", "1 -> 2", "2 -> 3"});
    CHECK(drawing.boxes.empty());
}

TEST_CASE("an empty tape is an empty drawing") {
    const Tape tape;
    CHECK(draw(tape, {}).vertices.empty());
}

TEST_CASE("a dtype is shown unless it is float32") {
    const Tensor w = parameter("w", {}, Dtype::float64);
    Tape tape;
    compute<"exp">({4}, {&w});
    CHECK(describe_vertices(draw(tape, {})) == Lines{"parameter w / [] float64", "result exp / [4] float64"});
}

TEST_CASE("a parameter stands beside each of its users, once") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    const Tensor x = compute<"mul">({3}, {&w, &w});
    compute<"add">({3}, {&x, &w});
    const Drawing drawing = draw(tape, {});
    CHECK(describe_vertices(drawing) ==
          Lines{"parameter w / [3]", "op mul / [3]", "parameter w / [3]", "result add / [3]"});
    CHECK(describe_arrows(drawing) == Lines{"0 -> 1", "2 -> 3", "1 -> 3"});
}

TEST_CASE("a watched tensor is an input, drawn even if nothing uses it") {
    Tensor x = zeros({3}), y = zeros({4});
    x.set_name("x");
    Tape tape;
    tape.watch(x);
    tape.watch(y);
    compute<"exp">({3}, {&x});
    CHECK(describe_vertices(draw(tape, {})) == Lines{"input x / [3]", "result exp / [3]", "input input / [4]"});
}

TEST_CASE("constants that their user keeps are drawn beside it, numbers and what is not recorded are not") {
    const Tensor w = parameter("w", {3}), ids = zeros({3}, Dtype::int64), number = zeros({});
    Tensor mask = zeros({3});
    mask.set_name("mask");
    Tape tape;
    compute<"exp">({3}, {&mask});
    const Tensor sum = compute<"add">({3}, {&w, &mask, &ids, &number});
    look<"slice">({2}, sum);
    const Drawing drawing = draw(tape, {});
    CHECK(describe_vertices(drawing) == Lines{"parameter w / [3]", "constant mask / [3]",
                                              "constant constant / [3] int64", "op add / [3]", "result slice [2]"});
    CHECK(drawing.arrows[1].is_saved);
    CHECK(!drawing.arrows.back().is_saved);
}

TEST_CASE("steps fold into one, which hands its state to itself") {
    const Tensor w = parameter("gru.weight", {3, 3});
    Tape tape;
    const Scope scope("gru");
    const std::vector<Tensor> states = run_cell(w, zeros({2, 3}), 5);
    const Tensor last = compute<"sum">({}, {&states.back()});

    const Drawing drawing = draw(tape, {});
    CHECK(describe_vertices(drawing) == Lines{"constant constant / [2, 3]", "parameter weight / [3, 3]",
                                              "op matmul / [2, 3]", "op tanh / [2, 3]", "result sum / []"});
    CHECK(describe_arrows(drawing) ==
          Lines{"0 -> 2 first step", "1 -> 2", "2 -> 3", "3 => 2 next step", "3 -> 4 last step"});
    CHECK(describe_boxes(drawing) == Lines{"gru", "step 0..4, ×5 < gru"});
    CHECK(drawing.boxes[1].is_repeated);
    CHECK(!drawing.boxes[0].is_repeated);
    CHECK(drawing.vertices[3].box == 1);
    CHECK(drawing.vertices[4].box == 0);
}

TEST_CASE("the first steps can be drawn one by one") {
    const Tensor w = parameter("w", {3, 3});
    Tape tape;
    const std::vector<Tensor> states = run_cell(w, zeros({2, 3}), 5);
    compute<"stack">({5, 2, 3}, states);

    const Drawing drawing = draw(tape, {.unfold = 2});
    CHECK(describe_boxes(drawing) == Lines{"step 0", "step 1", "step 2..4, ×3"});
    CHECK(drawing.vertices.size() == 3 * 3 + 2);
    CHECK(describe_arrows(drawing) == Lines{"0 -> 2", "1 -> 2", "4 -> 5", "7 -> 8", "2 -> 3", "3 => 5 next step",
                                            "3 -> 10", "5 -> 6", "6 => 8 next step", "6 -> 10", "8 -> 9",
                                            "9 => 8 next step", "9 -> 10"});
    CHECK(draw(tape, {.unfold = 5}).vertices.size() == 5 * 3 + 2);
    CHECK(describe_arrows(draw(tape, {.unfold = 100})) == describe_arrows(draw(tape, {.unfold = 5})));
}

TEST_CASE("steps that run backwards fold, and unfold in the order in which they ran") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = zeros({3});
    for (int t = 3; t >= 0; --t) {
        const Step step(t);
        h = compute<"add">({3}, {&h, &w});
    }
    CHECK(describe_arrows(draw(tape, {})) == Lines{"0 -> 2 first step", "1 -> 2", "2 => 2 next step"});
    CHECK(describe_boxes(draw(tape, {.unfold = 1})) == Lines{"step 3", "step 2..0, ×3"});
    CHECK(describe_arrows(draw(tape, {.unfold = 1})) ==
          Lines{"0 -> 2", "1 -> 2", "3 -> 4", "2 => 4 next step", "4 => 4 next step"});
}

TEST_CASE("a step that lacks an op folds with the others") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    for (int t = 0; t < 4; ++t) {
        const Step step(t);
        const Tensor next = compute<"tanh">({3}, {&h});
        h = t == 0 ? next : compute<"select">({3}, {&next, &h});
    }
    const Drawing drawing = draw(tape, {});
    CHECK(describe_vertices(drawing) ==
          Lines{"parameter w / [3]", "op tanh / [3]", "result select / [3] / in 3 of 4 steps"});
    CHECK(describe_arrows(drawing) ==
          Lines{"0 -> 1 first step", "1 => 1 next step", "1 -> 2", "1 => 2", "2 => 1 next step", "2 => 2"});
}

TEST_CASE("a state that is used late in the next step is carried") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    for (int t = 0; t < 3; ++t) {
        const Step step(t);
        const Tensor next = compute<"tanh">({3}, {&w});
        compute<"output">({3}, {&h});
        h = next;
    }
    CHECK(describe_arrows(draw(tape, {})) == Lines{"0 -> 1", "2 -> 3 first step", "1 => 3 next step"});
}

TEST_CASE("a value that all later steps use says so") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    std::vector<Tensor> states{w};
    for (int t = 0; t < 4; ++t) {
        const Step step(t);
        states.push_back(compute<"concat">({3}, states));
    }
    CHECK(describe_arrows(draw(tape, {})) == Lines{"0 -> 1", "1 => 1 later steps"});
}

TEST_CASE("what one repetition hands to the next one goes from its last step to the first") {
    const Tensor w = parameter("w", {3, 3});
    Tape tape;
    Tensor h = zeros({2, 3});
    for (const char* const name : {"encoder", "decoder"}) {
        const Scope scope(name);
        h = run_cell(w, h, 3).back();
    }
    const Drawing drawing = draw(tape, {});
    CHECK(describe_boxes(drawing) == Lines{"encoder, step 0..2, ×3", "decoder, step 0..2, ×3"});
    CHECK(describe_arrows(drawing) == Lines{"0 -> 2 first step", "1 -> 2", "4 -> 5", "2 -> 3", "3 => 2 next step",
                                            "3 -> 5 last to first step", "5 -> 6", "6 => 5 next step"});
}

TEST_CASE("two runs of one scope are two") {
    const Tensor w = parameter("w", {3, 3});
    Tape tape;
    const Scope scope("encoder");
    const Tensor a = run_cell(w, zeros({2, 3}), 3).back(), b = run_cell(w, zeros({2, 3}), 2).back();
    CHECK(describe_vertices(draw(tape, {})) ==
          Lines{"constant constant / [2, 3]", "parameter w / [3, 3]", "op matmul / [2, 3]", "result tanh / [2, 3]",
                "constant constant / [2, 3]", "parameter w / [3, 3]", "op matmul / [2, 3]", "result tanh / [2, 3]"});
    CHECK(describe_boxes(draw(tape, {})) == Lines{"encoder", "step 0..2, ×3 < encoder", "step 0..1, ×2 < encoder"});
}

TEST_CASE("the ops of one step stay apart, though they come from one line") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    for (int t = 0; t < 3; ++t) {
        const Step step(t);
        for (int k = 0; k < 2; ++k) h = compute<"tanh">({3}, {&h});
    }
    CHECK(describe_arrows(draw(tape, {})) == Lines{"0 -> 1 first step", "1 -> 2", "2 => 1 next step"});
}

TEST_CASE("slices that one line takes from one value are one") {
    const Tensor w = parameter("w", {6, 3});
    Tape tape;
    std::vector<Tensor> rows;
    for (int i = 0; i < 6; ++i) rows.push_back(look<"slice">({3}, w));
    Tensor h = zeros({3});
    for (int t = 0; t < 6; ++t) {
        const Step step(t);
        const Tensor sum = compute<"add">({3}, {&rows[static_cast<std::size_t>(t)], &h});
        std::vector<Tensor> gates;
        for (int g = 0; g < 3; ++g) gates.push_back(look<"slice">({1}, sum));
        h = compute<"blend">({3}, gates);
    }
    const Drawing drawing = draw(tape, {});
    CHECK(describe_vertices(drawing) == Lines{"parameter w / [6, 3]", "view slice ×6 [3]", "constant constant / [3]",
                                              "op add / [3]", "view slice ×3 [1]", "result blend / [3]"});
    CHECK(describe_arrows(drawing) ==
          Lines{"0 -> 1", "2 -> 3 first step", "1 -> 3", "3 -> 4", "4 -> 5", "5 => 3 next step"});
}

TEST_CASE("slices of which some are used are no result") {
    const Tensor w = parameter("w", {6});
    Tape tape;
    std::vector<Tensor> parts;
    for (int i = 0; i < 2; ++i) parts.push_back(look<"slice">({3}, w));
    compute<"exp">({3}, {&parts[0]});
    CHECK(describe_vertices(draw(tape, {})) == Lines{"parameter w / [6]", "view slice ×2 [3]", "result exp / [3]"});
}

TEST_CASE("shapes that differ between steps show their range") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    for (int t = 0; t < 4; ++t) {
        const Step step(t);
        compute<"outer">({8 - t, 3}, {&w});
    }
    CHECK(describe_vertices(draw(tape, {})) == Lines{"parameter w / [3]", "result outer / [5..8, 3]"});
}

TEST_CASE("inputs that differ between steps are one") {
    Tape tape;
    std::vector<Tensor> inputs;
    for (int t = 0; t < 4; ++t) {
        const Step step(t);
        inputs.push_back(zeros({2}));
        tape.watch(inputs.back());
        compute<"exp">({2}, {&inputs.back()});
    }
    CHECK(describe_vertices(draw(tape, {})) == Lines{"input inputs ×4 / [2]", "result exp / [2]"});
}

TEST_CASE("boxes nest as scopes do, and those that would hold one box only are left out") {
    const Tensor a = parameter("encoder.gru.weight_l0", {2}), b = parameter("other.weight", {2});
    Tape tape;
    const Scope encoder("encoder");
    compute<"exp">({2}, {&a});
    const Scope gru("gru"), layer("l0");
    compute<"exp">({2}, {&a, &b});
    const Drawing drawing = draw(tape, {});
    CHECK(describe_boxes(drawing) == Lines{"encoder", "encoder.gru.l0 < encoder"});
    CHECK(describe_vertices(drawing) == Lines{"parameter gru.weight_l0 / [2]", "result exp / [2]",
                                              "parameter weight_l0 / [2]", "parameter other.weight / [2]",
                                              "result exp / [2]"});
    CHECK(drawing.vertices[3].box == 1);
}

TEST_CASE("a long repetition folds to few vertices") {
    const Tensor w = parameter("w", {3, 3});
    Tape tape;
    run_cell(w, zeros({2, 3}), 5000);
    CHECK(tape.size() == 10001);
    CHECK(draw(tape, {}).vertices.size() == 4);
    CHECK(draw(tape, {.unfold = 2}).vertices.size() == 10);
}

TEST_CASE("a scope that is entered twice is two boxes, and no arrow of a straight program leads up") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor x = w;
    {
        const Scope block("block");
        for (const char* const name : {"norm", "attention", "norm", "feed_forward"}) {
            const Scope part(name);
            x = compute<"add">({3}, {&x, &w});
            x = compute<"mul">({3}, {&x, &w});
        }
    }
    const Drawing drawing = draw(tape, {});
    CHECK(describe_boxes(drawing) == Lines{"block", "block.norm < block", "block.attention < block",
                                           "block.norm < block", "block.feed_forward < block"});
    for (const Drawing::Arrow& arrow : drawing.arrows) CHECK(arrow.from < arrow.to);
    CHECK(drawing.boxes[0].totals.nodes == 8);
    CHECK(drawing.boxes[3].totals.nodes == 2);
}
