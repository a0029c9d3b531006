#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/corpus.hpp>

#include "temporary_file.hpp"
#include "words.hpp"

using namespace wengert;
using namespace std::string_literals;

namespace {

const Tokenizer tokenizer;

/// What the function throws as FileError, with the names of the files replaced by FILE.
template <class Function>
std::string error_of(Function function, const std::string& name) {
    try {
        function();
    } catch (const FileError& error) {
        std::string what = error.what();
        for (auto at = what.find(name); at != what.npos; at = what.find(name)) what.replace(at, name.size(), "FILE");
        return what;
    }
    return "";
}

}  // namespace

TEST_CASE("tab-separated pairs; further columns are ignored") {
    const TemporaryFile file("\uFEFFHi.\t嗨。\tCC-BY 2.0\r\nRun!\t跑！\r\nYes.\t是。\t\xFF\tmore");
    const Corpus corpus = read_pairs(file.path(), tokenizer);
    CHECK(corpus.source == std::vector<Sentence>{words("hi ."), words("run !"), words("yes .")});
    CHECK(corpus.target == std::vector<Sentence>{words("嗨 。"), words("跑 ！"), words("是 。")});
    CHECK(corpus.size() == 3);
    CHECK(corpus.report.summary() == "3 pairs in 3 lines");
}

TEST_CASE("every malformed line is counted and described") {
    const TemporaryFile file(
        "one\teins\n"
        "no tab\n"
        "\tzwei\n"
        "two\t \u200B\n"
        "bad \xFF\tdrei\n"
        "three\tdr\xC3\n"
        "nul\0\tnull\n"
        "a b c d e\tvier\n"
        "four\ta b c d\n"
        "\n"s +
        std::string(70000, 'x') + "\ty\n");
    const Corpus corpus = read_pairs(file.path(), tokenizer, {.max_length = 4, .max_messages = 100});
    CHECK(corpus.source == std::vector<Sentence>{words("one"), words("four")});
    const CorpusReport& report = corpus.report;
    CHECK(report.lines == 11);
    CHECK(report.pairs == 2);
    CHECK(report.skipped() == 9);
    CHECK(report.count(LineFault::missing_column) == 2);
    CHECK(report.count(LineFault::empty_side) == 2);
    CHECK(report.count(LineFault::invalid_utf8) == 2);
    CHECK(report.count(LineFault::control_character) == 1);
    CHECK(report.count(LineFault::over_long) == 2);
    CHECK(report.summary() ==
          "2 pairs in 11 lines; skipped 9: 2 invalid UTF-8, 1 control character, 2 missing column, 2 empty side, "
          "2 over-long");
    const std::vector<std::string> reasons = {"2: missing column: no tab",
                                              "3: empty side: source has no token",
                                              "4: empty side: target has no token",
                                              "5: invalid UTF-8: source at byte 4",
                                              "6: invalid UTF-8: target at byte 2",
                                              "7: control character: source at byte 3",
                                              "8: over-long: source has 5 tokens, limit 4",
                                              "10: missing column: no tab",
                                              "11: over-long: source has 70000 bytes, limit 65536"};
    REQUIRE(report.messages.size() == reasons.size());
    for (std::size_t i = 0; i < reasons.size(); ++i) CHECK(report.messages[i] == file.name() + ":" + reasons[i]);
}

TEST_CASE("only the first malformed lines are described") {
    const TemporaryFile file("a\nb\nc\nd\te\n");
    const Corpus corpus = read_pairs(file.path(), tokenizer, {.max_messages = 2});
    CHECK(corpus.report.skipped() == 3);
    CHECK(corpus.report.messages.size() == 2);
}

TEST_CASE("a file without a usable pair is an error") {
    const TemporaryFile empty, bad("a\n\n");
    CHECK(error_of([&] { read_pairs(empty.path(), tokenizer); }, empty.name()) ==
          "FILE: no usable pair: 0 pairs in 0 lines");
    CHECK(error_of([&] { read_pairs(bad.path(), tokenizer); }, bad.name()) ==
          "FILE: no usable pair: 0 pairs in 2 lines; skipped 2: 2 missing column "
          "(first: FILE:1: missing column: no tab)");
    CHECK_THROWS_WITH_AS(read_pairs("/no/such/file", tokenizer),
                         "/no/such/file: cannot be opened: No such file or directory", FileError);
    CHECK_THROWS_WITH_AS(read_pairs(bad.path(), tokenizer, {.max_length = 0}),
                         "corpus: max_length is 0, but must be 1 or more", ValueError);
}

TEST_CASE("two parallel files") {
    const TemporaryFile source("ein haus\ngut\n\nende\n"), target("a house\r\ngo\xFF\r\nempty\r\nend\r\n");
    const Corpus corpus = read_parallel(source.path(), target.path(), tokenizer);
    CHECK(corpus.source == std::vector<Sentence>{words("ein haus"), words("ende")});
    CHECK(corpus.target == std::vector<Sentence>{words("a house"), words("end")});
    CHECK(corpus.report.messages == std::vector<std::string>{target.name() + ":2: invalid UTF-8: target at byte 2",
                                                             source.name() + ":3: empty side: source has no token"});
}

TEST_CASE("a tab within a parallel file is white space") {
    const TemporaryFile source("a\tb"), target("c");
    CHECK(read_parallel(source.path(), target.path(), tokenizer).source[0] == words("a b"));
}

TEST_CASE("parallel files of different numbers of lines are an error, whichever is longer") {
    const TemporaryFile three("a\nb\nc\n"), two("a\nb\n");
    CHECK_THROWS_WITH_AS(read_parallel(three.path(), two.path(), tokenizer),
                         (three.name() + " has 3 lines, but " + two.name() + " has 2").c_str(), FileError);
    CHECK_THROWS_WITH_AS(read_parallel(two.path(), three.path(), tokenizer),
                         (two.name() + " has 2 lines, but " + three.name() + " has 3").c_str(), FileError);
}

TEST_CASE("random bytes never crash, and every line is accounted for") {
    std::mt19937 engine(7);
    for (int round = 0; round < 50; ++round) {
        std::string bytes = "a\tb\n";
        for (int i = 0; i < 2000; ++i) bytes += static_cast<char>(engine());
        // Half of the rounds have text among the noise.
        for (std::size_t i = 0; round % 2 == 0 && i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] & 0x7F);
        const TemporaryFile file(bytes);
        const Corpus corpus = read_pairs(file.path(), tokenizer);
        std::int64_t faults = 0;
        for (const std::int64_t count : corpus.report.faults) faults += count;
        CHECK(corpus.report.lines == corpus.report.pairs + faults);
        CHECK(corpus.report.lines == std::ranges::count(bytes, '\n') + (bytes.ends_with('\n') ? 0 : 1));
        CHECK(corpus.source.size() == corpus.target.size());
    }
}
