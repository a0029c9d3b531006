#include <doctest/doctest.h>

#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace wengert;
using namespace tiny;

TEST_CASE("memory: bytes are said in units of a thousand") {
    CHECK(describe_bytes(0) == "0 bytes");
    CHECK(describe_bytes(999) == "999 bytes");
    CHECK(describe_bytes(1000) == "1.0 kB");
    CHECK(describe_bytes(12'345'678) == "12.3 MB");
}

TEST_CASE("memory: the report counts nodes by op and scope, and a storage once") {
    const Tensor x = full({1000}, 0.5, Dtype::float64);
    Tape tape;
    tape.watch(x);
    Tensor y;
    {
        const Scope scope("model");
        y = tiny::tanh(tiny::tanh(x));
    }
    const Tensor z = sum(mul(y, y));  // y is the second tanh's, which keeps it already
    CHECK(report(tape) ==
          "op                     scope                              nodes         kept\n"
          "tanh                   model                                  2      16.0 kB\n"
          "input                                                         1      0 bytes\n"
          "mul                                                           1      0 bytes\n"
          "sum                                                           1      0 bytes\n"
          "all                                                           5      16.0 kB\n");
    CHECK(largest_scopes(tape) == "model 16.0 kB, no scope 0 bytes; in all 16.0 kB");
    CHECK(largest_scopes(tape, 1) == "model 16.0 kB; in all 16.0 kB");
    CHECK(largest_scopes(tape, 0) == "in all 16.0 kB");
    tape.gradient(z, x);
    CHECK(report(tape).ends_with("kept.\n"));
    CHECK(report(tape).find("16.0 kB") == std::string::npos);
}
