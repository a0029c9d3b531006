#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bleu_by_length.hpp>

using namespace wengert;

namespace {

const std::vector<std::string> five_hypotheses = {"a b c d", "a b c x", "a b c d e f", "q r s t", "a b c d e"};
const std::vector<std::vector<std::string>> five_references = {
    {"a b c d", "a b c d", "a b c d e f", "w x y z", "a b c d f"}};
const std::vector<std::int64_t> source_lengths = {0, 5, 6, 11, 25};

}  // namespace

TEST_CASE("bleu by length: each band is a corpus of its own") {
    const auto bands =
        bleu_by_length(five_hypotheses, five_references, source_lengths, {}, {.width = 5, .min_lines = 1});
    REQUIRE(bands.size() == 4);
    CHECK(bands[0].least == 0);
    CHECK(bands[0].most == 5);
    CHECK(bands[0].lines == 2);
    CHECK(bands[0].mean_length == 2.5);
    const std::vector<std::string> first(five_hypotheses.begin(), five_hypotheses.begin() + 2);
    const std::vector<std::vector<std::string>> first_references{{"a b c d", "a b c d"}};
    CHECK(bands[0].bleu == corpus_bleu(first, first_references).score);
    CHECK(bands[1].bleu == doctest::Approx(100));
    CHECK(bands[2].bleu == 0);
    CHECK(bands[3].least == 21);
}

TEST_CASE("bleu by length: a band of few lines joins its neighbour") {
    const auto last =
        bleu_by_length(five_hypotheses, five_references, source_lengths, {}, {.width = 5, .min_lines = 2});
    REQUIRE(last.size() == 1);
    CHECK(last[0].most == 25);
    CHECK(last[0].lines == 5);
    CHECK(last[0].bleu == corpus_bleu(five_hypotheses, five_references).score);
    const std::vector<std::int64_t> few_at_first = {3, 6, 6, 11, 12};
    const auto first = bleu_by_length(five_hypotheses, five_references, few_at_first, {}, {.width = 5, .min_lines = 2});
    REQUIRE(first.size() == 2);
    CHECK(first[0].least == 0);
    CHECK(first[0].most == 10);
    CHECK(first[0].lines == 3);
}

TEST_CASE("bleu by length: what is refused") {
    CHECK_THROWS_WITH_AS(bleu_by_length(five_hypotheses, five_references, std::vector<std::int64_t>{1}),
                         "bleu_by_length: 5 hypotheses, but 1 lengths", ValueError);
    CHECK_THROWS_WITH_AS(bleu_by_length(five_hypotheses, five_references, source_lengths, {}, {.width = 0}),
                         "bleu_by_length: the width is 0, not 1 or more", ValueError);
    CHECK_THROWS_WITH_AS(bleu_by_length(five_hypotheses, five_references, std::vector<std::int64_t>{1, 2, -3, 4, 5}),
                         "bleu_by_length: the length of line 2 is -3", ValueError);
}
