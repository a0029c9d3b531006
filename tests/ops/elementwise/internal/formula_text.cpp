#include <doctest/doctest.h>

#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/autograd/observe/graph.hpp>
#include <wengert/autograd/observe/node_text.hpp>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/ops/elementwise/internal/formula_text.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

/// The text of the formula that `f` applies to watched tensors, [2] each.
template <class F>
std::optional<std::string> told(const F& f) {
    Tape tape;
    const Tensor x = full({2}, 0.5), y = full({2}, 0.25), z = full({2}, 0.75);
    for (const Tensor& operand : {x, y, z}) tape.watch(operand);
    f(x, y, z);
    return formula_text(tape[3]);
}

}  // namespace

TEST_CASE("a formula's text has its operators, functions and numbers, and parentheses where they are needed") {
    CHECK(told([](auto& x, auto& y, auto& z) {
              map([](auto z, auto n, auto h) { return n + z * (h - n); }, x, y, z);
          }) == "b + a * (c - b)");
    CHECK(told([](auto& x, auto& y, auto& z) {
              map([](auto a, auto b, auto c) { return (a - b) - (c - 1.5) / -2.0; }, x, y, z);
          }) == "a - b - (c - 1.5) / (-2)");
    CHECK(told([](auto& x, auto& y, auto&) { map([](auto a, auto b) { return tanh(a) * exp(b + a); }, x, y); }) ==
          "tanh(a) * exp(b + a)");
    CHECK(told([](auto& x, auto& y, auto&) {
              map([](auto a, auto b) { return where(a > b && b != 0, a, 0.0); }, x, y);
          }) == "where(a > b && b != 0, a, 0)");
}

TEST_CASE("what a formula captures stands in its text as a number") {
    const double scale = 0.125;
    CHECK(told([scale](auto& x, auto&, auto&) { map([scale](auto a) { return scale * a; }, x); }) == "0.125 * a");
}

TEST_CASE("several results are several lines, and a sum says so") {
    CHECK(told([](auto& x, auto& y, auto&) {
              map([](auto a, auto b) { return std::tuple{a + b, a * b}; }, x, y);
          }) == "a + b\na * b");
    CHECK(told([](auto& x, auto& y, auto&) { map_sum([](auto a, auto b) { return a * b; }, -1, x, y); }) ==
          "sum(a * b)");
}

TEST_CASE("long parts have names of their own, so that a text grows with its formula and no faster") {
    const std::optional<std::string> text = told([](auto& x, auto&, auto&) {
        map(
            [](auto a) {
                auto y = tanh(a * a + 1.0);
                for (int i = 0; i < 20; ++i) y = y * tanh(y) + y;
                return y;
            },
            x);
    });
    REQUIRE(text.has_value());
    CHECK(text->starts_with("t1 = "));
    CHECK(text->size() < 4000);
}

TEST_CASE("a library function has no text beside its name, and another op is no formula") {
    CHECK(told([](auto& x, auto&, auto&) { tanh(x); }) == "");
    CHECK(told([](auto& x, auto&, auto&) { softmax(x, 0); }) == std::nullopt);
}

TEST_CASE("telling a formula is heard by nobody, and recorded by nobody") {
    Tape tape;
    const Tensor x = full({2}, 0.5);
    tape.watch(x);
    map([](auto a) { return log(a - 10.0); }, x);  // a NaN where it is told, too
    const Profile profile;
    const DetectAnomalies detect;
    const NodeId size = tape.size();
    CHECK(formula_text(tape[1]) == "log(a - 10)");
    CHECK(tape.size() == size);
    CHECK(profile.costs().empty());
    const bool is_told = formula_of_node != nullptr;
    CHECK(is_told);
    CHECK(to_dot(tape).find("map\\nlog(a - 10)\\n[2] float32") != std::string::npos);
}
