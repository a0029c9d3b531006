#include <doctest/doctest.h>

#include <vector>
#include <wengert/models/seq2seq/scoring/internal/ngrams.hpp>

using namespace wengert;

TEST_CASE("n-grams of characters") {
    CHECK(count_characters(U"abab", 2) == NgramCounts{{U"ab", 2}, {U"ba", 1}});
    CHECK(count_characters(U"a", 2).empty());
    CHECK(count_characters(U"", 1).empty());
}

TEST_CASE("n-grams of words are parts of their text") {
    const std::u32string_view text = U"a bc a bc a";
    const std::vector<std::u32string_view> words = {text.substr(0, 1), text.substr(2, 2), text.substr(5, 1),
                                                    text.substr(7, 2), text.substr(10, 1)};
    CHECK(count_words(words, 1) == NgramCounts{{U"a", 3}, {U"bc", 2}});
    CHECK(count_words(words, 3) == NgramCounts{{U"a bc a", 2}, {U"bc a bc", 1}});
    CHECK(count_words(words, 6).empty());
    CHECK(count_words({}, 1).empty());
}

TEST_CASE("common n-grams count as often as in the text that has less of them") {
    CHECK(count_common({{U"a", 3}, {U"b", 1}, {U"c", 1}}, {{U"a", 2}, {U"b", 5}, {U"d", 1}}) == 3);
    CHECK(count_common({}, {{U"a", 2}}) == 0);
}
