#include <doctest/doctest.h>

#include <thread>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("tape: gradients of a small expression") {
    const Tensor x = vector({1, 2}), y = vector({3, 5});
    Tape tape;
    tape.watch(x);
    tape.watch(y);
    const Tensor z = add(mul(x, y), tiny::tanh(x));
    const std::vector<Tensor> g = tape.gradient(sum(z), {x, y});
    const auto slope = [](double v) { return 1 - std::tanh(v) * std::tanh(v); };
    CHECK(elements(g[0])[0] == doctest::Approx(3 + slope(1)).epsilon(1e-14));
    CHECK(elements(g[0])[1] == doctest::Approx(5 + slope(2)).epsilon(1e-14));
    CHECK(elements(g[1]) == Values{1, 2});
}

TEST_CASE("tape: one input in braces is a list, whose first gradient is that input's") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const std::vector<Tensor> g = tape.gradient(sum(mul(x, x)), {x});
    REQUIRE(g.size() == 1);
    CHECK(g[0].to_vector<double>() == std::vector{2.0, 4.0});
}

TEST_CASE("tape: float32 gradients are float32") {
    const Tensor x = tensor({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor g = tape.gradient(sum(mul(x, x)), x);
    CHECK(g.dtype() == Dtype::float32);
    CHECK(elements(g) == Values{2, 4});
}

TEST_CASE("tape: a value used twice accumulates") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor f = mul(x, x);
    CHECK(elements(tape.gradient(add(f, f), x, {.cotangent = vector({1, 10})})) == Values{4, 80});
    CHECK(elements(tape.gradient(add(mul(x, x), mul(x, x)), x, {.cotangent = vector({1, 10})})) == Values{4, 80});
}

TEST_CASE("tape: what the result does not depend on has gradient zero") {
    const Tensor x = vector({1, 2}), unused = matrix({1, 2, 3}, 1);
    Tensor parameter = zeros({3});
    parameter.set_parameter();
    Tape tape;
    tape.watch(x);
    tape.watch(unused);
    const Tensor y = sum(mul(x, x)), later = scale(x, 2);
    const std::vector<Tensor> g = tape.gradient(y, {unused, parameter, later, x});
    CHECK(elements(g[0]) == Values{0, 0, 0});
    CHECK(g[0].shape() == Shape{1, 3});
    CHECK(g[1].dtype() == Dtype::float32);
    CHECK(elements(g[1]) == Values{0, 0, 0});
    CHECK(elements(g[2]) == Values{0, 0});
    CHECK(elements(g[3]) == Values{2, 4});
    CHECK(tape.gradient(sum(x), std::vector<Tensor>{}).empty());
}

TEST_CASE("tape: the gradient of a result by itself, and by a value in the middle") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor middle = scale(x, 3), y = sum(mul(middle, middle));
    const std::vector<Tensor> g = tape.gradient(y, {y, middle, x});
    CHECK(g[0].item() == 1);
    CHECK(elements(g[1]) == Values{6, 12});
    CHECK(elements(g[2]) == Values{18, 36});
}

TEST_CASE("tape: parameters are followed without being told") {
    Tensor w = vector({2, 3});
    w.set_parameter().set_name("w");
    Tape tape;
    CHECK(tape.size() == 0);
    CHECK(elements(tape.gradient(sum(mul(w, w)), w)) == Values{4, 6});
}

TEST_CASE("tape: watching what cannot be watched") {
    Tape tape;
    CHECK_THROWS_WITH_AS(tape.watch(arange(3)), ("watch: int64 tensors have no gradient" + at_line()).c_str(),
                         DtypeError);
    CHECK_THROWS_WITH_AS(tape.watch(Tensor()), ("watch: the tensor is undefined" + at_line()).c_str(), ValueError);
}

TEST_CASE("tape: looking a tensor up changes nothing") {
    const Tensor w = vector({1}).set_parameter();
    Tape tape;
    CHECK(tape.find(w) == no_node);
    CHECK(tape.size() == 0);
    mul(w, w);
    CHECK(tape.find(w) == 0);
    CHECK_THROWS_WITH_AS(tape.find(Tensor()), ("find: the tensor is undefined" + at_line()).c_str(), ValueError);
}

TEST_CASE("tape: watching after use follows later uses only") {
    const Tensor x = vector({2});
    Tape tape;
    const Tensor before = mul(x, x);
    tape.watch(x);
    tape.watch(x);
    CHECK(tape.size() == 1);
    CHECK(tape.gradient(mul(x, before), x).item() == 4);
}

TEST_CASE("tape: stop_gradient cuts") {
    const Tensor x = vector({2, 3});
    Tape tape;
    tape.watch(x);
    CHECK(elements(tape.gradient(sum(mul(stop_gradient(mul(x, x)), x)), x)) == Values{4, 9});
    CHECK(stop_gradient(x).shares_storage(x));
}

TEST_CASE("tape: a second pass without retain_graph names the op and says what to do") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Scope scope("decoder");
    const Tensor y = mul(x, x);
    const std::string where = at_line(-1);
    const Tensor a = sum(y), b = sum(y);
    tape.gradient(a, x);
    const std::string text =
        "mul: an earlier gradient(), which may have failed midway, has released what this pass needs; give that one "
        "retain_graph = true to run "
        "another over the same nodes\n  in decoder" +
        where;
    CHECK_THROWS_WITH_AS(tape.gradient(b, x), text.c_str(), TapeError);
}

TEST_CASE("tape: a second pass may go through nodes that kept nothing") {
    const Tensor x = vector({1, 2}), y = vector({3, 4});
    Tape tape;
    tape.watch(x);
    tape.watch(y);
    const Tensor both = add(x, y), a = sum(scale(both, 2)), b = sum(scale(both, 3));
    CHECK(elements(tape.gradient(a, x)) == Values{2, 2});
    CHECK(elements(tape.gradient(b, x)) == Values{3, 3});
}

TEST_CASE("tape: retain_graph allows any number of passes") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor y = sum(mul(x, tiny::tanh(x)));
    const Values first = elements(tape.gradient(y, x, {.retain_graph = true}));
    CHECK(elements(tape.gradient(y, x, {.retain_graph = true})) == first);
    CHECK(elements(tape.gradient(y, x)) == first);
    CHECK_THROWS_AS(tape.gradient(y, x), TapeError);
}

TEST_CASE("tape: nested tapes share one list, and the outer differentiates what the inner one did") {
    const Tensor x = vector({3});
    Tape outer;
    outer.watch(x);
    Tensor g;
    {
        Tape inner;
        const Tensor y = mul(mul(x, x), x);
        CHECK(inner.size() == outer.size());
        CHECK(inner.gradient(y, x).item() == 27);  // is not recorded, but keeps the nodes for the outer tape
        g = inner.gradient(y, x, {.create_graph = true});
    }
    CHECK(g.item() == 27);
    CHECK(outer.gradient(g, x).item() == 18);
}

TEST_CASE("tape: a tape inside a pause records, and the pause goes on after it") {
    const Tensor x = vector({3});
    Tape outer;
    outer.watch(x);
    const Pause pause;
    {
        Tape inner;
        CHECK(inner.gradient(mul(x, x), x).item() == 6);
    }
    const NodeId size = outer.size();
    mul(x, x);
    CHECK(outer.size() == size);
}

TEST_CASE("tape: one per thread, parameters shared") {
    Tensor w = vector({2, 3});
    w.set_parameter();
    std::vector<Values> results(4);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < results.size(); ++t)
        threads.emplace_back([&, t] {
            for (int repetition = 0; repetition < 50; ++repetition) {
                Tape tape;
                const Tensor y = scale(mul(w, w), static_cast<double>(t));
                results[t] = elements(tape.gradient(sum(y), w));
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t t = 0; t < results.size(); ++t) {
        const auto k = static_cast<double>(t);
        CHECK(results[t] == Values{4 * k, 6 * k});
    }
}

TEST_CASE("tape: a result that was overwritten is a constant") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    Tensor y = scale(x, 2), z = scale(x, 3);
    const Tensor used = scale(y, 5);
    y.copy_from(x);
    z.fill(1);
    CHECK(tape.find(y) == no_node);
    CHECK_THROWS_AS(tape.gradient(sum(z), x), TapeError);
    CHECK(elements(tape.gradient(sum(add(used, y)), x)) == Values{10, 10});
}

TEST_CASE("tape: an error in the middle of a pass leaves the thread able to record") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    Tensor y = mul(x, x);
    const Tensor z = tiny::tanh(y);
    Tensor(z).fill(1);
    CHECK_THROWS_AS(tape.gradient(sum(z), x), TapeError);
    CHECK(elements(tape.gradient(sum(mul(x, x)), x)) == Values{2, 4});
}

TEST_CASE("tape: gradients that are taken come when they are complete, each once, the last layer's first") {
    const Tensor unused = vector({7}), x = vector({1, 2}), w = vector({3, 4}), v = vector({5, 6});
    Tape tape;
    for (const Tensor& leaf : {unused, x}) tape.watch(leaf);
    const Tensor low = mul(x, x);
    tape.watch(w);
    const Tensor middle = mul(low, w);
    tape.watch(v);
    const Tensor y = sum(mul(middle, v));
    const std::vector<Tensor> inputs{x, w, v, unused, w, middle};
    const std::vector<Tensor> expected = tape.gradient(y, inputs, {.retain_graph = true});
    std::vector<std::size_t> order;
    std::vector<Values> taken(inputs.size());
    const NodeId size = tape.size();
    const auto take = [&](std::size_t i, Tensor gradient) {
        order.push_back(i);
        taken[i] = elements(scale(gradient, 1));  // ops may run, and are not recorded
        CHECK(gradient.is_contiguous());
        CHECK(tape.size() == size);
    };
    const std::vector<Tensor> rest = tape.gradient(y, inputs, {.retain_graph = true, .take = take});
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        CHECK(taken[i] == elements(expected[i]));
        CHECK_FALSE(rest[i].defined());
    }
    CHECK(order == std::vector<std::size_t>{2, 5, 1, 4, 0, 3});

    // What is taken belongs to who takes it, and what that throws ends the pass.
    const auto is_mine = [](std::size_t, Tensor gradient) { CHECK(gradient.is_unique()); };
    tape.gradient(y, {x, w, v, middle, low}, {.retain_graph = true, .take = is_mine});
    CHECK_THROWS_AS(tape.gradient(y, {x, w, v},
                                  {.retain_graph = true,
                                   .take =
                                       [](std::size_t i, const Tensor&) {
                                           if (i == 1) throw ValueError("enough");
                                       }}),
                    ValueError);
    CHECK(elements(tape.gradient(y, x)) == elements(expected[0]));
}

TEST_CASE("tape: gradients that are taken from a recorded pass can be differentiated") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    Tensor first;
    tape.gradient(sum(mul(x, mul(x, x))), {x},
                  {.create_graph = true, .take = [&](std::size_t, Tensor gradient) { first = gradient; }});
    CHECK(elements(tape.gradient(sum(first), x)) == Values{6, 12});
}
