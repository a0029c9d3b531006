#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/chrf.hpp>

#include "score_fixture.hpp"

using namespace wengert;
using score_fixture::check_close;
using score_fixture::Lines;

TEST_CASE("chrF is sacrebleu's, for every option, in full and as printed") {
    score_fixture::check_scores("chrf", score_fixture::chrf_options, corpus_chrf, sentence_chrf);
}

TEST_CASE("chrF against numbers worked out by hand") {
    // Characters: 2 of 3 and 2 of 4 match. Pairs: 1 of 2 and 1 of 3.
    const double precision = (2.0 / 3 + 1.0 / 2) / 2, recall = (2.0 / 4 + 1.0 / 3) / 2;
    const Chrf chrf = sentence_chrf("ab x", Lines{"abcd"}, {.character_order = 2});
    check_close(chrf.score, 100 * 5 * precision * recall / (4 * precision + recall));
    CHECK(to_string(chrf) == "chrF2 = 44.19");
}

TEST_CASE("chrF compares a line with the reference that gives it the best score") {
    const Lines near = {"a b c", "x"}, far = {"x", "d e f"};
    check_close(corpus_chrf(Lines{"a b c", "d e f"}, std::vector<Lines>{near, far}).score, 100);
    check_close(corpus_chrf(Lines{"a b c", "d e f"}, std::vector<Lines>{far, near}).score, 100);
}

TEST_CASE("chrf_score of summed chrf_counts is corpus_chrf") {
    const Lines hypotheses = {"One two three.", "Four five six seven!"};
    const std::vector<Lines> references = {{"One two, three.", "Four five six, seven!"}};
    ChrfCounts sum;
    for (const ChrfCounts& line : chrf_counts(hypotheses, references)) sum += line;
    CHECK(chrf_score(sum).score == corpus_chrf(hypotheses, references).score);
}

TEST_CASE("the name and the signature of chrF") {
    const ChrfOptions options{.word_order = 2, .lowercase = true, .whitespace = true, .effective_order = false};
    CHECK(sentence_chrf("a", Lines{"a"}, options).name == "chrF2++");
    CHECK(signature(options, 2) == "nrefs:2|case:lc|eff:no|nc:6|nw:2|space:yes|version:2.6.0");
}

TEST_CASE("chrF refuses what it cannot score") {
    const Lines one = {"a"}, two = {"a", "b"};
    CHECK_THROWS_WITH_AS(corpus_chrf(Lines{}, std::vector<Lines>{one}), "chrf: there are no hypotheses", ValueError);
    CHECK_THROWS_WITH_AS(sentence_chrf("a", Lines{}), "chrf: there are no references", ValueError);
    CHECK_THROWS_WITH_AS(signature(ChrfOptions{}, 0), "chrf: there are no references", ValueError);
    CHECK_THROWS_WITH_AS(corpus_chrf(one, std::vector<Lines>{two}), "chrf: 1 hypotheses, but 2 lines of reference 1",
                         ValueError);
    CHECK_THROWS_WITH_AS(sentence_chrf("a", Lines{"a", "\xC0"}), "chrf: reference 2: invalid UTF-8 at byte 0",
                         ValueError);
    const char* const orders = "chrf: character_order is 0, word_order 0 and beta 2, but must be 1, 0 and 1 or more";
    const ChrfOptions none{.character_order = 0};
    CHECK_THROWS_WITH_AS(corpus_chrf(one, std::vector<Lines>{one}, none), orders, ValueError);
    CHECK_THROWS_WITH_AS(sentence_chrf("a", one, none), orders, ValueError);
    CHECK_THROWS_WITH_AS(signature(none), orders, ValueError);
    CHECK_THROWS_WITH_AS(chrf_score({}), "chrf: counts of 0 orders, but the options have 6", ValueError);
    ChrfCounts sum = chrf_counts(one, std::vector<Lines>{one})[0];
    CHECK_THROWS_WITH_AS(sum += ChrfCounts{}, "chrf: counts of 6 and 0 orders are added", ValueError);
}
