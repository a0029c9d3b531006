#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/corpus.hpp>

#include "temporary_file.hpp"
#include "trained_subwords.hpp"
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

TEST_CASE("a source with several translations: pairs know their further references and their lines") {
    const TemporaryFile source("eins\n\nzwei\ndrei\nvier\n"), one("one\nnone\ntwo\nthree\nfour\n"),
        two("1\n0\n \n\xFF\n4 & more\n"), three("I\nO\nII\nIII\nIV\n"), short_one("1\n");
    const std::vector<std::filesystem::path> targets{one.path(), two.path(), three.path()};
    const Corpus corpus = read_parallel(source.path(), targets, tokenizer);
    CHECK(corpus.target_text == std::vector<std::string>{"one", "two", "four"});
    // As they were read, and possibly empty.
    CHECK(corpus.further_references ==
          std::vector<std::vector<std::string>>{{"1", " ", "4 & more"}, {"I", "II", "IV"}});
    CHECK(corpus.lines == std::vector<std::int64_t>{0, 2, 4});
    CHECK(corpus.report.lines == 5);
    CHECK(corpus.report.messages == std::vector<std::string>{source.name() + ":2: empty side: source has no token",
                                                             two.name() + ":4: invalid UTF-8: reference 2 at byte 0"});
    const Corpus last = corpus.filtered([](std::size_t pair) { return pair == 2; });
    CHECK(last.lines == std::vector<std::int64_t>{4});
    CHECK(last.further_references == std::vector<std::vector<std::string>>{{"4 & more"}, {"IV"}});

    const std::vector<std::filesystem::path> uneven{one.path(), short_one.path()};
    CHECK_THROWS_WITH_AS(read_parallel(source.path(), uneven, tokenizer),
                         (source.name() + " has 5 lines, but " + short_one.name() + " has 1").c_str(), FileError);
    CHECK_THROWS_WITH_AS(read_parallel(source.path(), std::span<const std::filesystem::path>(), tokenizer),
                         "corpus: there is no target file", ValueError);
}

TEST_CASE("a tab within a parallel file is white space") {
    const TemporaryFile source("a\tb"), target("c");
    CHECK(read_parallel(source.path(), target.path(), tokenizer).source[0] == words("a b"));
}

TEST_CASE("parallel files of other editors") {
    const TemporaryFile source("\uFEFFein\r\nzwei\r\n\r\nvi\uFEFFer\r\nf\0nf\r\nsechs"s),
        target("\uFEFFone\ntwo\nthree\nfour\nfive\n \t\u200B\n");
    const Corpus corpus = read_parallel(source.path(), target.path(), tokenizer);
    CHECK(corpus.source == std::vector<Sentence>{words("ein"), words("zwei"), words("vier")});
    CHECK(corpus.target == std::vector<Sentence>{words("one"), words("two"), words("four")});
    CHECK(corpus.report.messages == std::vector<std::string>{source.name() + ":3: empty side: source has no token",
                                                             source.name() + ":5: control character: source at byte 1",
                                                             target.name() + ":6: empty side: target has no token"});
}

TEST_CASE("a file of UTF-16 is no text, and a file of empty lines has no pair") {
    const TemporaryFile wide(
        "\xFF\xFE"
        "a\0\t\0b\0\n\0"s),
        unmarked("a\0\t\0b\0\n\0"s), blank("\n\r\n\n");
    CHECK(error_of([&] { read_pairs(wide.path(), tokenizer); }, wide.name()) ==
          "FILE: no usable pair: 0 pairs in 2 lines; skipped 2: 1 invalid UTF-8, 1 missing column "
          "(first: FILE:1: invalid UTF-8: source at byte 0)");
    CHECK(error_of([&] { read_pairs(unmarked.path(), tokenizer); }, unmarked.name()) ==
          "FILE: no usable pair: 0 pairs in 2 lines; skipped 2: 1 control character, 1 missing column "
          "(first: FILE:1: control character: source at byte 1)");
    CHECK(error_of([&] { read_parallel(blank.path(), blank.path(), tokenizer); }, blank.name()) ==
          "FILE and FILE: no usable pair: 0 pairs in 3 lines; skipped 3: 3 empty side "
          "(first: FILE:1: empty side: source has no token)");
}

TEST_CASE("a line of ten thousand words is over-long, unless it may be") {
    std::string many;
    for (int i = 0; i < 10000; ++i) many += "w ";
    const TemporaryFile file("a\tb\n" + many + "\tx\ny\t" + many + "\n");
    const Corpus corpus = read_pairs(file.path(), tokenizer);
    CHECK(corpus.size() == 1);
    CHECK(corpus.report.messages ==
          std::vector<std::string>{file.name() + ":2: over-long: source has 10000 tokens, limit 30",
                                   file.name() + ":3: over-long: target has 10000 tokens, limit 30"});
    const Corpus whole = read_pairs(file.path(), tokenizer, {.max_length = 10000});
    CHECK(whole.size() == 3);
    CHECK(whole.source[1] == Sentence(10000, "w"));
}

TEST_CASE("subwords of a corpus count as tokens" * if_built) {
    const Tokenizer subwords = trained();
    const TemporaryFile file("the cat\tthe dog\n☃\tthe cat\n");
    const Corpus corpus = read_pairs(file.path(), subwords, {.max_length = 3});
    CHECK(corpus.source == std::vector<Sentence>{words("▁the ▁cat")});
    CHECK(corpus.target == std::vector<Sentence>{words("▁the ▁dog")});
    CHECK(corpus.report.messages ==
          std::vector<std::string>{file.name() + ":2: over-long: source has 4 tokens, limit 3"});
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
