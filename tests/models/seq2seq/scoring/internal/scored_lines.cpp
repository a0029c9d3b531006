#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/internal/scored_lines.hpp>

using namespace wengert;

namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("scored_lines brings a hypothesis and its references together") {
    const auto lines = scored_lines("score", Lines{"a", "é"}, std::vector<Lines>{{"b", "c"}, {"d", "我"}});
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].hypothesis == U"é");
    CHECK(lines[1].references == std::vector<std::u32string>{U"c", U"我"});
    CHECK(scored_line("score", "é", Lines{"b", "c"}).references == std::vector<std::u32string>{U"b", U"c"});
}

TEST_CASE("scored_lines says which line is no text") {
    CHECK_THROWS_WITH_AS(scored_lines("score", Lines{"a", "\xFF"}, std::vector<Lines>{{"b", "c"}}),
                         "score: hypothesis 2: invalid UTF-8 at byte 0", ValueError);
    CHECK_THROWS_WITH_AS(scored_lines("score", Lines{"a", "b"}, std::vector<Lines>{{"b", "c"}, {"d", "e\xFF"}}),
                         "score: line 2 of reference 2: invalid UTF-8 at byte 1", ValueError);
    CHECK_THROWS_WITH_AS(scored_line("score", "\xFF", Lines{"b"}), "score: the hypothesis: invalid UTF-8 at byte 0",
                         ValueError);
}

TEST_CASE("signature_start") {
    CHECK(signature_start("score", 2, true, false) == "nrefs:2|case:lc|eff:no");
    CHECK_THROWS_WITH_AS(signature_start("score", 0, true, false), "score: there are no references", ValueError);
}
