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

    void add(const Side& source, const Side& target) {
        std::optional<Sentence> source_tokens = read(source, tokenizers_.source);
        if (!source_tokens) return;
        std::optional<Sentence> target_tokens = read(target, tokenizers_.target);
        if (!target_tokens) return;
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
    /// The tokens of a side, or nothing after reporting why the line is skipped.
    std::optional<Sentence> read(const Side& side, const Tokenizer& tokenizer) {
        const auto fault = [&](LineFault what, std::string_view detail) {
            skip(what, side.lines, fmt::format("{} {}", side.name, detail));
            return std::nullopt;
        };
        if (side.text.size() > max_bytes) {
            return fault(LineFault::over_long, fmt::format("has {} bytes, limit {}", side.text.size(), max_bytes));
        }
        if (const auto byte = find_invalid_utf8(side.text)) {
            return fault(LineFault::invalid_utf8, fmt::format("at byte {}", *byte));
        }
        if (const auto byte = find_control_character(side.text)) {
            return fault(LineFault::control_character, fmt::format("at byte {}", *byte));
        }
        Sentence tokens = tokenizer.tokenize(side.text);
        if (tokens.empty()) return fault(LineFault::empty_side, "has no token");
        if (static_cast<std::int64_t>(tokens.size()) > options_.max_length) {
            return fault(LineFault::over_long,
                         fmt::format("has {} tokens, limit {}", tokens.size(), options_.max_length));
        }
        return tokens;
    }

    const Tokenizers& tokenizers_;
    const CorpusOptions& options_;
    Corpus corpus_;
};

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
    CorpusBuilder builder(tokenizers, options);
    LineReader source_lines(source), target_lines(target);
    std::string source_line, target_line;
    for (;;) {
        const bool has_source = source_lines.next(source_line);
        const bool has_target = target_lines.next(target_line);
        if (has_source != has_target) {
            while (source_lines.next(source_line)) continue;
            while (target_lines.next(target_line)) continue;
            throw FileError(fmt::format("{} has {} lines, but {} has {}", source.string(), source_lines.number(),
                                        target.string(), target_lines.number()));
        }
        if (!has_source) break;
        builder.add({"source", source_line, source_lines}, {"target", target_line, target_lines});
    }
    return builder.finish(fmt::format("{} and {}", source.string(), target.string()));
}

}  // namespace wengert
