// Covers autograd/observe/node_text.hpp
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <thread>
#include <wengert/autograd/observe/node_profile.hpp>
#include <wengert/autograd/tape/internal/running_rule.hpp>

#include "autograd/named_op.hpp"
#include "autograd/tiny_ops.hpp"

using namespace sketch;

namespace {

constexpr auto pause_forward = std::chrono::milliseconds(20), pause_backward = std::chrono::milliseconds(40);

/// An op that sleeps, and makes one element what it is told.
struct SleepyOp {
    static constexpr std::string_view name = "sleepy";
    static constexpr Saves saves = Saves::nothing;
    double element = 0;

    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs&, const Destination& out) const {
        std::this_thread::sleep_for(pause_forward);
        fill(out.tensor, element);
    }
    void vjp(Backward& back) const {
        std::this_thread::sleep_for(pause_backward);
        back.add(0, back.cotangent());
    }
};

double in_seconds(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

TEST_CASE("each node has its own time, forward and backward") {
    const Tensor w = parameter("w", {});
    Tape tape;
    const NodeProfile profile;
    const Tensor a = apply(SleepyOp{}, {&w}, {}), b = compute<"quick">({}, {&a}), c = apply(SleepyOp{}, {&a}, {});
    tape.gradient(c, w, {.retain_graph = true});
    const std::vector<NodeCost> costs = profile.costs(tape);
    REQUIRE(costs.size() == 4);
    const auto of = [&](const Tensor& x) { return costs[static_cast<std::size_t>(tape.find(x))]; };
    CHECK(of(w).forward_seconds == 0);
    CHECK(of(b).backward_seconds == 0);
    CHECK(of(b).forward_seconds < in_seconds(pause_forward));
    for (const Tensor& x : {a, c}) {
        CHECK(of(x).forward_seconds >= in_seconds(pause_forward));
        CHECK(of(x).backward_seconds >= in_seconds(pause_backward));
        CHECK(of(x).backward_seconds < 10 * in_seconds(pause_backward));
    }
}

TEST_CASE("what was recorded or ran while the profile did not live costs nothing") {
    const Tensor w = parameter("w", {});
    Tape tape;
    const Tensor a = apply(SleepyOp{}, {&w}, {});
    const NodeProfile profile;
    const Tensor b = apply(SleepyOp{}, {&a}, {});
    const std::vector<NodeCost> costs = profile.costs(tape);
    CHECK(costs[1].forward_seconds == 0);
    CHECK(costs[2].forward_seconds > 0);
    CHECK(costs[2].backward_seconds == 0);
    CHECK(profile.costs(Tape::apart()).empty());
}

TEST_CASE("a NaN and an infinity are known of the result that brings them, also if nobody keeps it") {
    const Tensor w = parameter("w", {});
    Tape tape;
    const NodeProfile profile;
    const Tensor nan = apply(SleepyOp{std::nan("")}, {&w}, {}), infinity = apply(SleepyOp{INFINITY}, {&w}, {}),
                 one = apply(SleepyOp{1}, {&w}, {});
    const std::vector<NodeCost> costs = profile.costs(tape);
    CHECK(std::isnan(costs[1].non_finite.value()));
    CHECK(costs[2].non_finite == INFINITY);
    CHECK(!costs[3].non_finite);
}

TEST_CASE("a second tape, whose nodes may have the addresses of the first, has costs of its own") {
    const Tensor w = parameter("w", {});
    const NodeProfile profile;
    for (int i = 0; i < 2; ++i) {
        Tape tape;
        const Tensor a = apply(SleepyOp{}, {&w}, {});
        tape.gradient(a, w, {.retain_graph = true});
        const NodeCost cost = profile.costs(tape)[1];
        CHECK(cost.forward_seconds < 2 * in_seconds(pause_forward) + 0.5);
        CHECK(cost.backward_seconds < 2 * in_seconds(pause_backward));
    }
}

TEST_CASE("products that waited are shared among the nodes that they are of") {
    const Tensor w = parameter("w", {});
    Tape tape;
    NodeProfile profile;
    const Tensor a = apply(SleepyOp{}, {&w}, {}), b = apply(SleepyOp{}, {&w}, {}), other = compute<"other">({}, {&w});
    {
        const RunningRule running(tape[tape.find(w)], true);
        const ObservedWork work("sleepy", Pass::backward);
        std::this_thread::sleep_for(pause_backward);
    }
    const std::vector<NodeCost> costs = profile.costs(tape);
    const auto of = [&](const Tensor& x) { return costs[static_cast<std::size_t>(tape.find(x))].backward_seconds; };
    CHECK(of(a) == of(b));
    CHECK(of(a) + of(b) >= in_seconds(pause_backward));
    CHECK(of(other) == 0);
}

TEST_CASE("a backward pass says whose rule runs, and whose cotangent products wait for") {
    struct Listener final : Observer {
        std::vector<std::pair<const Node*, bool>> rules;
        void begin(const Work& work) override {
            if (work.pass == Pass::backward) rules.emplace_back(RunningRule::node(), RunningRule::joins());
        }
    };
    const Tensor x = full({2, 3}, 0.5, Dtype::float64), w = full({3, 3}, 0.25, Dtype::float64);
    Tape tape;
    tape.watch(w);
    const Tensor h = tiny::product(x, w), y = tiny::product(h, w), loss = tiny::sum(y);
    Listener listener;
    tape.gradient(loss, w, {.retain_graph = true});
    const auto of = [&](const Tensor& tensor) { return &tape[tape.find(tensor)]; };
    const std::vector<std::pair<const Node*, bool>> expected{
        {of(loss), false}, {of(y), false}, {of(h), false}, {of(w), true}};
    CHECK(listener.rules == expected);
    CHECK(RunningRule::node() == nullptr);
}
