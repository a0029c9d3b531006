#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bleu_tokenizer.hpp>

#include "score_fixture.hpp"

using namespace wengert;

TEST_CASE("bleu_tokens splits as sacrebleu does") {
    for (const auto& set : score_fixture::fixture().at("sets")) {
        const score_fixture::Lines lines = score_fixture::all_lines(set);
        for (const auto& [name, expected] : set.at("tokens").items()) {
            CAPTURE(name);
            CHECK(to_string(bleu_tokenizer(name)) == name);
            for (std::size_t i = 0; i < lines.size(); ++i)
                CHECK(bleu_tokens(lines[i], bleu_tokenizer(name)) == expected.at(i).get<std::string>());
        }
    }
}

TEST_CASE("bleu_tokens, by hand") {
    const std::string line = " It's 3.5%, “well-known”  (1990-95). ";
    CHECK(bleu_tokens(line, BleuTokenizer::none) == "It's 3.5%, “well-known” (1990-95).");
    CHECK(bleu_tokens(line, BleuTokenizer::v13a) == "It's 3.5 % , “well-known” ( 1990 - 95 ) .");
    CHECK(bleu_tokens(line, BleuTokenizer::zh) == "It's 3.5 % , “ well-known ” ( 1990 - 95 ) .");
    CHECK(bleu_tokens(line, BleuTokenizer::international) == "It ' s 3.5 % , “ well - known ” ( 1990-95 ) .");
    CHECK(bleu_tokens("a 我", BleuTokenizer::characters) == "a 我");
    CHECK(bleu_tokens("ab我", BleuTokenizer::characters) == "a b 我");
}

TEST_CASE("a tokenizer that there is not, and text that is none") {
    CHECK_THROWS_WITH_AS(bleu_tokenizer("14"), "bleu: the tokenizer is \"14\", but must be none, 13a, char, zh, intl",
                         ValueError);
    CHECK_THROWS_WITH_AS(bleu_tokens("ab\xFF", BleuTokenizer::v13a), "bleu_tokens: invalid UTF-8 at byte 2",
                         ValueError);
}
