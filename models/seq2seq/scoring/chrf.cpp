#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/scoring/chrf.hpp>
#include <wengert/models/seq2seq/scoring/internal/code_points.hpp>
#include <wengert/models/seq2seq/scoring/internal/ngrams.hpp>
#include <wengert/models/seq2seq/scoring/internal/scored_lines.hpp>

namespace wengert {

namespace {

void check(const ChrfOptions& options) {
    if (options.character_order < 1 || options.word_order < 0 || options.beta < 1)
        throw ValueError(
            fmt::format("chrf: character_order is {}, word_order {} and beta {}, but must be 1, 0 and 1 or more",
                        options.character_order, options.word_order, options.beta));
}

bool is_ascii_punctuation(char32_t code) {
    return (code > U' ' && code < U'0') || (code > U'9' && code < U'A') || (code > U'Z' && code < U'a') ||
           (code > U'z' && code < 0x7F);
}

/// The words of a line with one space between them; a mark at the end or the beginning of one is a word.
std::u32string separate_marks(std::u32string_view line) {
    std::u32string text;
    for (const std::u32string_view word : split_words(line)) {
        if (!text.empty()) text += U' ';
        if (word.size() > 1 && is_ascii_punctuation(word.back()))
            text.append(word.substr(0, word.size() - 1)).append({U' ', word.back()});
        else if (word.size() > 1 && is_ascii_punctuation(word.front()))
            text.append({word.front(), U' '}).append(word.substr(1));
        else
            text += word;
    }
    return text;
}

std::u32string without_white_space(std::u32string text) {
    std::erase_if(text, is_white_space);
    return text;
}

/// A line's n-grams of all orders, which are views into its texts.
class CharacterNgrams {
  public:
    CharacterNgrams(const std::u32string& line, const ChrfOptions& options) {
        const std::u32string text = options.lowercase ? lowercase(line) : line;
        characters_ = options.whitespace ? text : without_white_space(text);
        for (int n = 1; n <= options.character_order; ++n)
            counts_.push_back(count_characters(characters_, static_cast<std::size_t>(n)));
        words_ = separate_marks(text);
        const std::vector<std::u32string_view> words = split_words(words_);
        for (int n = 1; n <= options.word_order; ++n)
            counts_.push_back(count_words(words, static_cast<std::size_t>(n)));
    }
    CharacterNgrams(const CharacterNgrams&) = delete;
    CharacterNgrams& operator=(const CharacterNgrams&) = delete;

    const std::vector<NgramCounts>& counts() const { return counts_; }

  private:
    std::u32string characters_, words_;
    std::vector<NgramCounts> counts_;
};

std::int64_t sum(const NgramCounts& counts) {
    std::int64_t total = 0;
    for (const auto& [ngram, count] : counts) total += count;
    return total;
}

double ratio(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 1e-16;
}

double f_score(const ChrfCounts& counts, const ChrfOptions& options) {
    const double factor = static_cast<double>(options.beta) * options.beta;
    const auto f = [&](double precision, double recall) {
        return (1 + factor) * precision * recall / (factor * precision + recall);
    };
    double scores = 0, precisions = 0, recalls = 0, effective = 0;
    for (const auto& [hypothesis, reference, matched] : counts.orders) {
        const double precision = ratio(matched, hypothesis), recall = ratio(matched, reference);
        scores += precision + recall > 0 ? f(precision, recall) : 1e-16;
        if (hypothesis == 0 || reference == 0) continue;
        precisions += precision;
        recalls += recall;
        effective += 1;
    }
    if (!options.effective_order) return 100 * scores / static_cast<double>(counts.orders.size());
    if (precisions + recalls == 0) return 0;
    return 100 * f(precisions / effective, recalls / effective);
}

ChrfCounts compare(const CharacterNgrams& hypothesis, const CharacterNgrams& reference) {
    ChrfCounts counts;
    for (std::size_t i = 0; i < hypothesis.counts().size(); ++i) {
        const NgramCounts &ours = hypothesis.counts()[i], &theirs = reference.counts()[i];
        // What no n-gram of the reference could match is not counted.
        counts.orders.push_back({theirs.empty() ? 0 : sum(ours), sum(theirs), count_common(ours, theirs)});
    }
    return counts;
}

ChrfCounts count(const ScoredLine& line, const ChrfOptions& options) {
    const CharacterNgrams hypothesis(line.hypothesis, options);
    ChrfCounts best;
    double best_score = -1;
    for (const std::u32string& reference : line.references) {
        ChrfCounts counts = compare(hypothesis, CharacterNgrams(reference, options));
        if (const double score = f_score(counts, options); score > best_score) {
            best_score = score;
            best = std::move(counts);
        }
    }
    return best;
}

}  // namespace

ChrfCounts& ChrfCounts::operator+=(const ChrfCounts& other) {
    if (orders.empty()) orders.resize(other.orders.size());
    if (orders.size() != other.orders.size())
        throw ValueError(fmt::format("chrf: counts of {} and {} orders are added", orders.size(), other.orders.size()));
    for (std::size_t i = 0; i < orders.size(); ++i) {
        orders[i].hypothesis += other.orders[i].hypothesis;
        orders[i].reference += other.orders[i].reference;
        orders[i].matched += other.orders[i].matched;
    }
    return *this;
}

std::vector<ChrfCounts> chrf_counts(std::span<const std::string> hypotheses,
                                    std::span<const std::vector<std::string>> references, const ChrfOptions& options) {
    check(options);
    std::vector<ChrfCounts> counts;
    for (const ScoredLine& line : scored_lines("chrf", hypotheses, references)) counts.push_back(count(line, options));
    return counts;
}

Chrf chrf_score(const ChrfCounts& sum, const ChrfOptions& options) {
    check(options);
    const int orders = options.character_order + options.word_order;
    if (sum.orders.size() != static_cast<std::size_t>(orders))
        throw ValueError(fmt::format("chrf: counts of {} orders, but the options have {}", sum.orders.size(), orders));
    return {f_score(sum, options),
            fmt::format("chrF{}{}", options.beta, std::string(static_cast<std::size_t>(options.word_order), '+'))};
}

Chrf corpus_chrf(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                 const ChrfOptions& options) {
    ChrfCounts sum;
    for (const ChrfCounts& line : chrf_counts(hypotheses, references, options)) sum += line;
    return chrf_score(sum, options);
}

Chrf sentence_chrf(const std::string& hypothesis, std::span<const std::string> references, const ChrfOptions& options) {
    check(options);
    return chrf_score(count(scored_line("chrf", hypothesis, references), options), options);
}

std::string signature(const ChrfOptions& options, std::size_t references) {
    check(options);
    return fmt::format("{}|nc:{}|nw:{}|space:{}|version:{}",
                       signature_start("chrf", references, options.lowercase, options.effective_order),
                       options.character_order, options.word_order, options.whitespace ? "yes" : "no",
                       sacrebleu_version);
}

std::string to_string(const Chrf& chrf, std::string_view signature) {
    return fmt::format("{}{}{} = {:.2f}", chrf.name, signature.empty() ? "" : "|", signature, chrf.score);
}

}  // namespace wengert
