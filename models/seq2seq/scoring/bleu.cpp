#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/scoring/internal/code_points.hpp>
#include <wengert/models/seq2seq/scoring/internal/ngrams.hpp>
#include <wengert/models/seq2seq/scoring/internal/scored_lines.hpp>

namespace wengert {

namespace {

constexpr std::size_t longest = 4;

double smooth_value(const BleuOptions& options) {
    const double value = options.smooth_value.value_or(options.smoothing == BleuSmoothing::floor ? 0.1 : 1.0);
    if (!(value >= 0) || std::isinf(value))
        throw ValueError(fmt::format("bleu: smooth_value is {}, but must be finite and 0 or more", value));
    return value;
}

/// A line's tokens and their n-grams, which are views into the text.
class WordNgrams {
  public:
    WordNgrams(const std::u32string& line, const BleuOptions& options)
        : text_(bleu_tokens(options.lowercase ? lowercase(line) : line, options.tokenizer)) {
        const std::vector<std::u32string_view> words = split_words(text_);
        length_ = static_cast<std::int64_t>(words.size());
        for (std::size_t n = 0; n < longest; ++n) counts_[n] = count_words(words, n + 1);
    }
    WordNgrams(const WordNgrams&) = delete;
    WordNgrams& operator=(const WordNgrams&) = delete;

    std::int64_t length() const { return length_; }
    const NgramCounts& operator[](std::size_t n) const { return counts_[n]; }

  private:
    std::u32string text_;
    std::int64_t length_ = 0;
    std::array<NgramCounts, longest> counts_;
};

BleuCounts count(const ScoredLine& line, const BleuOptions& options) {
    const WordNgrams hypothesis(line.hypothesis, options);
    std::vector<std::unique_ptr<WordNgrams>> references;
    for (const std::u32string& reference : line.references)
        references.push_back(std::make_unique<WordNgrams>(reference, options));

    BleuCounts counts;
    counts.hypothesis_length = hypothesis.length();
    const auto distance = [&](const auto& reference) {
        return std::pair(std::abs(hypothesis.length() - reference->length()), reference->length());
    };
    counts.reference_length = (*std::ranges::min_element(references, {}, distance))->length();
    for (std::size_t n = 0; n < longest; ++n) {
        NgramCounts most;
        for (const auto& reference : references)
            for (const auto& [ngram, occurrences] : (*reference)[n]) most[ngram] = std::max(most[ngram], occurrences);
        counts.matched[n] = count_common(hypothesis[n], most);
        counts.total[n] = std::max<std::int64_t>(hypothesis.length() - static_cast<std::int64_t>(n), 0);
    }
    return counts;
}

}  // namespace

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
    hypothesis_length += other.hypothesis_length;
    reference_length += other.reference_length;
    for (std::size_t n = 0; n < longest; ++n) {
        matched[n] += other.matched[n];
        total[n] += other.total[n];
    }
    return *this;
}

std::vector<BleuCounts> bleu_counts(std::span<const std::string> hypotheses,
                                    std::span<const std::vector<std::string>> references, const BleuOptions& options) {
    std::vector<BleuCounts> counts;
    for (const ScoredLine& line : scored_lines("bleu", hypotheses, references)) counts.push_back(count(line, options));
    return counts;
}

Bleu bleu_score(const BleuCounts& sum, const BleuOptions& options) {
    const double smoothed_by = smooth_value(options);
    Bleu bleu;
    bleu.counts = sum;
    bleu.brevity_penalty = 1;
    if (sum.hypothesis_length == 0 && sum.reference_length > 0)
        bleu.brevity_penalty = 0;
    else if (sum.hypothesis_length < sum.reference_length)
        bleu.brevity_penalty =
            std::exp(1 - static_cast<double>(sum.reference_length) / static_cast<double>(sum.hypothesis_length));
    if (std::ranges::all_of(sum.matched, [](std::int64_t count) { return count == 0; })) return bleu;

    double halving = 1;
    std::size_t orders = longest;
    for (std::size_t n = 0; n < longest; ++n) {
        const double more = options.smoothing == BleuSmoothing::add_k && n > 0 ? smoothed_by : 0;
        const double matched = static_cast<double>(sum.matched[n]) + more;
        const double total = static_cast<double>(sum.total[n]) + more;
        if (total == 0) break;
        if (options.effective_order) orders = n + 1;
        if (matched > 0)
            bleu.precisions[n] = 100 * matched / total;
        else if (options.smoothing == BleuSmoothing::exponential)
            bleu.precisions[n] = 100 / ((halving *= 2) * total);
        else if (options.smoothing == BleuSmoothing::floor)
            bleu.precisions[n] = 100 * smoothed_by / total;
    }
    double logarithms = 0;  // minus infinity if a precision is 0, and then the score is 0
    for (std::size_t n = 0; n < orders; ++n) logarithms += std::log(bleu.precisions[n]);
    bleu.score = bleu.brevity_penalty * std::exp(logarithms / static_cast<double>(orders));
    return bleu;
}

Bleu corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                 const BleuOptions& options) {
    BleuCounts sum;
    for (const BleuCounts& line : bleu_counts(hypotheses, references, options)) sum += line;
    return bleu_score(sum, options);
}

Bleu sentence_bleu(const std::string& hypothesis, std::span<const std::string> references, const BleuOptions& options) {
    return bleu_score(count(scored_line("bleu", hypothesis, references), options), options);
}

std::string signature(const BleuOptions& options, std::size_t references) {
    const bool has_value = options.smoothing == BleuSmoothing::floor || options.smoothing == BleuSmoothing::add_k;
    return fmt::format("{}|tok:{}|smooth:{}{}|version:{}",
                       signature_start("bleu", references, options.lowercase, options.effective_order),
                       to_string(options.tokenizer), name_of(bleu_smoothing_names, options.smoothing),
                       has_value ? fmt::format("[{:.2f}]", smooth_value(options)) : "", sacrebleu_version);
}

std::string to_string(const Bleu& bleu, std::string_view signature) {
    const BleuCounts& counts = bleu.counts;
    const double ratio = counts.reference_length == 0 ? 0
                                                      : static_cast<double>(counts.hypothesis_length) /
                                                            static_cast<double>(counts.reference_length);
    return fmt::format("BLEU{}{} = {:.2f} {:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})",
                       signature.empty() ? "" : "|", signature, bleu.score, fmt::join(bleu.precisions, "/"),
                       bleu.brevity_penalty, ratio, counts.hypothesis_length, counts.reference_length);
}

}  // namespace wengert
