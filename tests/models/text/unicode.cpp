#include <doctest/doctest.h>

#include <wengert/models/text/unicode.hpp>

using namespace wengert;
using namespace std::string_literals;

TEST_CASE("find_invalid_utf8 points at the first byte that is not UTF-8") {
    CHECK_FALSE(find_invalid_utf8(""));
    CHECK_FALSE(find_invalid_utf8("a\0é我🙂"s));
    CHECK(find_invalid_utf8("ab\xFF") == 2);
    CHECK(find_invalid_utf8("é\x80") == 2);
    CHECK(find_invalid_utf8("a\xE6\x88") == 1);          // cut off
    CHECK(find_invalid_utf8("\xC0\xAF") == 0);           // overlong
    CHECK(find_invalid_utf8("a\xED\xA0\x80") == 1);      // surrogate
    CHECK(find_invalid_utf8("a\xF4\x90\x80\x80") == 1);  // above U+10FFFF
}

TEST_CASE("find_control_character lets white space pass") {
    CHECK_FALSE(find_control_character("a\t\n\v\f\r b\u0085"));
    CHECK(find_control_character("ab\0c"s) == 2);
    CHECK(find_control_character("é\x7F") == 2);
    CHECK(find_control_character("é\u0092") == 2);
}

TEST_CASE("normalize composes, folds case and removes invisible format characters") {
    CHECK(normalize("E\u0301", false) == "\u00C9");
    CHECK(normalize("E\u0301 ÄÖ ΑΒ", true) == "\u00E9 äö αβ");
    CHECK(normalize("A\u030A", true) == normalize("\u212B", true));
    CHECK(normalize("a\tb\nc", false) == "a b c");
    CHECK(normalize("\uFEFFa\u200Bb\u00ADc\u200E", false) == "abc");
    CHECK(normalize("می\u200Cخواهم", false) == "می\u200Cخواهم");
    CHECK(normalize("a\u0301\u200B\u0323", false) == normalize("a\u0301\u0323", false));
    CHECK(normalize("", true).empty());
}

TEST_CASE("characters are grapheme clusters with a class") {
    const std::string text = "e\u0323\u0301👩‍🚀 1";
    const auto split = characters(text);
    REQUIRE(split.size() == 4);
    CHECK(split[0].text == "e\u0323\u0301");
    CHECK(split[0].kind == CharacterClass::letter);
    CHECK(split[1].text == "👩‍🚀");
    CHECK(split[1].kind == CharacterClass::symbol);
    CHECK(split[2].kind == CharacterClass::space);
    CHECK(split[3].kind == CharacterClass::digit);

    const auto kind = [](std::string_view character) { return characters(character).at(0).kind; };
    for (const char* c : {"我", "々", "〇", "ひ", "カ", "ー", "ｶ", "ㄅ", "𠀀"})
        CHECK(kind(c) == CharacterClass::ideograph);
    for (const char* c : {"。", "，", "？", "「", "」", "～", "￥", "・"}) CHECK(kind(c) == CharacterClass::fullwidth);
    for (const char* c : {"a", "ж", "한", "ไ", "_", "²", "Ａ"}) CHECK(kind(c) == CharacterClass::letter);
    for (const char* c : {"(", "«", "“", "„"}) CHECK(kind(c) == CharacterClass::opening);
    for (const char* c : {")", "»", "”", "’"}) CHECK(kind(c) == CharacterClass::closing);
    for (const char* c : {".", "!", "'", "؟", "।"}) CHECK(kind(c) == CharacterClass::punctuation);
    CHECK(kind("—") == CharacterClass::dash);
    CHECK(kind("€") == CharacterClass::currency);
    CHECK(kind("　") == CharacterClass::space);
}

TEST_CASE("a combining mark on a space is not lost with the space") {
    const auto split = characters("a \u0301b");
    REQUIRE(split.size() == 4);
    CHECK(split[2].text == "\u0301");
    CHECK(split[2].kind == CharacterClass::letter);
}

TEST_CASE("characters of invalid text are bytes") {
    const auto split = characters("a\xFF\xE6");
    REQUIRE(split.size() == 3);
    CHECK(split[1].text == "\xFF");
    CHECK(split[2].kind == CharacterClass::symbol);
}
