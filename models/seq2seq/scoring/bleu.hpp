#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/models/seq2seq/option.hpp>
#include <wengert/models/seq2seq/scoring/bleu_tokenizer.hpp>

namespace WENGERT_EXPORT wengert {

/// The release of sacrebleu (Post 2018, doi 10.18653/v1/W18-6319) whose definition of BLEU and chrF is followed here.
/// Signatures say it.
inline constexpr std::string_view sacrebleu_version = "2.6.0";

/// What stands for a precision of which no n-gram matches (Chen and Cherry 2014, doi 10.3115/v1/W14-3346).
///
/// - `none`: 0, and so is the score.
/// - `floor`: smooth_value in place of the 0 matches.
/// - `add_k`: smooth_value is added to matches and n-grams of length 2 and more, also where some match.
/// - `exponential`: 1/2 in place of the 0 matches, 1/4 for the next such length, and so on.
///
/// If no single token matches, the score is 0 whatever the smoothing.
enum class BleuSmoothing { none, floor, add_k, exponential };
/// As sacrebleu names them, in options and signatures.
inline constexpr std::array bleu_smoothing_names{
    Choice<BleuSmoothing>{"none", BleuSmoothing::none}, Choice<BleuSmoothing>{"floor", BleuSmoothing::floor},
    Choice<BleuSmoothing>{"add-k", BleuSmoothing::add_k}, Choice<BleuSmoothing>{"exp", BleuSmoothing::exponential}};

struct BleuOptions {
    BleuTokenizer tokenizer = BleuTokenizer::v13a;         ///< how lines are split into tokens
    BleuSmoothing smoothing = BleuSmoothing::exponential;  ///< what stands for a precision of 0
    std::optional<double> smooth_value =
        std::nullopt;              ///< for floor, where it is 0.1 by default, and add_k, where it is 1
    bool lowercase = false;        ///< whether both sides are brought to lower case
    bool effective_order = false;  ///< lengths that the hypotheses do not reach are left out; for single sentences
};

/// What BLEU is computed from: counts of one line or, summed, of many.
struct BleuCounts {
    std::int64_t hypothesis_length = 0, reference_length = 0;  ///< tokens; of the reference of the closest length
    std::array<std::int64_t, 4> matched{}, total{};            ///< n-grams of the hypothesis, of length 1 to 4

    /// Adds the counts of other lines.
    BleuCounts& operator+=(const BleuCounts& other);
};

/// BLEU and what it is made of.
struct Bleu {
    double score = 0;                    ///< 0 to 100
    std::array<double, 4> precisions{};  ///< of n-grams of length 1 to 4, 0 to 100, smoothed
    double brevity_penalty = 0;          ///< 0 to 1
    BleuCounts counts;                   ///< what the score was computed from
};

/// BLEU-4 of a corpus of detokenised lines (Papineni et al. 2002, doi 10.3115/1073083.1073135), equal to sacrebleu's:
///
///     score = BP * (p1 * p2 * p3 * p4)^(1/4),   BP = min(1, exp(1 - reference_length / hypothesis_length))
///
/// where p_n is the number of hypothesis n-grams that occur in a reference of their line, each at most as often as in
/// the reference that has most of it, over the number of hypothesis n-grams, both summed over the lines, in per cent.
/// A line's reference length is that of the reference whose length is closest, and the shorter one of two.
///
/// references[k][i] is the k-th reference of hypotheses[i]; `{&lines, 1}` is one reference. Throws ValueError if there
/// are no hypotheses or no references, if there are not as many lines in each, if a line is not UTF-8, and for a
/// smooth_value that is negative or not finite.
Bleu corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                 const BleuOptions& options = {});

/// BLEU of one line with its references. Throws as `corpus_bleu` does.
Bleu sentence_bleu(const std::string& hypothesis, std::span<const std::string> references,
                   const BleuOptions& options = {.effective_order = true});

/// The counts of each line. Throws as `corpus_bleu` does.
std::vector<BleuCounts> bleu_counts(std::span<const std::string> hypotheses,
                                    std::span<const std::vector<std::string>> references,
                                    const BleuOptions& options = {});
/// The score of summed counts. Throws ValueError for a smooth_value that is negative or not finite.
Bleu bleu_score(const BleuCounts& sum, const BleuOptions& options = {});

/// What a report of the score says, so that others may compare: "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|" and
/// the version of sacrebleu. Throws ValueError if there are no references.
std::string signature(const BleuOptions& options, std::size_t references = 1);

/// sacrebleu's line: "BLEU = 36.74 85.7/66.7/40.0/25.0 (BP = 0.751 ratio = 0.778 hyp_len = 7 ref_len = 9)", with a
/// signature "BLEU|nrefs:1|... = ...".
std::string to_string(const Bleu& bleu, std::string_view signature = {});

}  // namespace wengert
