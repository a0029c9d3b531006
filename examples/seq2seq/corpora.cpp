#include "corpora.hpp"

#include <fmt/format.h>

#include <wengert/models/text/lines.hpp>
#include <wengert/models/text/unicode.hpp>

#include "../corpus/english_chinese.hpp"

namespace wengert::program {
namespace {

Corpus tokenize(const std::vector<SentencePair>& pairs, const Tokenizers& tokenizers, std::int64_t max_length) {
    Corpus corpus;
    const auto is_long = [&](const Sentence& tokens) { return static_cast<std::int64_t>(tokens.size()) > max_length; };
    for (const SentencePair& pair : pairs) {
        ++corpus.report.lines;
        Sentence source = tokenizers.source.tokenize(pair.source), target = tokenizers.target.tokenize(pair.target);
        if (is_long(source) || is_long(target)) {
            ++corpus.report.faults[static_cast<std::size_t>(LineFault::over_long)];
            continue;
        }
        ++corpus.report.pairs;
        corpus.source.push_back(std::move(source));
        corpus.target.push_back(std::move(target));
        corpus.source_text.push_back(pair.source);
        corpus.target_text.push_back(pair.target);
    }
    if (corpus.size() == 0) throw FileError("built-in corpus: no usable pair: " + corpus.report.summary());
    return corpus;
}

Corpus read(const CorpusFiles& files, BuiltinPart part, const Tokenizers& tokenizers, std::int64_t max_length) {
    const CorpusOptions options{.max_length = max_length};
    if (!files.pairs.empty()) return read_pairs(files.pairs, tokenizers, options);
    if (files.given()) return read_parallel(files.source, files.target, tokenizers, options);
    const BuiltinCorpus corpus = english_chinese_corpus();
    return tokenize(part == BuiltinPart::training ? corpus.training : corpus.held_out, tokenizers, max_length);
}

std::string name_of(const CorpusFiles& files, BuiltinPart part) {
    if (!files.pairs.empty()) return files.pairs.string();
    if (files.given()) return files.source.string() + " and " + files.target.string();
    return part == BuiltinPart::training ? "built-in corpus" : "built-in corpus, held-out sentences";
}

}  // namespace

Corpus read_corpus(const CorpusFiles& files, BuiltinPart part, const Tokenizers& tokenizers, std::int64_t max_length) {
    Corpus corpus = read(files, part, tokenizers, max_length);
    const CorpusReport& report = corpus.report;
    fmt::print(stderr, "{}: {}\n", name_of(files, part), report.summary());
    for (const std::string& message : report.messages) fmt::print(stderr, "  {}\n", message);
    const auto described = static_cast<std::int64_t>(report.messages.size());
    if (described > 0 && described < report.skipped())
        fmt::print(stderr, "  ... and {} more\n", report.skipped() - described);
    return corpus;
}

CorpusText read_corpus_text(const CorpusFiles& files, BuiltinPart part) {
    CorpusText text;
    if (!files.given()) {
        const BuiltinCorpus corpus = english_chinese_corpus();
        for (const SentencePair& pair : part == BuiltinPart::training ? corpus.training : corpus.held_out) {
            text.source.push_back(pair.source);
            text.target.push_back(pair.target);
        }
        return text;
    }
    // Lines that are no text are left out here, and reported when the pairs are read.
    const auto add = [](std::vector<std::string>& side, std::string_view line) {
        if (!find_invalid_utf8(line) && !find_control_character(line)) side.emplace_back(line);
    };
    const auto read = [](const std::filesystem::path& path, const auto& use) {
        LineReader lines(path);
        for (std::string line; lines.next(line);) use(std::string_view(line));
    };
    if (!files.pairs.empty()) {
        read(files.pairs, [&](std::string_view line) {
            const std::size_t tab = line.find('\t');
            if (tab == line.npos) return;
            const std::string_view rest = line.substr(tab + 1);
            add(text.source, line.substr(0, tab));
            add(text.target, rest.substr(0, rest.find('\t')));
        });
    } else {
        read(files.source, [&](std::string_view line) { add(text.source, line); });
        read(files.target, [&](std::string_view line) { add(text.target, line); });
    }
    return text;
}

}  // namespace wengert::program
