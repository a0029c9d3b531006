#include <doctest/doctest.h>

#include <wengert/autograd/observe/internal/calls.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

namespace {

/// "path" or "path, step 3" of each call, indented by its depth, in the order in which they began.
std::vector<std::string> outline(const Calls& calls) {
    std::vector<std::string> lines;
    for (int c = 0; c < calls.size(); ++c) {
        std::string line;
        for (int parent = calls[c].parent; parent != Calls::none; parent = calls[parent].parent) line += "  ";
        line += calls[c].is_step() ? "step " + std::to_string(calls[c].step) : calls[c].path;
        lines.push_back(line);
    }
    return lines;
}

using Outline = std::vector<std::string>;

Tensor act(const Tensor& x) { return compute<"tanh">({3}, {&x}); }
Tensor act_in(const std::string& name, const Tensor& x) {
    const Scope scope(name);
    return act(x);
}

}  // namespace

TEST_CASE("a scope that is entered twice is two calls") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    const Scope block("block");
    const Tensor a = act_in("norm", w), b = act_in("attention", a), c = act_in("norm", b);
    const Calls calls(tape);
    CHECK(outline(calls) == Outline{"block", "  block.norm", "  block.attention", "  block.norm"});
    CHECK(calls.of(tape.find(w)) == Calls::none);
    CHECK(calls.of(tape.find(a)) == 1);
    CHECK(calls.of(tape.find(c)) == 3);
}

TEST_CASE("calls that follow each other without an op between are one, as calls.hpp says") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    act_in("norm", act_in("norm", w));
    CHECK(outline(Calls(tape)) == Outline{"norm"});
}

TEST_CASE("steps stand in the scope that all of them share, and their scopes inside of them") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    const Scope decoder("decoder");
    Tensor h = w;
    for (int t = 0; t < 2; ++t) {
        const Step step(t);
        h = act_in("cell", act_in("attention", h));
    }
    act(h);
    CHECK(outline(Calls(tape)) == Outline{"decoder", "  step 0", "    decoder.attention", "    decoder.cell",
                                          "  step 1", "    decoder.attention", "    decoder.cell"});
}

TEST_CASE("steps outside of all scopes stand by themselves") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    for (int t = 0; t < 2; ++t) {
        const Step step(t);
        t == 0 ? act_in("a", w) : act_in("b", w);
    }
    CHECK(outline(Calls(tape)) == Outline{"step 0", "  a", "step 1", "  b"});
}

TEST_CASE("a loop ends where an earlier step comes again") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    std::vector<NodeId> ids;
    for (const int t : {0, 1, 0, 1}) {
        const Step step(t);
        ids.push_back(tape.find(h = act(h)));
    }
    const Calls calls(tape);
    CHECK(calls.size() == 4);
    CHECK(calls.same_loop(ids[0], ids[1]));
    CHECK(!calls.same_loop(ids[1], ids[2]));
    CHECK(calls.same_loop(ids[2], ids[3]));
}

TEST_CASE("an op between two steps does not end the loop, another scope's steps do") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor h = w;
    std::vector<NodeId> ids;
    for (int t = 0; t < 2; ++t) {
        {
            const Step step(t);
            ids.push_back(tape.find(h = act(h)));
        }
        act(h);
    }
    {
        const Scope other("other");
        const Step step(2);
        ids.push_back(tape.find(act(h)));
    }
    const Calls calls(tape);
    CHECK(calls.same_loop(ids[0], ids[1]));
    CHECK(!calls.same_loop(ids[1], ids[2]));
    CHECK(!calls.same_loop(tape.find(w), tape.find(w)));
}

TEST_CASE("an empty tape has no calls") {
    const Tape tape;
    CHECK(Calls(tape).size() == 0);
}
