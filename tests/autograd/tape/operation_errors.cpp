#include <doctest/doctest.h>

#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

std::string message_of(auto&& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST_CASE("operation: an operand that is no tensor is refused in the op's name, with the caller's line") {
    const Tensor x = vector({1, 2});
    const std::string undefined = message_of([&] { return add(x, Tensor()); });
    CHECK(undefined.find("an undefined tensor was given") != std::string::npos);
    CHECK(undefined.find("tests/autograd/tape/operation_errors.cpp:" + std::to_string(__LINE__ - 2)) !=
          std::string::npos);
    CHECK(message_of([&] { return add(x, 2); }).find("a number was given where a tensor is needed") !=
          std::string::npos);
}

TEST_CASE("operation: what an op throws leaves with its name and the caller's line") {
    const std::string text = message_of([] { return add(vector({1, 2}), vector({1, 2, 3})); });
    CHECK(text.starts_with("add: shapes differ: [2] and [3]"));
    CHECK(text.ends_with("tests/autograd/tape/operation_errors.cpp:" + std::to_string(__LINE__ - 2)));
}

TEST_CASE("operation: a node keeps what the op declares, and nothing of an op that declares nothing") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor scaled = scale(x, 3);
    CHECK(saved_bytes(tape) == 0);
    const Tensor y = tiny::tanh(scaled);
    CHECK(saved_bytes(tape) == 2 * 8);
    mul(scaled, y);
    CHECK(saved_bytes(tape) == 2 * 2 * 8);
}
