#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>

using namespace wengert;

TEST_CASE("error: the text says what, which and where") {
    ShapeError error("inner dimensions differ: lhs [64, 103] x rhs [550, 50] (103 != 550)");
    CHECK(error.op() == "");
    SourceLine where;
    where.file = "models/seq2seq/decoder.cpp";
    where.line = 41;
    error.locate("matmul", "decoder.cell, step 3; rhs = parameter \"decoder.cell.weight_ih\"", where);
    CHECK(error.what() == std::string("matmul: inner dimensions differ: lhs [64, 103] x rhs [550, 50] (103 != 550)\n"
                                      "  in decoder.cell, step 3; rhs = parameter \"decoder.cell.weight_ih\"\n"
                                      "  at models/seq2seq/decoder.cpp:41"));
    CHECK(error.op() == "matmul");
}

TEST_CASE("error: the innermost op is the one that is named, and what is unknown is left out") {
    ValueError error("no");
    error.locate("inner", "", SourceLine());
    error.locate("outer", "scope", SourceLine());
    CHECK(error.what() == std::string("inner: no"));
}

TEST_CASE("error: a function composed of ops is named in their stead") {
    ValueError error("no");
    error.locate("inner", "scope; operand 1 = \"x\"", SourceLine());
    error.relocate("outer", "scope; operand 0 = \"x\"", SourceLine());
    CHECK(error.what() == std::string("outer: no\n  in scope; operand 0 = \"x\""));
    CHECK(error.op() == "outer");
}

TEST_CASE("error: a line is given as seen from the root of the tree") {
    SourceLine where;
    CHECK(to_string(where) == "");
    where.file = "../../ops/map.cpp";
    where.line = 7;
    CHECK(to_string(where) == "ops/map.cpp:7");
    where.file = "/home/somebody/tree/build/../ops/map.cpp";
    CHECK(to_string(where) == "ops/map.cpp:7");
    where.file = "/usr/src/program.cpp";
    CHECK(to_string(where) == "/usr/src/program.cpp:7");
    const SourceLine here(std::source_location::current());
    CHECK(here.line == __LINE__ - 1);
    CHECK(to_string(here).ends_with("tests/autograd/tensor/error.cpp:" + std::to_string(here.line)));
}

TEST_CASE("error: every kind is an Error, and a std::exception") {
    CHECK_THROWS_AS(throw ShapeError(""), Error);
    CHECK_THROWS_AS(throw DtypeError(""), Error);
    CHECK_THROWS_AS(throw ValueError(""), Error);
    CHECK_THROWS_AS(throw TapeError(""), Error);
    CHECK_THROWS_AS(throw NotDifferentiableError(""), Error);
    CHECK_THROWS_AS(throw NonFiniteError(""), Error);
    CHECK_THROWS_AS(throw FileError(""), Error);
    CHECK_THROWS_WITH_AS(throw FileError("model.json:3: no"), "model.json:3: no", std::exception);
}
