#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

struct ChrfOptions {
    int character_order = 6;      ///< the longest n-grams of characters that count
    int word_order = 0;           ///< 2 for chrF++
    int beta = 2;                 ///< recall weighs beta times as much as precision
    bool lowercase = false;       ///< whether both sides are brought to lower case
    bool whitespace = false;      ///< white space counts among the characters
    bool effective_order = true;  ///< lengths that either side does not reach are left out; else they count as 1e-16
};

/// What chrF is computed from: counts of one line or, summed, of many.
struct ChrfCounts {
    /// Counts of the n-grams of one length.
    struct Order {
        std::int64_t hypothesis = 0, reference = 0, matched = 0;  ///< n-grams
    };
    std::vector<Order> orders;  ///< n-grams of characters from length 1, then of words from length 1

    /// Throws ValueError if both have orders, and not as many. Adding to none is allowed.
    ChrfCounts& operator+=(const ChrfCounts& other);
};

/// A score with its name.
struct Chrf {
    double score = 0;  ///< 0 to 100
    std::string name;  ///< chrF2, chrF2++: with beta, and a + for each length of words
};

/// chrF of a corpus of detokenised lines (Popović 2015, doi 10.18653/v1/W15-3049), and with words chrF++ (Popović 2017,
/// doi 10.18653/v1/W17-4770), equal to sacrebleu's:
///
///     score = 100 (1 + beta²) P R / (beta² P + R)
///
/// where P and R are means over the lengths of n-grams: of the matched n-grams over those of the hypotheses and over
/// those of the references, each summed over the lines. Without effective order the mean is of the scores of the
/// lengths. N-grams of all lengths are of code points without white space; words are what stands between white space,
/// with one mark of ASCII's punctuation split from their end, or else from their beginning. Of several references each
/// line is compared with that which gives it the best score.
///
/// references[k][i] is the k-th reference of hypotheses[i]. Throws ValueError if there are no hypotheses or no
/// references, if there are not as many lines in each, if a line is not UTF-8, and unless character_order and beta are
/// 1 or more and word_order 0 or more.
Chrf corpus_chrf(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                 const ChrfOptions& options = {});

/// chrF of one line with its references. Throws as `corpus_chrf` does.
Chrf sentence_chrf(const std::string& hypothesis, std::span<const std::string> references,
                   const ChrfOptions& options = {});

/// The counts of each line. Throws as `corpus_chrf` does.
std::vector<ChrfCounts> chrf_counts(std::span<const std::string> hypotheses,
                                    std::span<const std::vector<std::string>> references,
                                    const ChrfOptions& options = {});
/// The score of summed counts. Throws ValueError if they are not of these orders.
Chrf chrf_score(const ChrfCounts& sum, const ChrfOptions& options = {});

/// What a report of the score says, so that others may compare: "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|" and
/// the version of sacrebleu. Throws ValueError if there are no references.
std::string signature(const ChrfOptions& options, std::size_t references = 1);

/// sacrebleu's line: "chrF2 = 61.20", with a signature "chrF2|nrefs:1|... = 61.20".
std::string to_string(const Chrf& chrf, std::string_view signature = {});

}  // namespace wengert
