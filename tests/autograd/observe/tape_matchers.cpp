#include <doctest/doctest.h>

#include <sstream>
#include <wengert/autograd/observe/tape_matchers.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

namespace {

template <class T>
std::string printed(const T& value) {
    std::ostringstream stream;
    stream << value;
    return stream.str();
}

}  // namespace

TEST_CASE("a test says which ops a tape has, how many, and how much they keep") {
    const Tensor w = parameter("w", {3});
    const Tape tape;
    CHECK(tape == records({}));
    CHECK(tape == records_nodes(0));
    CHECK(tape == keeps_at_most(0));
    const Tensor h = compute<"exp">({3}, {&w});
    compute<"sum">({}, {&h});
    CHECK(tape == records({"exp", "sum"}));
    CHECK(tape != records({"sum", "exp"}));
    CHECK(tape != records({"exp"}));
    CHECK(tape != records({"exp", "sum", "sum"}));
    CHECK(tape == records_nodes(2));
    CHECK(tape != records_nodes(3));
    CHECK(tape == keeps_at_most(24));
    CHECK(tape != keeps_at_most(23));
}

TEST_CASE("a failure shows what was there and what was wanted") {
    const Tensor w = parameter("w", {3});
    const Tape tape;
    Tensor h = w;
    for (int i = 0; i < 3; ++i) h = compute<"exp">({3}, {&h});
    compute<"sum">({}, {&h});
    CHECK(printed(tape) == "exp ×3, sum: 4 nodes that keep 48 bytes");
    CHECK(printed(records({"exp", "exp", "sum"})) == "exp ×2, sum");
    CHECK(printed(records_nodes(2)) == "2 nodes");
    CHECK(printed(keeps_at_most(2'000)) == "at most 2.0 kB");
}
