// Covers nn/mpi.hpp
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "ranks_at_work.hpp"

using namespace wengert;

namespace {

double squared_error(const std::string& out) {
    const std::string words = "squared error of new points: ";
    const std::size_t at = out.find(words);
    REQUIRE(at != out.npos);
    return std::stod(out.substr(at + words.size()));
}

const std::string own_loop =
    '\'' + std::filesystem::path(WENGERT_SEQ2SEQ).replace_filename("data_parallel").string() + '\'';

}  // namespace

TEST_CASE("data_parallel: a loop of one's own learns on one rank and on two, better with more points") {
    const Workplace here;
    const Outcome alone = here.shell(own_loop);
    CAPTURE(alone.error);
    REQUIRE(alone.code == 0);
    CHECK(alone.out.find("1 ranks, ") != alone.out.npos);
    // A mean of nothing but 0 has 0.17.
    CHECK(squared_error(alone.out) < 0.01);
    CHECK(content_of(here.path() / "data_parallel.svg").ends_with("</svg>\n"));
    if (!has_mpi()) return;
    const Outcome two = here.shell(mpirun(2) + own_loop);
    CAPTURE(two.error);
    REQUIRE(two.code == 0);
    CHECK(two.out.find("2 ranks, ") != two.out.npos);
    CHECK(std::count(two.out.begin(), two.out.end(), '\n') == 6);  // one rank speaks
    CHECK(squared_error(two.out) < 0.01);
    CHECK(squared_error(two.out) != squared_error(alone.out));
    CHECK(here.shell(mpirun(2) + own_loop).out == two.out);
}
