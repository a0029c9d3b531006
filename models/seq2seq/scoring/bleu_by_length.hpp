#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/scoring/bleu.hpp>

namespace WENGERT_EXPORT wengert {

/// BLEU of the lines whose lengths lie in [least, most].
struct LengthBand {
    std::int64_t least, most;  ///< both lengths belong to the band
    std::int64_t lines;        ///< how many lines the band has
    double mean_length;        ///< of these lines
    double bleu;               ///< of these lines, as a corpus of their own: 0 to 100
};

struct LengthBandOptions {
    std::int64_t width = 5;       ///< bands are [0, width], [width + 1, 2 width], ...
    std::int64_t min_lines = 20;  ///< a band of fewer joins the one before; the first ones, the one behind
};

/// BLEU by length, as in the second figure of Bahdanau et al. 2015: lengths[i] is that of line i, as a rule the words
/// of its source. Each band's score is that of a corpus of its own. Throws ValueError if there are not as many lengths
/// as lines, a length is negative, or a width is below 1, and as `corpus_bleu` does.
std::vector<LengthBand> bleu_by_length(std::span<const std::string> hypotheses,
                                       std::span<const std::vector<std::string>> references,
                                       std::span<const std::int64_t> lengths, const BleuOptions& options = {},
                                       const LengthBandOptions& bands = {});

}  // namespace wengert
