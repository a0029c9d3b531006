#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <set>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/ops/random/random.hpp>

#include "trained_subwords.hpp"
#include "words.hpp"

using namespace wengert;
using namespace std::string_literals;

namespace {

/// What training refuses with.
std::string refusal(const SubwordOptions& options, const std::vector<std::string>& text = lines()) {
    try {
        Tokenizer::train(text, options);
    } catch (const ValueError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("subwords: a build without libsentencepiece says what to install" *
          doctest::skip(Tokenizer::has_subwords())) {
    const char* what =
        "subwords: this build has no libsentencepiece; install libsentencepiece-dev and configure the build with "
        "-Dsentencepiece=enabled";
    CHECK_THROWS_WITH_AS(Tokenizer::train(lines()), what, ValueError);
    CHECK_THROWS_WITH_AS(Tokenizer::load(lower, "/no/such/file"), what, ValueError);
}

TEST_CASE("subwords: the vocabulary is as large as asked, and has every token" * if_built) {
    for (const SubwordOptions& options : both) {
        const Tokenizer tokenizer = trained(options);
        const Sentence pieces = tokenizer.pieces();
        const std::set<std::string> known(pieces.begin(), pieces.end());
        CHECK(pieces.size() == static_cast<std::size_t>(size_for(options.model)));
        CHECK(known.size() == pieces.size());
        CHECK(known.contains("<0x00>"));
        CHECK(known.contains("<0xFF>"));
        Generator generator;
        for (const std::string& line : lines()) {
            for (const std::string& token : tokenizer.tokenize(line + " ☃<s>▁")) CHECK(known.contains(token));
            for (const std::string& token : tokenizer.tokenize(line, {.alpha = 0.5}, generator))
                CHECK(known.contains(token));
        }
    }
    CHECK(Tokenizer().pieces().empty());
}

TEST_CASE("subwords: training is repeatable, and passes over lines without text" * if_built) {
    for (const SubwordOptions& options : both) {
        const std::string state = state_of(trained(options));
        CHECK(state_of(trained(options)) == state);
        SubwordOptions same = options;
        same.vocabulary_size = size_for(options.model);
        std::vector<std::string> more = lines();
        more.insert(more.begin() + 5, {"", " \u200B"});
        CHECK(state_of(Tokenizer::train(more, same)) == state);
    }
}

TEST_CASE("subwords: text with marks and names of tokens can be learned from" * if_built) {
    std::vector<std::string> text = lines();
    for (int i = 0; i < 100; ++i) text.push_back("x<s> <unk>a<unk> <pad> <0x41><0x41> ▁▁ a▁b ▅▅ a▅");
    for (SubwordOptions options : both) {
        options.vocabulary_size = 340;
        const Tokenizer tokenizer = Tokenizer::train(text, options);
        CHECK(tokenizer.detokenize(tokenizer.tokenize(text.back())) == text.back());
        for (const std::string& token : tokenizer.tokenize(text.back())) {
            CHECK(token.find("▅") == token.npos);
            CHECK(token.find("<s>") == token.npos);
        }
    }
}

TEST_CASE("subwords: a size that does not fit the text is refused with one that does" * if_built) {
    for (SubwordOptions options : both) {
        options.vocabulary_size = 8000;
        const std::string most = refusal(options);
        const std::string start = "subwords: vocabulary_size is 8000, but this text has ";
        REQUIRE(most.starts_with(start));
        REQUIRE(most.ends_with(" pieces at most"));
        options.vocabulary_size = std::stol(most.substr(start.size()));
        CHECK(Tokenizer::train(lines(), options).pieces().size() == static_cast<std::size_t>(options.vocabulary_size));

        options.vocabulary_size = 256;
        const std::string least = refusal(options);
        const std::string front =
            "subwords: vocabulary_size is 256, but the bytes and the characters of this text are ";
        REQUIRE(least.starts_with(front));
        CHECK(least.ends_with(" pieces; a lower character_coverage needs fewer"));
        options.vocabulary_size = std::stol(least.substr(front.size()));
        CHECK(refusal(options).empty());
    }
}

TEST_CASE("subwords: one word without an end, in which spaces are rare" * if_built) {
    std::string same, several;
    for (int i = 0; i < 70000; ++i) same += 'a';
    for (int i = 0; i < 30000; ++i) several += i % 7 == 0 ? "我" : i % 3 == 0 ? "b" : "é";
    for (SubwordOptions options : both) {
        for (const std::string& text : {same, several}) {
            options.vocabulary_size = 263;
            options.character_coverage = 0.98;
            const Tokenizer tokenizer = Tokenizer::train({&text, 1}, options);
            const Sentence tokens = tokenizer.tokenize(text + " " + text);
            CHECK(tokens[0].starts_with("▁"));
            CHECK(tokenizer.detokenize(tokens) == text + " " + text);
        }
    }
}

TEST_CASE("subwords: what cannot be learned from is refused" * if_built) {
    CHECK(refusal({.vocabulary_size = 0}) == "subwords: vocabulary_size is 0, outside [1, 1000000]");
    CHECK(refusal({.character_coverage = 0.5}) == "subwords: character_coverage is 0.5, outside [0.98, 1]");
    CHECK(refusal({}, {}) == "subwords: there is no text to learn pieces from");
    CHECK(refusal({}, {"", " "}) == "subwords: there is no text to learn pieces from");
    CHECK(refusal({}, {"a", "b\xFF"}) == "subwords: line 2 of the text to learn from: text: invalid UTF-8 at byte 1");
    CHECK(refusal({}, {"\0"s}) == "subwords: line 1 of the text to learn from: text: control character at byte 0");
}

TEST_CASE("subwords: nothing is printed" * if_built) {
    const TemporaryFile file;
    const int log = ::open(file.name().c_str(), O_WRONLY), kept = ::dup(STDERR_FILENO);
    ::dup2(log, STDERR_FILENO);
    for (SubwordOptions options : both) {
        trained(options).tokenize("a cat");
        options.vocabulary_size = 8000;
        refusal(options);
    }
    ::dup2(kept, STDERR_FILENO);
    ::close(kept);
    ::close(log);
    CHECK(file.content().empty());
}
