#include <doctest/doctest.h>

#include <thread>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

using Values = std::vector<double>;

}  // namespace

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

TEST_CASE("tape: a result that is not scalar takes a cotangent of its shape and type") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor y = mul(x, x);
    CHECK(elements(tape.gradient(y, x, {.retain_graph = true, .cotangent = vector({3, -1})})) == Values{6, -4});
    CHECK_THROWS_WITH_AS(tape.gradient(y, x),
                         ("gradient: the result [2] is no scalar; give options.cotangent" + at_line()).c_str(),
                         ShapeError);
    const auto with = [&](const Tensor& cotangent) { return tape.gradient(y, x, {.cotangent = cotangent}); };
    const std::string where = at_line(-1);
    CHECK_THROWS_WITH_AS(with(vector({1})),
                         ("gradient: the cotangent [1] float64 is not like the result [2] float64" + where).c_str(),
                         ShapeError);
    CHECK_THROWS_WITH_AS(with(tensor({1, 2})),
                         ("gradient: the cotangent [2] float32 is not like the result [2] float64" + where).c_str(),
                         ShapeError);
}

TEST_CASE("tape: a result of one element needs no cotangent, whatever its rank") {
    const Tensor x = matrix({3}, 1);
    Tape tape;
    tape.watch(x);
    const Tensor g = tape.gradient(mul(x, x), x);
    CHECK(g.shape() == Shape{1, 1});
    CHECK(g.item() == 6);
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

TEST_CASE("tape: inputs and results that were never recorded") {
    const Tensor x = vector({1, 2}), constant = vector({3, 4});
    Tape tape;
    tape.watch(x);
    const Tensor y = sum(mul(x, constant));
    CHECK_THROWS_WITH_AS(
        tape.gradient(y, {x, constant}),
        ("gradient: input 1 [2] is not on this tape; watch() it before it is used" + at_line()).c_str(), TapeError);
    const Tensor named = constant.clone().set_name("bias");
    CHECK_THROWS_WITH_AS(
        tape.gradient(y, named),
        ("gradient: input 0 \"bias\" [2] is not on this tape; watch() it before it is used" + at_line()).c_str(),
        TapeError);
    const Tensor unrelated = sum(constant);
    CHECK_THROWS_WITH_AS(
        tape.gradient(unrelated, x),
        ("gradient: the result does not depend on any parameter or watched tensor of this tape" + at_line()).c_str(),
        TapeError);
    CHECK_THROWS_AS(tape.gradient(sum(stop_gradient(x)), x), TapeError);
    CHECK_THROWS_WITH_AS(tape.gradient(Tensor(), x),
                         ("gradient: the result is an undefined tensor" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(tape.gradient(y, {x, Tensor()}),
                         ("gradient: input 1 is an undefined tensor" + at_line()).c_str(), ValueError);
}

TEST_CASE("tape: a result of an op without derivative names that op") {
    const Tensor x = vector({1});
    Tape tape;
    tape.watch(x);
    const Tensor y = sum(scale(sign(x), 2));
    const Scope scope("decoder");
    CHECK_THROWS_WITH_AS(
        tape.gradient(y, x),
        ("gradient: the result comes from sign, which has no derivative\n  in decoder" + at_line()).c_str(),
        NotDifferentiableError);
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

TEST_CASE("tape: a tape belongs to the thread that made it") {
    const Tensor x = vector({2});
    Tape tape;
    tape.watch(x);
    const Tensor y = mul(x, x);
    std::string gradient, watch, find, op;
    const auto text = [](auto f) -> std::string {
        try {
            f();
        } catch (const TapeError& error) {
            return error.what();
        }
        return "no error";
    };
    std::thread([&] {
        gradient = text([&] { tape.gradient(y, x); });
        watch = text([&] { tape.watch(x); });
        find = text([&] { tape.find(y); });
        Tape own;
        own.watch(x);
        op = text([&] { mul(x, y); });
    }).join();
    CHECK(gradient == "gradient: a tape was used by a thread that did not make it" + at_line(-7));
    CHECK(watch == "watch: a tape was used by a thread that did not make it" + at_line(-7));
    CHECK(find == "find: a tape was used by a thread that did not make it" + at_line(-7));
    CHECK(op.starts_with("mul: an operand [1] was recorded on a tape that has ended or belongs to another thread; "));
    CHECK(tape.gradient(y, x).item() == 4);
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

TEST_CASE("tape: a saved tensor that was overwritten is an error that names it") {
    Tensor w = vector({1, 2});
    w.set_parameter().set_name("cell.weight");
    Tape tape;
    Tensor y, hidden;
    std::string where;
    {
        const Scope scope("cell");
        const Step step(3);
        y = mul(w, w);
        where = at_line(-1);
        hidden = tiny::tanh(y);
    }
    const auto overwritten = [&](const char* op, const char* tensor) {
        return std::string(op) + ": a tensor " + tensor +
               " that backward needs was overwritten after the forward pass (version 1, saved at version 0)\n"
               "  in cell, step 3";
    };
    SUBCASE("an input") {
        w.fill(0);
        CHECK_THROWS_WITH_AS(tape.gradient(sum(y), w), (overwritten("mul", "\"cell.weight\" [2]") + where).c_str(),
                             TapeError);
    }
    SUBCASE("an output, by a view") {
        hidden.detached().mutable_data<double>()[0] = 5;
        try {
            tape.gradient(sum(hidden), w);
            FAIL("no error");
        } catch (const TapeError& error) {
            CHECK(std::string(error.what()).starts_with(overwritten("tanh", "[2]")));
        }
    }
    SUBCASE("one that no rule needs may be overwritten") {
        const Tensor z = scale(y, 2), total = sum(z);
        Tensor(z).fill(0);
        CHECK(elements(tape.gradient(total, w)) == Values{4, 8});
    }
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
