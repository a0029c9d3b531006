#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bleu_by_length.hpp>

namespace wengert {
namespace {

/// Lines, and what is summed over them.
struct Sums {
    std::int64_t least = 0, most = 0, lines = 0, length = 0;
    BleuCounts counts;

    Sums& operator+=(const Sums& other) {
        least = lines == 0 ? other.least : std::min(least, other.least);
        most = std::max(most, other.most);
        lines += other.lines;
        length += other.length;
        counts += other.counts;
        return *this;
    }
};

}  // namespace

std::vector<LengthBand> bleu_by_length(std::span<const std::string> hypotheses,
                                       std::span<const std::vector<std::string>> references,
                                       std::span<const std::int64_t> lengths, const BleuOptions& options,
                                       const LengthBandOptions& bands) {
    if (lengths.size() != hypotheses.size())
        throw ValueError(
            fmt::format("bleu_by_length: {} hypotheses, but {} lengths", hypotheses.size(), lengths.size()));
    if (bands.width < 1) throw ValueError(fmt::format("bleu_by_length: the width is {}, not 1 or more", bands.width));
    const std::vector<BleuCounts> counts = bleu_counts(hypotheses, references, options);
    std::map<std::int64_t, Sums> by_band;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        if (lengths[i] < 0) throw ValueError(fmt::format("bleu_by_length: the length of line {} is {}", i, lengths[i]));
        const std::int64_t band = lengths[i] == 0 ? 0 : (lengths[i] - 1) / bands.width,
                           least = band == 0 ? 0 : band * bands.width + 1;
        by_band[band] += {least, (band + 1) * bands.width, 1, lengths[i], counts[i]};
    }
    std::vector<Sums> joined;
    for (const auto& [band, sums] : by_band) {
        const bool is_few = sums.lines < bands.min_lines || (joined.size() == 1 && joined[0].lines < bands.min_lines);
        if (is_few && !joined.empty())
            joined.back() += sums;
        else
            joined.push_back(sums);
    }
    std::vector<LengthBand> result;
    for (const Sums& sums : joined)
        result.push_back({sums.least, sums.most, sums.lines,
                          static_cast<double>(sums.length) / static_cast<double>(sums.lines),
                          bleu_score(sums.counts, options).score});
    return result;
}

}  // namespace wengert
