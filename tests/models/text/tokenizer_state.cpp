#include <doctest/doctest.h>

#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/ops/random/random.hpp>

#include "trained_subwords.hpp"
#include "words.hpp"

using namespace wengert;
using namespace std::string_literals;

namespace {

constexpr TokenizerOptions cased{.mode = TokenizerMode::subwords, .lowercase = false};

/// What reading this file is refused with, without the path.
std::string state_error(const TokenizerOptions& options, std::string_view content) {
    const TemporaryFile file(content);
    try {
        Tokenizer::load(options, file.path());
    } catch (const FileError& error) {
        const std::string what = error.what();
        REQUIRE(what.starts_with(file.name()));
        return what.substr(file.name().size());
    }
    return "";
}

constexpr const char* no_whole_file =
    ": is no whole file of subwords: its last bytes are not the mark of one, or do not fit the others";

}  // namespace

TEST_CASE("subwords have to be learned") {
    CHECK_THROWS_WITH_AS(Tokenizer{lower},
                         "tokenizer: subwords have to be learned; Tokenizer::train does, Tokenizer::load reads them",
                         ValueError);
}

TEST_CASE("subwords: saved and loaded" * if_built) {
    for (SubwordOptions options : both) {
        for (const bool lowercase : {true, false}) {
            options.lowercase = lowercase;
            const Tokenizer tokenizer = trained(options);
            CHECK(tokenizer.has_state());
            const TemporaryFile file;
            tokenizer.save(file.path());
            const Tokenizer loaded = Tokenizer::load(tokenizer.options(), file.path());
            CHECK(loaded.options() == tokenizer.options());
            CHECK(loaded.pieces() == tokenizer.pieces());
            CHECK(state_of(loaded) == file.content());
            Generator one(1), two(1);
            for (const std::string& line : lines()) {
                CHECK(loaded.tokenize(line) == tokenizer.tokenize(line));
                CHECK(loaded.tokenize(line, {.alpha = 0.5}, one) == tokenizer.tokenize(line, {.alpha = 0.5}, two));
            }
        }
    }
    CHECK_THROWS_WITH_AS(trained().save("/no/such/file"), "/no/such/file: cannot be written: No such file or directory",
                         FileError);
}

TEST_CASE("words and characters have no state") {
    for (const TokenizerMode mode : {TokenizerMode::words, TokenizerMode::characters}) {
        const Tokenizer tokenizer({.mode = mode, .lowercase = false});
        CHECK_FALSE(tokenizer.has_state());
        tokenizer.save("/no/such/file");
        CHECK(Tokenizer::load(tokenizer.options(), "/no/such/file").options() == tokenizer.options());
        Generator generator;
        CHECK(tokenizer.tokenize("a bc", {.alpha = 0.5}, generator) == tokenizer.tokenize("a bc"));
        CHECK(generator.position() == 0);
    }
}

TEST_CASE("a copied and a moved tokenizer split alike" * if_built) {
    Tokenizer first = trained();
    const Tokenizer second = first, third = std::move(first);
    CHECK(second.tokenize("a cat") == third.tokenize("a cat"));
    CHECK(first.tokenize("a cat") == third.tokenize("a cat"));
    first = Tokenizer();
    CHECK(first.tokenize("a cat") == words("a cat"));
}

TEST_CASE("subwords of a model that another program has trained" * if_built) {
    for (SubwordOptions options : both) {
        options.lowercase = false;
        const Tokenizer own = trained(options);
        // What this library adds to a model stands at its end, behind the three bytes of a field.
        const std::string state = state_of(own), model = state.substr(0, state.rfind("wengert subwords") - 3);
        const TemporaryFile with_mark(state), without_mark(model);
        const Tokenizer given = Tokenizer::from_sentencepiece(without_mark.path(), false);
        CHECK(given.options() == own.options());
        CHECK(given.pieces() == own.pieces());
        CHECK(state_of(given) == state);  // of the same kind, bpe or unigram
        for (const std::string& line : lines()) CHECK(given.tokenize(line) == own.tokenize(line));
        CHECK(state_of(Tokenizer::from_sentencepiece(with_mark.path(), false)) == state);

        const auto error_of = [](std::string_view content, bool lowercase) {
            const TemporaryFile file(content);
            try {
                Tokenizer::from_sentencepiece(file.path(), lowercase);
            } catch (const FileError& error) {
                return std::string(error.what()).substr(file.name().size());
            }
            return std::string();
        };
        const std::string capitals = error_of(model, true);
        CHECK(capitals.starts_with(": has pieces with capitals, such as "));
        CHECK(capitals.ends_with(", but text is brought to lower case"));
        CHECK(error_of(state, true) == ": has pieces of cased text, but the settings say lowercase = true");
        for (const std::string& other :
             {std::string(), "no model\n"s, model.substr(0, model.size() / 2), "\xff\xfe\0"s})
            CHECK(error_of(other, false) == ": is no whole model of sentencepiece");
        std::string damaged = state;
        damaged[damaged.size() / 2] ^= 4;
        CHECK(error_of(damaged, false) == no_whole_file);
        // A trainer's settings, with a kind of model that has no subwords.
        CHECK(error_of("\x12\x02\x18\x03"s, false) ==
              ": is a model of sentencepiece whose tokens are no subwords, but words or characters");
    }
    CHECK_THROWS_WITH_AS(Tokenizer::from_sentencepiece("/no/such/file", true),
                         "/no/such/file: cannot be opened: No such file or directory", FileError);
}

TEST_CASE("subwords: a file that is not whole is refused" * if_built) {
    const std::string state = state_of(trained());
    REQUIRE(state_error(lower, state).empty());
    for (std::size_t length = 0; length < state.size(); length += length + 100 < state.size() ? 97 : 1) {
        CHECK(state_error(lower, state.substr(0, length)) == no_whole_file);
    }
    for (std::size_t at = 0; at < state.size(); at += at + 100 < state.size() ? 101 : 1) {
        std::string changed = state;
        changed[at] ^= 4;
        CHECK(state_error(lower, changed) == no_whole_file);
    }
    CHECK(state_error(lower, state + "\n") == no_whole_file);
    CHECK(state_error(lower, "<pad>\n<s>\n</s>\n<unk>\n") == no_whole_file);
    CHECK(state_error(cased, state) == ": has pieces of lower-case text, but the settings say lowercase = false");
    CHECK_THROWS_WITH_AS(Tokenizer::load(lower, "/no/such/file"),
                         "/no/such/file: cannot be opened: No such file or directory", FileError);
    CHECK_THROWS_WITH_AS(Tokenizer::load(lower, "/"), "/: cannot be read: Is a directory", FileError);
}
