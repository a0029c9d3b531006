#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/scoring/chrf.hpp>
#include <wengert/ops/random/random.hpp>

namespace WENGERT_EXPORT wengert {

/// Lines drawn with replacement: of each sample the numbers of its lines, from 0.
using Resamples = std::vector<std::vector<std::size_t>>;

/// As many samples of `lines` lines each out of a corpus of that size. Those of one call serve all systems and scores,
/// so that they are compared on the same samples. Throws ValueError unless both numbers are 1 or more.
Resamples resample_lines(std::size_t lines, Generator& generator, std::size_t samples = 1000);

/// A score with its distribution over samples.
struct BootstrapScore {
    double score = 0;     ///< of the corpus itself
    double mean = 0;      ///< over the samples
    double interval = 0;  ///< half the width of the middle 95 % of the samples
};

/// Two systems compared by a score.
struct PairedBootstrap {
    BootstrapScore baseline, system;  ///< the scores of both, on the same lines
    /// How probable a difference as large as that of the scores is, if the systems are equally good.
    double p_value = 1;
};

/// Paired bootstrap resampling (Koehn 2004, Statistical significance tests for machine translation evaluation), with
/// the method of sacrebleu's --paired-bs. Both systems are scored on each sample b, which gives a difference d_b:
///
///     p = (1 + the number of samples with |d_b| - mean |d| > |difference of the corpus scores|) / (1 + samples)
///
/// mean and interval are those of the scores of the samples; of these 1/40 are the tail at either end, rounded down.
/// The random numbers are those of the generator that drew the samples, so that sacrebleu's digits differ within what
/// chance allows.
///
/// references[k][i] is the k-th reference of line i of both systems. Throws ValueError if the systems do not have
/// equally many lines, if there is no sample, if one has no line or a number beyond the last line, and as
/// `corpus_bleu` does.
PairedBootstrap paired_bootstrap(std::span<const std::string> baseline, std::span<const std::string> system,
                                 std::span<const std::vector<std::string>> references, const Resamples& samples,
                                 const BleuOptions& options = {});
/// The same for chrF. Throws as `corpus_chrf` does.
PairedBootstrap paired_bootstrap(std::span<const std::string> baseline, std::span<const std::string> system,
                                 std::span<const std::vector<std::string>> references, const Resamples& samples,
                                 const ChrfOptions& options);

/// "37.42 (37.30 ± 2.15)"
std::string to_string(const BootstrapScore& score);
/// As in sacrebleu's table, the baseline in the first line: "37.42 (37.30 ± 2.15)\n39.80 (39.71 ± 2.20) (p = 0.0120)*".
/// The asterisk says that p is 0.05 or less.
std::string to_string(const PairedBootstrap& result);

}  // namespace wengert
