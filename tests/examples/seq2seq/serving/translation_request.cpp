#include "seq2seq/serving/translation_request.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace wengert;
using namespace wengert::program;

namespace {

TranslationRequest read_body(const std::string& body) {
    return read_request(body, {.beam = 2, .length_penalty = 0.5}, {.max_sentences = 3, .max_words = 20, .max_beam = 8});
}

std::string error_of_body(const std::string& body) {
    try {
        read_body(body);
    } catch (const ValueError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("a request has a text or several, and what it does not say is usual") {
    const TranslationRequest one = read_body(R"({"text": "Tom sleeps."})");
    CHECK(one.texts == std::vector<std::string>{"Tom sleeps."});
    CHECK(one.model.empty());
    CHECK(!one.attention);
    CHECK(!one.replace_unknown);
    CHECK(one.prefix.empty());
    CHECK(one.search.beam == 2);
    CHECK(one.search.length_penalty == 0.5);

    const TranslationRequest all = read_body(
        R"({"text": ["", "\"<b>&amp;\"\n", "汤姆 مرحبا \ud83d\ude00"], "model": "m", "attention": true,
            "prefix": "a \"<\n", "replace_unknown": true, "beam": 4, "n_best": 3, "no_unknown": true, "max_length": 20})");
    CHECK(all.texts == std::vector<std::string>{"", "\"<b>&amp;\"\n", "汤姆 مرحبا 😀"});
    CHECK(all.model == "m");
    CHECK(all.attention);
    CHECK(all.prefix == "a \"<\n");
    CHECK(all.replace_unknown);
    CHECK(all.search.beam == 4);
    CHECK(all.search.n_best == 3);
    CHECK(all.search.no_unknown);
    CHECK(all.search.max_length == 20);
    CHECK(read_body(R"({"text": []})").texts.empty());
    CHECK(read_body("\xEF\xBB\xBF{\"text\": \"a\"}").texts.size() == 1);  // some editors write such a mark
}

TEST_CASE("a request that is none is told what is wrong, and where") {
    const std::string deep(100'000, '[');
    for (const auto& [body, error] : std::initializer_list<std::pair<std::string, std::string>>{
             {"", "the body is not JSON: see byte 1"},
             {"{", "the body is not JSON: see byte 2"},
             {"text=Tom", "the body is not JSON: see byte 2"},
             {R"({"text": "a"} {})", "the body is not JSON: see byte 15"},
             {R"({"text": "\ud800"})", "the body is not JSON: see byte 17"},
             {std::string("{\"text\": \"a\0b\"}", 15), "the body is not JSON: see byte 12"},
             {"{\"text\": \"\xff\"}", "the body is not UTF-8: see byte 10"},
             {R"({"text": 1e999})", "the body has a number that is out of range"},
             {deep, "the body is nested more than 8 deep"},
             {R"({"text": )" + deep, "the body is nested more than 8 deep"},
             {R"([])", R"(the body is not an object with "text", such as {"text": "a sentence"})"},
             {R"("a")", R"(the body is not an object with "text", such as {"text": "a sentence"})"},
             {R"({})", "\"text\" is missing"},
             {R"({"text": "a", "text": "b"})", "\"text\" is given twice"},
             {R"({"text": null})", "\"text\" is null, not a text or an array of texts"},
             {R"({"text": ["a", 5]})", "\"text\"[1] is 5, not a text"},
             {R"({"text": ["a", "b", "c", "d"]})", "\"text\" has 4 sentences, and 3 are the most"},
             {R"({"text": "a", "model": 1})", "\"model\" is 1, not a text"},
             {R"({"text": "a", "prefix": ["b"]})", "\"prefix\" is [\"b\"], not a text"},
             {R"({"text": "a", "model": null})", "\"model\" is null, not a text"},
             {R"({"text": "a", "attention": "yes"})", "\"attention\" is \"yes\", not true or false"},
             {R"({"text": "a", "replace_unknown": 1})", "\"replace_unknown\" is 1, not true or false"},
             {R"({"text": "a", "bream": 4})", "there is no field \"bream\" (did you mean beam?)"},
             {R"({"text": "a", "n-best": 4})", "there is no field \"n-best\" (did you mean n_best?)"},
             {R"({"text": "a", "<script>": 4})", "there is no field \"<script>\""},
             {R"({"text": "a", "": 4})", "there is no field \"\""},
             {R"({"text": "a", "before_step": 4})", "there is no field \"before_step\""},
             {R"({"text": "a", "beam": "4"})", "\"beam\" is \"4\", not an integer in [1, 1000]"},
             {R"({"text": "a", "beam": 9})", "\"beam\" is 9, and 8 is the most here"},
             {R"({"text": "a", "n_best": 3})", "search: n_best is 3, more than the beam of 2"},
             {R"({"text": "a", "max_length": 21})", "\"max_length\" is 21, and 20 is the most here"},
             {R"({"text": "a", "min_length": 21})", "\"min_length\" is 21, and 20 is the most here"},
             {R"({"text": "a", "top_k": 5})", "\"top_k\" changes nothing without \"sample\""},
         }) {
        CAPTURE(body.substr(0, 80));
        CHECK(error_of_body(body) == error);
    }
    // As many letters as a request may have are no name that was mistyped.
    CHECK(error_of_body("{\"text\": \"a\", \"" + std::string(1'000'000, 'x') + "\": 1}").ends_with("x\""));
    for (const std::string letter : {"\"", "\\", "[", "{\"a\":", "\xF0\x9F\x98\x80", "\t", "-", "1"}) {
        std::string many;
        for (int i = 0; i < 10'000; ++i) many += letter;
        CAPTURE(letter);
        CHECK(error_of_body(many) != "");
        CHECK(error_of_body("{\"text\": " + many) != "");
    }
}
