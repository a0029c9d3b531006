#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/tokenizer.hpp>

#include "words.hpp"

using namespace wengert;
using namespace std::string_literals;

namespace {

/// Tokens joined by "|", so that a failure reads well.
std::string split(std::string_view text, TokenizerOptions options = {}) {
    std::string joined;
    for (const std::string& token : Tokenizer(options).tokenize(text)) joined += (joined.empty() ? "" : "|") + token;
    return joined;
}

std::string join(const std::string& tokens) { return Tokenizer().detokenize(words(tokens)); }

constexpr TokenizerOptions by_character{.mode = TokenizerMode::characters, .lowercase = true};

}  // namespace

TEST_CASE("words: white space separates, marks are tokens, case is folded") {
    CHECK(split("Tom chases Jerry.") == "tom|chases|jerry|.");
    CHECK(split("  Hi\t(Tom)!\u3000") == "hi|(|tom|)|!");
    CHECK(split("Tom", {.lowercase = false}) == "Tom");
    CHECK(split("“Où?” «là»") == "“|où|?|”|«|là|»");
    CHECK(split("100% of $20 & more") == "100|%|of|$|20|&|more");
    CHECK(split("").empty());
    CHECK(split(" \t\u200B ").empty());
}

TEST_CASE("words: scripts without spaces are split by character") {
    CHECK(split("我们走。") == "我|们|走|。");
    CHECK(split("我用iPhone 12打電話") == "我|用|iphone|12|打|電|話");
    CHECK(split("私はトムです") == "私|は|ト|ム|で|す");
    CHECK(split("한국어 문장") == "한국어|문장");
    CHECK(split("が") == split("か\u3099"));
}

TEST_CASE("words: marks inside words and numbers stay") {
    CHECK(split("I don't, Tom's o’clock l'homme") == "i|don't|,|tom's|o'clock|l'homme");
    CHECK(split("'Hello', the boys' dogs") == "'|hello|'|,|the|boys|'|dogs");
    CHECK(split("3.14, 1,000 at 7:30 a.m.") == "3.14|,|1,000|at|7:30|a.m|.");
    CHECK(split("Yes,no;in 1999.He said:x") == "yes|,|no|;|in|1999|.|he|said|:|x");
    CHECK(split("A well-known Vor- und Nachteil - so") == "a|well-known|vor-|und|nachteil|-|so");
    CHECK(split("wait... what--no…… - -") == "wait|...|what|--|no|……|-|-");
    CHECK(split("我'm 'and") == "我|'|m|'|and");
}

TEST_CASE("words: text as Moses leaves it gives the tokens of plain text") {
    CHECK(split("a woman &apos;s hat , &quot; R &amp; D &quot; &lt; &#91; &#124;") ==
          "a|woman's|hat|,|\"|r|&|d|\"|<|[||");
    CHECK(split("they 're here , aren 't they") == "they're|here|,|aren't|they");
    CHECK(split("he said 's' and 'sure") == "he|said|'|s|'|and|'|sure");
    CHECK(split("&amp;quot; &unknown; &") == "&|quot|;|&|unknown|;|&");
}

TEST_CASE("words: tokens joined by spaces are split into themselves") {
    for (const char* text : {"I don't know (yet)... 3.14% -- 'quoted' woman's", "他说：“我用 iPhone。”——好……",
                             "e\u0301 👩‍🚀🇩🇪 $5 --a -'s .5 a.b ’tis"}) {
        const Sentence tokens = Tokenizer().tokenize(text);
        std::string spaced;
        for (const std::string& token : tokens) spaced += token + ' ';
        CHECK(Tokenizer().tokenize(spaced) == tokens);
    }
}

TEST_CASE("characters: every character is a token, runs of space are one mark") {
    CHECK(split("Hi  Tom", by_character) == "h|i|▁|t|o|m");
    CHECK(split(" 我 们 ", by_character) == "我|▁|们");
    CHECK(split("e\u0323\u0301!", {.mode = TokenizerMode::characters, .lowercase = false}) == "ẹ\u0301|!");
    const Tokenizer tokenizer(by_character);
    CHECK(tokenizer.detokenize(tokenizer.tokenize("tom's cat, 我 们。")) == "tom's cat, 我 们。");
}

TEST_CASE("tokenize names the byte that is not text") {
    CHECK_THROWS_WITH_AS(split("ab\xFF"), "text: invalid UTF-8 at byte 2", ValueError);
    CHECK_THROWS_WITH_AS(split("a\0b"s, by_character), "text: control character at byte 1", ValueError);
}

TEST_CASE("detokenize writes as a person would") {
    CHECK(join("tom chases jerry .") == "tom chases jerry.");
    CHECK(join("hi , ( tom ) ! isn't it ?") == "hi, (tom)! isn't it?");
    CHECK(join("我 们 走 。") == "我们走。");
    CHECK(join("他 说 ： “ 我 用 iphone 12 。 ” “ 好 ， tom ！ ”") == "他说：“我用iphone 12。”“好，tom！”");
    CHECK(join("很 大 , 不 是 ?") == "很大,不是?");
    CHECK(join("he said \" yes \" and \" no \" .") == "he said \"yes\" and \"no\".");
    CHECK(join("the boys ' dogs , 5 \"") == "the boys' dogs, 5\"");
    CHECK(join("\" hello") == "\"hello");
    CHECK(join("„ ja “ sagt er , “ yes ” she says") == "„ja“ sagt er, “yes” she says");
    CHECK(join("it costs $ 20 or 20 € , 5 % of r & d") == "it costs $20 or 20€, 5% of r & d");
    CHECK(join("and / or ¿ qué ? wait ... no - yes") == "and/or ¿qué? wait... no - yes");
    CHECK(join("a <unk> b") == "a <unk> b");
    CHECK(join("").empty());
}

TEST_CASE("detokenize survives any token") {
    const Sentence tokens = {"", "$", "", "\xFF", "'", "(", "\xE6\x88"};
    CHECK(Tokenizer().detokenize(tokens) == "$\xFF' (\xE6\x88");
}

TEST_CASE("settings travel through JSON") {
    for (const TokenizerOptions options : {TokenizerOptions{}, by_character, TokenizerOptions{.lowercase = false}}) {
        CHECK(nlohmann::json::parse(nlohmann::json(options).dump()).get<TokenizerOptions>() == options);
    }
    CHECK(nlohmann::json(TokenizerOptions{}).dump() == R"({"lowercase":true,"mode":"words"})");
    const auto read = [](const char* text) { return nlohmann::json::parse(text).get<TokenizerOptions>(); };
    CHECK_THROWS_WITH_AS(
        read(R"({"mode": "bytes", "lowercase": true})"),
        "tokenizer settings: mode is \"bytes\", not \"words\", \"characters\", \"subwords\" or \"spaces\"", ValueError);
    CHECK_THROWS_AS(read(R"({"mode": "words"})"), ValueError);
    CHECK_THROWS_AS(read(R"({"mode": 1, "lowercase": true})"), ValueError);
    CHECK_THROWS_AS(read("[]"), ValueError);
}
