#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <set>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/models/text/unicode.hpp>
#include <wengert/ops/random/random.hpp>

#include "trained_subwords.hpp"
#include "words.hpp"

using namespace wengert;
using namespace std::string_literals;

namespace {

std::string joined(const Sentence& tokens, std::string_view separator) {
    std::string text;
    for (const std::string& token : tokens) text += (text.empty() ? "" : std::string(separator)) + token;
    return text;
}

}  // namespace

TEST_CASE("subwords: a mark stands before each word, and case is folded" * if_built) {
    const Tokenizer tokenizer = trained();
    CHECK(tokenizer.tokenize("the cat is walking") == words("▁the ▁cat ▁is ▁walking"));
    CHECK(tokenizer.tokenize("The CAT") == tokenizer.tokenize("the cat"));
    CHECK(trained({.lowercase = false}).tokenize("The cat") == words("▁The ▁cat"));
    CHECK(tokenizer.tokenize("").empty());
    CHECK(tokenizer.tokenize(" \t\u200B\u3000").empty());
    CHECK(tokenizer.options() == lower);
    CHECK_THROWS_WITH_AS(tokenizer.tokenize("ab\xFF"), "text: invalid UTF-8 at byte 2", ValueError);
    CHECK_THROWS_WITH_AS(tokenizer.tokenize("a\0b"s), "text: control character at byte 1", ValueError);
}

TEST_CASE("subwords: what has no piece is bytes" * if_built) {
    for (const SubwordOptions& options : both) {
        const Tokenizer tokenizer = trained(options);
        CHECK(tokenizer.tokenize("☃ ж") == words("▁ <0xE2> <0x98> <0x83> ▁ <0xD0> <0xB6>"));
        const auto join = [&](const char* tokens) { return tokenizer.detokenize(words(tokens)); };
        CHECK(join("▁a <0xE2> <0x98> <0x83> b ▁ c <unk>") == "a☃b c<unk>");
        CHECK(join("a ▁ <0xE2> <0x98> ▁b <0xFF>") == "a \uFFFD\uFFFD b\uFFFD");
        CHECK(join("<0x00> <0x0A> <0x7F> <0x41> <0x4> <0xZZ>") == "\uFFFD\uFFFD\uFFFDA<0x4><0xZZ>");
        CHECK(join("").empty());
    }
}

TEST_CASE("subwords: text of every script comes back" * if_built) {
    for (SubwordOptions options : both) {
        for (const bool lowercase : {true, false}) {
            options.lowercase = lowercase;
            const Tokenizer tokenizer = trained(options);
            for (const char* text : {"The Cat, the Mouse (2).",
                                     "Über die Straße",
                                     "我们走，汤姆。",
                                     "私はトムです",
                                     "한국어 문장",
                                     "Привет, Мир",
                                     "Γειά σου ΚΌΣΜΕ",
                                     "שלום עולם",
                                     "مرحبا بالعالم",
                                     "می\u200Cخواهم",
                                     "नमस्ते दुनिया",
                                     "สวัสดีชาวโลก",
                                     "வணக்கம் உலகம்",
                                     "ሰላም ልዑል",
                                     "გამარჯობა",
                                     "Բարեւ Ձեզ",
                                     "မင်္ဂလာပါ",
                                     "བཀྲ་ཤིས",
                                     "សួស្តី",
                                     "👩‍🚀🇩🇪 $5 𝔘𠀀",
                                     "e\u0323\u0301 \u0301x",
                                     "<s> a<s>b </s> <unk> <pad> <0x41> <0xZZ> < <b>",
                                     "▁ ▁▁a▁ ▅b",
                                     "\uFFFF \U0010FFFF\uE000 \uFDD0"}) {
                CAPTURE(text);
                CHECK(tokenizer.detokenize(tokenizer.tokenize(text)) == normalize(text, lowercase));
            }
            CHECK(tokenizer.detokenize(tokenizer.tokenize("  a \t b\u3000c\u00A0 ")) == "a b c");
        }
    }
}

TEST_CASE("subwords: random text comes back" * if_built) {
    std::mt19937 engine(3);
    const auto code_point = [&](std::string& text) {
        constexpr std::uint32_t ends[] = {0x80, 0x800, 0x10000, 0x110000};
        const std::uint32_t code = engine() % ends[engine() % 4];
        if (code >= 0xD800 && code < 0xE000) return;
        const auto put = [&](std::uint32_t head, int shift) { text += static_cast<char>(head | (code >> shift)); };
        const auto more = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
        if (code < 0x80) return put(0, 0);
        if (code < 0x800) return put(0xC0, 6), more(0);
        if (code < 0x10000) return put(0xE0, 12), more(6), more(0);
        put(0xF0, 18), more(12), more(6), more(0);
    };
    for (const SubwordOptions& options : both) {
        const Tokenizer tokenizer = trained(options);
        Generator generator;
        for (int round = 0; round < 300; ++round) {
            std::string text;
            for (int i = 0; i < 20; ++i) code_point(text);
            if (find_control_character(text)) continue;
            CAPTURE(text);
            Sentence separate;
            bool in_word = false;
            const std::string normalized = normalize(text, true);
            for (const Character& c : characters(normalized)) {
                const bool is_space = c.kind == CharacterClass::space;
                if (!is_space && !in_word) separate.emplace_back();
                if (!is_space) separate.back() += c.text;
                in_word = !is_space;
            }
            const std::string expected = joined(separate, " ");
            CHECK(tokenizer.detokenize(tokenizer.tokenize(text)) == expected);
            CHECK(tokenizer.detokenize(tokenizer.tokenize(text, {.alpha = 0.3}, generator)) == expected);
        }
    }
}

TEST_CASE("subwords: text that is split at spaces keeps its tokens" * if_built) {
    const Tokenizer tokenizer = trained();
    for (const char* text : {"two men 's hats , and a dog .", "they aren 't here ( yet ) ...", "\" a @-@ b \" -- c"}) {
        CHECK(tokenizer.detokenize(tokenizer.tokenize(text)) == text);
    }
    CHECK(tokenizer.detokenize(tokenizer.tokenize("a man &apos;s hat &amp; coat")) == "a man 's hat & coat");
}

TEST_CASE("subwords: long lines" * if_built) {
    std::string many, one;
    for (int i = 0; i < 10000; ++i) many += i % 3 == 0 ? "cat " : "dog ";
    for (int i = 0; i < 10000; ++i) one += i % 3 == 0 ? "cat" : "dog";
    many.pop_back();
    for (SubwordOptions options : both) {
        const Tokenizer tokenizer = trained(options);
        for (const std::string& text : {many, one}) CHECK(tokenizer.detokenize(tokenizer.tokenize(text)) == text);
        Generator generator;
        CHECK(tokenizer.detokenize(tokenizer.tokenize(many, {.alpha = 0.2}, generator)) == many);
        options.vocabulary_size = size_for(options.model);
        std::vector<std::string> text = lines();
        text.push_back(many);
        const Tokenizer learned = Tokenizer::train(text, options);
        CHECK(learned.detokenize(learned.tokenize(many)) == many);
    }
}

TEST_CASE("subwords drawn at random" * if_built) {
    const std::string text = "My neighbour's dog is looking for a walking dog! 他的狗想找老鼠。 ☃";
    for (const SubwordOptions& options : both) {
        const Tokenizer tokenizer = trained(options);
        const bool is_bpe = options.model == SubwordModel::bpe;
        Generator generator(5), again(5);
        // Without dropout, and with all but the best weighed down.
        for (const std::string& line : lines()) {
            CHECK(tokenizer.tokenize(line, {.alpha = is_bpe ? 0.0 : 1000.0}, generator) == tokenizer.tokenize(line));
        }
        generator.seek(0);
        std::set<Sentence> drawn;
        for (int i = 0; i < 50; ++i) {
            const Sentence tokens = tokenizer.tokenize(text, {.alpha = 0.3}, generator);
            CHECK(tokens == tokenizer.tokenize(text, {.alpha = 0.3}, again));
            CHECK(tokenizer.detokenize(tokens) == normalize(text, true));
            drawn.insert(tokens);
        }
        CHECK(drawn.size() > 10);
        const double largest = is_bpe ? 1.5 : INFINITY;
        CHECK_THROWS_WITH_AS(tokenizer.tokenize(text, {.alpha = largest}, generator),
                             is_bpe ? "subwords: alpha, the dropout of byte pairs, is 1.5, outside [0, 1]"
                                    : "subwords: alpha is inf, but must be finite and 0 or more",
                             ValueError);
        CHECK_THROWS_AS(tokenizer.tokenize(text, {.alpha = -0.1}, generator), ValueError);
        CHECK_THROWS_AS(tokenizer.tokenize(text, {.alpha = NAN}, generator), ValueError);
    }
    Generator generator;
    CHECK(trained().tokenize("a cat!", {.alpha = 1}, generator) == words("▁ a ▁ c a t !"));
}
