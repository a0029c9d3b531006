#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/models/text/tokenizer.hpp>

/// What a corpus takes of its files.
namespace WENGERT_EXPORT wengert {

struct CorpusOptions {
    std::int64_t max_length = 30;   ///< tokens a side may have, without marks of start and end
    std::size_t max_messages = 10;  ///< how many malformed lines the report describes; all are counted
};

/// Why a line gives no pair.
enum class LineFault { invalid_utf8, control_character, missing_column, empty_side, over_long };
/// As the report names the faults.
inline constexpr std::array<std::string_view, 5> line_fault_names = {"invalid UTF-8", "control character",
                                                                     "missing column", "empty side", "over-long"};

/// What became of every line: lines = pairs + skipped().
struct CorpusReport {
    std::int64_t lines = 0, pairs = 0;                           ///< read, and taken
    std::array<std::int64_t, line_fault_names.size()> faults{};  ///< by LineFault
    std::vector<std::string> messages;                           ///< `FILE:LINE: reason` of the first malformed lines

    /// How many lines have that fault.
    std::int64_t count(LineFault fault) const { return faults[static_cast<std::size_t>(fault)]; }
    /// How many lines gave no pair.
    std::int64_t skipped() const { return lines - pairs; }
    /// "26380 pairs in 26388 lines; skipped 8: 3 empty side, 5 over-long"
    std::string summary() const;
};

/// Sentence pairs as tokens: source[i] is translated by target[i].
struct Corpus {
    std::vector<Sentence> source, target;               ///< the tokens of each side; both have as many sentences
    std::vector<std::string> source_text, target_text;  ///< as they were read, for scores
    std::vector<std::vector<std::string>>
        further_references;           ///< [k][i]: what pair i may be translated by besides target_text[i]
    std::vector<std::int64_t> lines;  ///< of each pair, that which it was read from, counted from 0
    CorpusReport report;              ///< what became of the lines

    /// How many pairs there are.
    std::size_t size() const { return source.size(); }
    /// The pairs for whose numbers, from 0, `is_kept` holds; the report stays that of all.
    Corpus filtered(const std::function<bool(std::size_t)>& is_kept) const;
};

/// Of both sides, or one for both.
struct Tokenizers {
    Tokenizer source, target;  ///< how each side's text becomes tokens

    /// One tokenizer for both sides.
    Tokenizers(Tokenizer both) : source(both), target(std::move(both)) {}
    /// One tokenizer for each side.
    Tokenizers(Tokenizer source_, Tokenizer target_) : source(std::move(source_)), target(std::move(target_)) {}
};

/// Reads lines of source TAB target; further columns, such as the attribution of manythings.org/anki, are ignored. A
/// line that gives no pair is counted and described in the report. Throws FileError if the file cannot be read or gives
/// no pair at all, ValueError for a max_length below 1.
Corpus read_pairs(const std::filesystem::path& path, const Tokenizers& tokenizers, const CorpusOptions& options = {});

/// Reads two files of which equal lines translate each other; faults are reported at the file they are in. Throws what
/// read_pairs() throws, and FileError if the files differ in their number of lines.
Corpus read_parallel(const std::filesystem::path& source, const std::filesystem::path& target,
                     const Tokenizers& tokenizers, const CorpusOptions& options = {});
/// The same of a source with several translations, one a file: those after the first are further references. They are
/// not tokenized and may be empty, but a line that is no text gives no pair. Throws the same, and ValueError without a
/// target.
Corpus read_parallel(const std::filesystem::path& source, std::span<const std::filesystem::path> targets,
                     const Tokenizers& tokenizers, const CorpusOptions& options = {});

}  // namespace wengert
