#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/internal/code_points.hpp>

#include "../score_fixture.hpp"

using namespace wengert;

namespace {

std::string lower(std::string_view text) { return to_utf8(lowercase(to_code_points(text))); }

}  // namespace

TEST_CASE("lowercase is Python's") {
    for (const auto& set : score_fixture::fixture().at("sets")) {
        const score_fixture::Lines lines = score_fixture::all_lines(set);
        for (std::size_t i = 0; i < lines.size(); ++i)
            CHECK(lower(lines[i]) == set.at("lowercase").at(i).get<std::string>());
    }
}

TEST_CASE("a capital sigma is final after a letter and before none, past what is no letter of its own") {
    CHECK(lower("Σ") == "σ");
    CHECK(lower("ΑΣ") == "ας");
    CHECK(lower("ΑΣΑ") == "ασα");
    CHECK(lower("Α.Σ.") == "α.ς.");
    CHECK(lower("Α’Σ\u0301") == "α’ς\u0301");
    CHECK(lower("ΑΣ'Α") == "ασ'α");
    CHECK(lower("1Σ") == "1σ");
    CHECK(lower("ⅧΣ ⒶΣ ªΣ") == "ⅷς ⓐς ªς");
}

TEST_CASE("to_code_points and to_utf8 undo each other") {
    const std::string text = "aé我😀";
    CHECK(to_code_points(text) == U"aé我😀");
    CHECK(to_utf8(U"aé我😀") == text);
    CHECK_THROWS_WITH_AS(to_code_points("é\xE6\x88"), "invalid UTF-8 at byte 2", ValueError);
}

TEST_CASE("white space is Python's") {
    for (const char32_t c :
         U"\t\n\v\f\r\u001C\u001D\u001E\u001F \u0085\u00A0\u1680\u2000\u200A\u2028\u2029\u202F\u205F")
        CHECK(is_white_space(c) == (c != 0));
    CHECK(is_white_space(U'\u3000'));
    for (const char32_t c : {U'a', U'\u180E', U'\u200B', U'\u2060', U'\uFEFF'}) CHECK_FALSE(is_white_space(c));
    CHECK(split_words(U" a  bc\u3000d\n") == std::vector<std::u32string_view>{U"a", U"bc", U"d"});
    CHECK(split_words(U" \t").empty());
    CHECK(space_words(U" a  bc\u3000d\n") == U"a bc d");
    CHECK(strip(U" \ta b\n ") == U"a b");
    CHECK(strip_end(U" a ") == U" a");
    CHECK(strip(U" ").empty());
}

TEST_CASE("numbers, punctuation and symbols of any script") {
    for (const char32_t c : {U'7', U'٣', U'Ⅳ', U'½', U'²'}) CHECK(is_number(c));
    for (const char32_t c : {U'_', U'-', U'(', U')', U'«', U'»', U'.', U'。', U'،'}) CHECK(is_punctuation(c));
    for (const char32_t c : {U'+', U'€', U'^', U'♥', U'😀'}) CHECK(is_symbol(c));
    for (const char32_t c : {U'a', U' ', U'我'}) CHECK_FALSE((is_number(c) || is_punctuation(c) || is_symbol(c)));
}
