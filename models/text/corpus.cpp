#include <fmt/format.h>

#include <optional>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/corpus.hpp>
#include <wengert/models/text/lines.hpp>
#include <wengert/models/text/unicode.hpp>

namespace wengert {

namespace {

/// No sentence is this long. Such a line is binary data or a file without line breaks, on which Unicode normalisation,
/// quadratic in a run of combining marks, should not be spent.
constexpr std::size_t max_bytes = 65536;

/// One side of a line, and where it was read.
struct Side {
    std::string_view name, text;
    const LineReader& lines;
};

/// Gathers the pairs and keeps the report.
class CorpusBuilder {
  public:
    CorpusBuilder(const Tokenizers& tokenizers, const CorpusOptions& options)
        : tokenizers_(tokenizers), options_(options) {
        if (options.max_length < 1) {
            throw ValueError(fmt::format("corpus: max_length is {}, but must be 1 or more", options.max_length));
        }
    }

    void add(const Side& source, const Side& target, std::span<const Side> further = {}) {
        std::optional<Sentence> source_tokens = read(source, tokenizers_.source);
        if (!source_tokens) return;
        std::optional<Sentence> target_tokens = read(target, tokenizers_.target);
        if (!target_tokens) return;
        for (const Side& reference : further)
            if (!is_text(reference)) return;
        corpus_.further_references.resize(further.size());
        for (std::size_t k = 0; k < further.size(); ++k) corpus_.further_references[k].emplace_back(further[k].text);
        corpus_.lines.push_back(corpus_.report.lines);
        corpus_.source.push_back(std::move(*source_tokens));
        corpus_.target.push_back(std::move(*target_tokens));
        corpus_.source_text.emplace_back(source.text);
        corpus_.target_text.emplace_back(target.text);
        ++corpus_.report.lines;
        ++corpus_.report.pairs;
    }

    void skip(LineFault fault, const LineReader& lines, std::string_view detail) {
        CorpusReport& report = corpus_.report;
        const auto index = static_cast<std::size_t>(fault);
        ++report.lines;
        ++report.faults[index];
        if (report.messages.size() < options_.max_messages) {
            report.messages.push_back(fmt::format("{}: {}: {}", lines.where(), line_fault_names[index], detail));
        }
    }

    Corpus finish(const std::string& files) {
        if (corpus_.size() == 0) {
            const auto& messages = corpus_.report.messages;
            throw FileError(fmt::format("{}: no usable pair: {}{}", files, corpus_.report.summary(),
                                        messages.empty() ? "" : " (first: " + messages.front() + ")"));
        }
        return std::move(corpus_);
    }

  private:
    void refuse(const Side& side, LineFault what, std::string_view detail) {
        skip(what, side.lines, fmt::format("{} {}", side.name, detail));
    }

    /// Reports the line as skipped if a side is none.
    bool is_text(const Side& side) {
        if (side.text.size() > max_bytes)
            refuse(side, LineFault::over_long, fmt::format("has {} bytes, limit {}", side.text.size(), max_bytes));
        else if (const auto invalid = find_invalid_utf8(side.text))
            refuse(side, LineFault::invalid_utf8, fmt::format("at byte {}", *invalid));
        else if (const auto control = find_control_character(side.text))
            refuse(side, LineFault::control_character, fmt::format("at byte {}", *control));
        else
            return true;
        return false;
    }

    /// The tokens of a side, or nothing after reporting why the line is skipped.
    std::optional<Sentence> read(const Side& side, const Tokenizer& tokenizer) {
        if (!is_text(side)) return std::nullopt;
        Sentence tokens = tokenizer.tokenize(side.text);
        const std::int64_t length = std::ssize(tokens);
        if (length == 0)
            refuse(side, LineFault::empty_side, "has no token");
        else if (length > options_.max_length)
            refuse(side, LineFault::over_long, fmt::format("has {} tokens, limit {}", length, options_.max_length));
        else
            return tokens;
        return std::nullopt;
    }

    const Tokenizers& tokenizers_;
    const CorpusOptions& options_;
    Corpus corpus_;
};

[[noreturn]] void refuse_lengths(LineReader& source, LineReader& target) {
    std::string line;
    while (source.next(line)) continue;
    while (target.next(line)) continue;
    throw FileError(fmt::format("{} has {} lines, but {} has {}", source.path().string(), source.number(),
                                target.path().string(), target.number()));
}

}  // namespace

std::string CorpusReport::summary() const {
    std::string text =
        fmt::format("{} {} in {} {}", pairs, pairs == 1 ? "pair" : "pairs", lines, lines == 1 ? "line" : "lines");
    if (skipped() == 0) return text;
    text += fmt::format("; skipped {}", skipped());
    std::string_view separator = ": ";
    for (std::size_t i = 0; i < faults.size(); ++i) {
        if (faults[i] == 0) continue;
        text += fmt::format("{}{} {}", separator, faults[i], line_fault_names[i]);
        separator = ", ";
    }
    return text;
}

Corpus Corpus::filtered(const std::function<bool(std::size_t)>& is_kept) const {
    Corpus kept;
    kept.report = report;
    for (std::size_t i = 0; i < size(); ++i) {
        if (!is_kept(i)) continue;
        kept.source.push_back(source[i]);
        kept.target.push_back(target[i]);
        // A corpus that was not read from text may have none.
        if (i < source_text.size()) kept.source_text.push_back(source_text[i]);
        if (i < target_text.size()) kept.target_text.push_back(target_text[i]);
        if (i < lines.size()) kept.lines.push_back(lines[i]);
        kept.further_references.resize(further_references.size());
        for (std::size_t k = 0; k < further_references.size(); ++k)
            kept.further_references[k].push_back(further_references[k][i]);
    }
    return kept;
}

Corpus read_pairs(const std::filesystem::path& path, const Tokenizers& tokenizers, const CorpusOptions& options) {
    CorpusBuilder builder(tokenizers, options);
    LineReader lines(path);
    for (std::string line; lines.next(line);) {
        const std::string_view text = line;
        const std::size_t tab = text.find('\t');
        if (tab == text.npos) {
            builder.skip(LineFault::missing_column, lines, "no tab");
            continue;
        }
        const std::string_view rest = text.substr(tab + 1);
        builder.add({"source", text.substr(0, tab), lines}, {"target", rest.substr(0, rest.find('\t')), lines});
    }
    return builder.finish(path.string());
}

Corpus read_parallel(const std::filesystem::path& source, const std::filesystem::path& target,
                     const Tokenizers& tokenizers, const CorpusOptions& options) {
    return read_parallel(source, {&target, 1}, tokenizers, options);
}

Corpus read_parallel(const std::filesystem::path& source, std::span<const std::filesystem::path> targets,
                     const Tokenizers& tokenizers, const CorpusOptions& options) {
    if (targets.empty()) throw ValueError("corpus: there is no target file");
    CorpusBuilder builder(tokenizers, options);
    std::string source_line;
    std::vector<std::string> names{"target"}, target_lines(targets.size());
    LineReader source_reader(source);
    std::vector<LineReader> target_readers;
    for (const std::filesystem::path& target : targets) target_readers.emplace_back(target);
    for (std::size_t k = 1; k < targets.size(); ++k) names.push_back(fmt::format("reference {}", k + 1));
    for (;;) {
        const bool has_source = source_reader.next(source_line);
        std::vector<Side> sides;
        for (std::size_t k = 0; k < targets.size(); ++k) {
            if (target_readers[k].next(target_lines[k]) != has_source) refuse_lengths(source_reader, target_readers[k]);
            sides.push_back({names[k], target_lines[k], target_readers[k]});
        }
        if (!has_source) break;
        builder.add({"source", source_line, source_reader}, sides.front(), std::span(sides).subspan(1));
    }
    return builder.finish(fmt::format("{} and {}", source.string(), targets.front().string()));
}

}  // namespace wengert
