#include <doctest/doctest.h>

#include <algorithm>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/vocabulary.hpp>

#include "temporary_file.hpp"
#include "trained_subwords.hpp"
#include "words.hpp"

using namespace wengert;

namespace {

const std::vector<Sentence> sentences = {words("b a c"), words("a 我 b"), words("a é d")};

std::vector<std::string> tokens(const Vocabulary& vocabulary) {
    std::vector<std::string> result;
    for (std::int64_t id = 0; id < vocabulary.size(); ++id) result.push_back(vocabulary.token(id));
    return result;
}

std::string load_error(const std::string& content) {
    const TemporaryFile file(content);
    try {
        Vocabulary::load(file.path());
    } catch (const FileError& error) {
        const std::string what = error.what();
        REQUIRE(what.starts_with(file.name()));
        return what.substr(file.name().size());
    }
    return "";
}

}  // namespace

TEST_CASE("the most frequent tokens come first, ties in code point order") {
    CHECK(tokens(Vocabulary::build(sentences)) == words("<pad> <s> </s> <unk> a b c d é 我"));
    CHECK(tokens(Vocabulary::build(sentences, {.max_size = 7})) == words("<pad> <s> </s> <unk> a b c"));
    CHECK(tokens(Vocabulary::build(sentences, {.min_count = 2})) == words("<pad> <s> </s> <unk> a b"));
}

TEST_CASE("a vocabulary without tokens is refused") {
    CHECK_THROWS_WITH_AS(Vocabulary::build(sentences, {.max_size = 4}),
                         "vocabulary: max_size is 4, but 4 ids are special", ValueError);
    CHECK_THROWS_WITH_AS(Vocabulary::build(sentences, {.min_count = 4}), "vocabulary: no token occurs 4 times or more",
                         ValueError);
    CHECK_THROWS_AS(Vocabulary::build({}), ValueError);
}

TEST_CASE("tokens that would not survive saving are refused") {
    const auto build = [](const std::string& token) { return Vocabulary::build(std::vector<Sentence>{{token}}); };
    CHECK_THROWS_WITH_AS(build("a\nb"), "vocabulary: token with a line break", ValueError);
    CHECK_THROWS_WITH_AS(build(""), "vocabulary: empty token", ValueError);
    CHECK_THROWS_WITH_AS(build("a\xFF"), "vocabulary: invalid UTF-8 at byte 1", ValueError);
    CHECK_THROWS_WITH_AS(build("<s>"), "vocabulary: \"<s>\" already has id 1", ValueError);
}

TEST_CASE("encode and decode") {
    const Vocabulary vocabulary = Vocabulary::build(sentences);
    CHECK(vocabulary.id("我") == 9);
    CHECK(vocabulary.id("nowhere") == Vocabulary::unknown);
    const std::vector<std::int64_t> ids = {4, 3, 9};
    CHECK(vocabulary.encode(words("a nowhere 我")) == ids);
    CHECK(vocabulary.decode(ids) == words("a <unk> 我"));
    CHECK(vocabulary.decode(std::vector<std::int64_t>{1, 4, 0, 5, 2, 6}) == words("a b"));
    CHECK_THROWS_WITH_AS(vocabulary.token(10), "vocabulary: id 10 is not in [0, 10)", ValueError);
    CHECK_THROWS_AS(vocabulary.decode(std::vector<std::int64_t>{-1}), ValueError);
}

TEST_CASE("saved one token a line and loaded again") {
    const Vocabulary vocabulary = Vocabulary::build(sentences);
    const TemporaryFile file;
    vocabulary.save(file.path());
    CHECK(file.content() == "<pad>\n<s>\n</s>\n<unk>\na\nb\nc\nd\né\n我\n");
    const Vocabulary loaded = Vocabulary::load(file.path());
    CHECK(tokens(loaded) == tokens(vocabulary));
    CHECK(loaded.id("我") == 9);
    CHECK(tokens(Vocabulary::load(TemporaryFile("<pad>\r\n<s>\r\n</s>\r\n<unk>\r\na b\r\n").path())).back() == "a b");
}

TEST_CASE("given tokens keep their order") {
    CHECK(tokens(Vocabulary::of(words("b a ▁"))) == words("<pad> <s> </s> <unk> b a ▁"));
    CHECK(Vocabulary::of({}).size() == 4);
    CHECK_THROWS_WITH_AS(Vocabulary::of(words("a b a")), "vocabulary: \"a\" already has id 4", ValueError);
    CHECK_THROWS_WITH_AS(Vocabulary::of(words("</s>")), "vocabulary: \"</s>\" already has id 2", ValueError);
    CHECK_THROWS_WITH_AS(Vocabulary::of(Sentence{""}), "vocabulary: empty token", ValueError);
}

TEST_CASE("pieces, bytes, spaces and control characters survive saving") {
    const Sentence pieces = {"▁the", "▁",       "ing", "<0x0A>", "<0xE6>", "<0x",
                             "\x01", "▁\x03s>", " ",   "a b",    "\t",     "\u2028"};
    const TemporaryFile file;
    Vocabulary::of(pieces).save(file.path());
    const Vocabulary loaded = Vocabulary::load(file.path());
    CHECK(loaded.size() == 4 + static_cast<std::int64_t>(pieces.size()));
    CHECK(loaded.decode(loaded.encode(pieces)) == pieces);
}

TEST_CASE("to a vocabulary of all pieces no text is unknown" * if_built) {
    for (const SubwordOptions& options : both) {
        const Tokenizer tokenizer = trained(options);
        const TemporaryFile file;
        Vocabulary::of(tokenizer.pieces()).save(file.path());
        const Vocabulary vocabulary = Vocabulary::load(file.path());
        for (const std::string text : {"the cat", "жук ☃ 我们走", "▁ <s> a</s> <0x41>", "👩‍🚀"}) {
            const auto ids = vocabulary.encode(tokenizer.tokenize(text));
            CHECK(std::ranges::count(ids, Vocabulary::unknown) == 0);
            CHECK(tokenizer.detokenize(vocabulary.decode(ids)) == text);
        }
    }
}

TEST_CASE("a broken vocabulary file is an error at its line") {
    CHECK(load_error("<pad>\n<s>\n<unk>\n") == ":3: expected </s>");
    CHECK(load_error("<pad>\n<s>\n") == ":3: expected </s>, found the end of the file");
    CHECK(load_error("") == ":1: expected <pad>, found the end of the file");
    CHECK(load_error("<pad>\n<s>\n</s>\n<unk>\na\nb\na\n") == ":7: \"a\" already has id 4");
    CHECK(load_error("<pad>\n<s>\n</s>\n<unk>\na\n\nb\n") == ":6: empty token");
    CHECK(load_error("<pad>\n<s>\n</s>\n<unk>\n\xFF\n") == ":5: invalid UTF-8 at byte 0");
}

TEST_CASE("a path that cannot be written is named with the system's reason") {
    CHECK_THROWS_WITH_AS(Vocabulary::build(sentences).save("/no/such/vocabulary"),
                         "/no/such/vocabulary: cannot be written: No such file or directory", FileError);
}
