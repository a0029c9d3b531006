#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <wengert/ops/op_reference.hpp>

TEST_CASE("op reference: the page in docs is current") {
    std::ifstream file(WENGERT_DOCS "/ops.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    CHECK_MESSAGE(page == wengert::op_reference(), "write it anew: build/examples/ops_reference > docs/ops.md");
}
