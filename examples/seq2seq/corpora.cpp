#include "corpora.hpp"

#include <fmt/format.h>

#include "../corpus/english_chinese.hpp"

namespace wengert::program {
namespace {

Corpus tokenize(const std::vector<SentencePair>& pairs, const Tokenizer& tokenizer, std::int64_t max_length) {
    Corpus corpus;
    const auto is_long = [&](const Sentence& tokens) { return static_cast<std::int64_t>(tokens.size()) > max_length; };
    for (const SentencePair& pair : pairs) {
        ++corpus.report.lines;
        Sentence source = tokenizer.tokenize(pair.source), target = tokenizer.tokenize(pair.target);
        if (is_long(source) || is_long(target)) {
            ++corpus.report.faults[static_cast<std::size_t>(LineFault::over_long)];
            continue;
        }
        ++corpus.report.pairs;
        corpus.source.push_back(std::move(source));
        corpus.target.push_back(std::move(target));
    }
    if (corpus.size() == 0) throw FileError("built-in corpus: no usable pair: " + corpus.report.summary());
    return corpus;
}

Corpus read(const CorpusFiles& files, BuiltinPart part, const Tokenizer& tokenizer, std::int64_t max_length) {
    const CorpusOptions options{.max_length = max_length};
    if (!files.pairs.empty()) return read_pairs(files.pairs, tokenizer, options);
    if (files.given()) return read_parallel(files.source, files.target, tokenizer, options);
    const BuiltinCorpus corpus = english_chinese_corpus();
    return tokenize(part == BuiltinPart::training ? corpus.training : corpus.held_out, tokenizer, max_length);
}

std::string name_of(const CorpusFiles& files, BuiltinPart part) {
    if (!files.pairs.empty()) return files.pairs.string();
    if (files.given()) return files.source.string() + " and " + files.target.string();
    return part == BuiltinPart::training ? "built-in corpus" : "built-in corpus, held-out sentences";
}

}  // namespace

Corpus read_corpus(const CorpusFiles& files, BuiltinPart part, const Tokenizer& tokenizer, std::int64_t max_length) {
    Corpus corpus = read(files, part, tokenizer, max_length);
    const CorpusReport& report = corpus.report;
    fmt::print(stderr, "{}: {}\n", name_of(files, part), report.summary());
    for (const std::string& message : report.messages) fmt::print(stderr, "  {}\n", message);
    const auto described = static_cast<std::int64_t>(report.messages.size());
    if (described > 0 && described < report.skipped())
        fmt::print(stderr, "  ... and {} more\n", report.skipped() - described);
    return corpus;
}

}  // namespace wengert::program
