#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/autograd/observe/graph.hpp>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("anomaly: the mode stops at the first value that is not finite") {
    Tensor w = vector({1, 10});
    w.set_parameter().set_name("w");
    const DetectAnomalies detect;
    const Scope scope("decoder");
    CHECK_THROWS_WITH_AS(scale(w, 1e308),
                         ("scale: forward produced inf at [1] of the result [2]; operands [2] in [1, 10]\n"
                          "  in decoder; operand 0 = parameter \"w\"" +
                          at_line())
                             .c_str(),
                         NonFiniteError);
    CHECK(scale(w, 2).at({1}) == 20);
    CHECK_THROWS_WITH_AS(scale(vector({3, std::numeric_limits<double>::quiet_NaN(), 5}), 2),
                         doctest::Contains("operands [3] in [3, 5] and nan at [1]"), NonFiniteError);
}

TEST_CASE("anomaly: the mode stops at the first cotangent that is not finite") {
    const Tensor x = vector({4, 0});
    Tape tape;
    tape.watch(x);
    Tensor y;
    std::string where;
    {
        const Scope scope("decoder");
        y = root(x);
        where = at_line(-1);
    }
    const Tensor loss = sum(scale(y, 3));
    CHECK(std::isinf(tape.gradient(loss, x, {.retain_graph = true}).at({1})));
    const DetectAnomalies detect;
    CHECK_THROWS_WITH_AS(tape.gradient(loss, x),
                         ("root: backward produced inf at [1] of the cotangent [2] of operand 0; saved [2] in [0, 2]\n"
                          "  in decoder" +
                          where)
                             .c_str(),
                         NonFiniteError);
}

TEST_CASE("anomaly: the mode finds what ops, whole tensors and parts contribute") {
    const Tensor x = vector({1, 2}), large = vector({1e200, 1e200});
    Tape tape;
    tape.watch(x);
    const auto fails_in = [&](const Tensor& y, const Tensor& cotangent, const std::string& op) {
        const DetectAnomalies detect;
        try {
            tape.gradient(y, x, {.cotangent = cotangent});
            FAIL("no error");
        } catch (const NonFiniteError& error) {
            CHECK(error.op() == op);
            CHECK(std::string(error.what()).find(": backward produced inf at [0] of the cotangent") !=
                  std::string::npos);
        }
    };
    fails_in(mul(x, large), large, "mul");
    fails_in(add(x, x), vector({1.5e308, 1}), "add");
    fails_in(add(slice(concat(x, x), 0, 0, 2), slice(concat(x, x), 0, 2, 4)), vector({1.5e308, 1}), "concat");
    const Tensor part = slice(x, 0, 0, 1);
    fails_in(mul(part, slice(large, 0, 0, 1)), slice(large, 0, 0, 1), "mul");
}

TEST_CASE("anomaly: the mode does not mistake what is not set yet for a value") {
    const Tensor x = vector({1, 2, 3, 4});
    Tape tape;
    tape.watch(x);
    const DetectAnomalies detect;
    const Tensor a = slice(x, 0, 0, 1), b = slice(x, 0, 3, 4);
    CHECK(elements(tape.gradient(mul(a, b), x)) == std::vector<double>{4, 0, 0, 1});
}

TEST_CASE("anomaly: the mode ends with its block") {
    const Tensor x = vector({1e308});
    {
        const DetectAnomalies detect;
        { const DetectAnomalies again; }
        CHECK_THROWS_AS(scale(x, 10), NonFiniteError);
    }
    CHECK(std::isinf(scale(x, 10).item()));
}

TEST_CASE("anomaly: the node at fault is known, to be drawn with the way from the loss") {
    const Tensor x = vector({4, 0});
    Tape tape;
    tape.watch(x);
    const Tensor y = root(x), loss = sum(scale(y, 3));
    DetectAnomalies detect;
    CHECK(detect.culprit(tape) == no_node);
    CHECK_THROWS_AS(tape.gradient(loss, x, {.retain_graph = true}), NonFiniteError);
    CHECK(detect.culprit(tape) == tape.find(y));
    const std::string text = to_dot(tape, {.result = loss, .around = detect.culprit(tape)});
    for (const char* const op : {"root", "scale", "sum"}) CHECK(text.find(std::string("label=\"") + op) != text.npos);

    CHECK_THROWS_AS(scale(y, 1e308), NonFiniteError);  // of an op that has no node its operand's
    CHECK(detect.culprit(tape) == tape.find(y));
    CHECK_THROWS_AS(scale(vector({1e308}), 10), NonFiniteError);
    CHECK(detect.culprit(tape) == no_node);
}
