#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace wengert {

/// Corpus BLEU and what it is made of.
struct Bleu {
    double score = 0;                                          ///< 0 to 100
    std::array<double, 4> precisions{};                        ///< of n-grams of length 1 to 4, 0 to 1
    double brevity_penalty = 0;                                ///< 0 to 1
    std::int64_t hypothesis_length = 0, reference_length = 0;  ///< tokens in all
};

/// Corpus BLEU-4 on tokens with one reference (Papineni et al. 2002, doi 10.3115/1073083.1073135):
///
///     score = 100 * BP * (p1 * p2 * p3 * p4)^(1/4),   BP = min(1, exp(1 - reference_length / hypothesis_length))
///
/// where p_n is the number of hypothesis n-grams that occur in their reference, each at most as often as there, over
/// the number of hypothesis n-grams, both summed over the corpus. There is no smoothing: if no n-gram of some length
/// matches, or there is none because all hypotheses are shorter, that precision and the score are 0. Tokens are
/// compared as they are, so scores compare only between systems of equal tokenisation.
///
/// Throws ValueError if there are no sentences, or not as many hypotheses as references.
Bleu corpus_bleu(std::span<const std::vector<std::string>> hypotheses,
                 std::span<const std::vector<std::string>> references);

/// Fraction of hypotheses that equal their reference token by token. Throws as `corpus_bleu` does.
double exact_match(std::span<const std::vector<std::string>> hypotheses,
                   std::span<const std::vector<std::string>> references);

}  // namespace wengert
