#include "corpora.hpp"

#include <fmt/format.h>

#include <wengert/models/text/fingerprint.hpp>
#include <wengert/models/text/lines.hpp>
#include <wengert/models/text/unicode.hpp>

#include "../corpus/english_chinese.hpp"

namespace wengert::program {
namespace {

Corpus tokenize(const std::vector<SentencePair>& pairs, const Tokenizers& tokenizers, std::int64_t max_length) {
    Corpus corpus;
    const auto is_long = [&](const Sentence& tokens) { return static_cast<std::int64_t>(tokens.size()) > max_length; };
    for (const SentencePair& pair : pairs) {
        const std::int64_t line = corpus.report.lines++;
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
        corpus.lines.push_back(line);
    }
    if (corpus.size() == 0) throw FileError("built-in corpus: no usable pair: " + corpus.report.summary());
    return corpus;
}

/// Whether a pair belongs to the part.
bool is_of(Part part, const CorpusFiles& files, std::string_view source) {
    if (files.hold_out == 0) return true;
    const bool is_held_out = (Fingerprint().add(source).value() >> 32) % files.hold_out == 0;
    return is_held_out == (part == Part::held_out);
}

Corpus only(Part part, const CorpusFiles& files, const Corpus& all) {
    return all.filtered([&](std::size_t pair) { return is_of(part, files, all.source_text[pair]); });
}

Corpus read(const CorpusFiles& files, Part part, const Tokenizers& tokenizers, std::int64_t max_length) {
    const CorpusOptions options{.max_length = max_length};
    if (!files.pairs.empty()) return only(part, files, read_pairs(files.pairs, tokenizers, options));
    if (files.given()) return only(part, files, read_parallel(files.source, files.targets, tokenizers, options));
    const BuiltinCorpus corpus = english_chinese_corpus();
    return tokenize(part == Part::training ? corpus.training : corpus.held_out, tokenizers, max_length);
}

std::string name_of(const CorpusFiles& files, Part part) {
    if (!files.pairs.empty()) return files.pairs.string();
    if (files.given()) return files.source.string() + " and " + files.targets.front().string();
    return part == Part::training ? "built-in corpus" : "built-in corpus, held-out sentences";
}

void describe(const Corpus& corpus, const CorpusFiles& files, Part part) {
    const CorpusReport& report = corpus.report;
    fmt::print(stderr, "{}: {}\n", name_of(files, part), report.summary());
    for (const std::string& message : report.messages) fmt::print(stderr, "  {}\n", message);
    const auto described = static_cast<std::int64_t>(report.messages.size());
    if (described > 0 && described < report.skipped())
        fmt::print(stderr, "  ... and {} more\n", report.skipped() - described);
    if (files.hold_out > 0 || static_cast<std::int64_t>(corpus.size()) < report.pairs)
        fmt::print(stderr, "  of these, {} pairs {}\n", corpus.size(),
                   part == Part::training ? "to train on" : "held out by a hash of their source");
}

}  // namespace

Corpus read_corpus(const CorpusFiles& files, Part part, const Tokenizers& tokenizers, std::int64_t max_length,
                   std::int64_t pairs, bool is_quiet) {
    if (files.hold_out > 0 && !files.given()) throw ValueError("--hold-out: it divides files, and none are given");
    Corpus corpus = read(files, part, tokenizers, max_length);
    if (pairs > 0) corpus = corpus.filtered([&](std::size_t pair) { return static_cast<std::int64_t>(pair) < pairs; });
    if (!is_quiet) describe(corpus, files, part);
    if (corpus.size() == 0)
        throw FileError(fmt::format("{}: --hold-out {} leaves no pair", name_of(files, part), files.hold_out));
    return corpus;
}

CorpusText read_corpus_text(const CorpusFiles& files, Part part, std::int64_t pairs) {
    CorpusText text;
    const auto is_full = [&] { return pairs > 0 && static_cast<std::int64_t>(text.source.size()) >= pairs; };
    if (!files.given()) {
        const BuiltinCorpus corpus = english_chinese_corpus();
        for (const SentencePair& pair : part == Part::training ? corpus.training : corpus.held_out) {
            if (is_full()) break;
            text.source.push_back(pair.source);
            text.target.push_back(pair.target);
        }
        return text;
    }
    // Lines that are no text are left out here, and reported when the pairs are read.
    const auto add = [](std::vector<std::string>& side, std::string_view line) {
        if (!find_invalid_utf8(line) && !find_control_character(line)) side.emplace_back(line);
    };
    const auto add_pair = [&](std::string_view source, std::string_view target) {
        if (!is_of(part, files, source)) return;
        add(text.source, source);
        add(text.target, target);
    };
    if (!files.pairs.empty()) {
        LineReader lines(files.pairs);
        for (std::string line; !is_full() && lines.next(line);) {
            const std::string_view whole = line;
            const std::size_t tab = whole.find('\t');
            if (tab == whole.npos) continue;
            const std::string_view rest = whole.substr(tab + 1);
            add_pair(whole.substr(0, tab), rest.substr(0, rest.find('\t')));
        }
    } else {
        LineReader sources(files.source), targets(files.targets.front());
        for (std::string source, target; !is_full() && sources.next(source) && targets.next(target);)
            add_pair(source, target);
    }
    return text;
}

}  // namespace wengert::program
