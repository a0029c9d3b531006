#include "seq2seq/nearest_name.hpp"

#include <doctest/doctest.h>

using namespace wengert::program;

TEST_CASE("the nearest name is told if it is near") {
    const std::vector<std::string> names{"beam", "n_best", "max_length", "min_length"};
    CHECK(nearest_name("bream", names) == " (did you mean beam?)");
    CHECK(nearest_name("n-best", names) == " (did you mean n_best?)");
    CHECK(nearest_name("ma_length", names) == " (did you mean max_length?)");
    CHECK(nearest_name("sources", names) == "");
    CHECK(nearest_name("", names) == "");
    CHECK(nearest_name("beam", {}) == "");
    CHECK(nearest_name(std::string(1'000'000, 'x'), names) == "");
}
