#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bootstrap.hpp>

namespace wengert {

namespace {

void check(std::size_t baseline, std::size_t system, const Resamples& samples) {
    if (baseline != system)
        throw ValueError(
            fmt::format("paired_bootstrap: the baseline has {} lines, but the system {}", baseline, system));
    if (samples.empty()) throw ValueError("paired_bootstrap: there are no samples");
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (samples[i].empty()) throw ValueError(fmt::format("paired_bootstrap: sample {} has no lines", i));
        if (const std::size_t line = std::ranges::max(samples[i]); line >= baseline)
            throw ValueError(
                fmt::format("paired_bootstrap: sample {} has line {} of a corpus of {}", i, line, baseline));
    }
}

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// A system's scores: of the corpus, and of each sample.
struct Scores {
    double corpus;
    std::vector<double> samples;
};

template <class Counts, class Score>
Scores score_samples(const std::vector<Counts>& lines, const Resamples& samples, const Score& score) {
    Counts all;
    for (const Counts& line : lines) all += line;
    Scores scores{score(all), {}};
    for (const std::vector<std::size_t>& sample : samples) {
        Counts sum;
        for (const std::size_t line : sample) sum += lines[line];
        scores.samples.push_back(score(sum));
    }
    return scores;
}

BootstrapScore summarize(const Scores& scores) {
    std::vector<double> sorted = scores.samples;
    std::ranges::sort(sorted);
    const std::size_t tail = sorted.size() / 40;
    return {scores.corpus, mean(sorted), (sorted[sorted.size() - 1 - tail] - sorted[tail]) / 2};
}

double p_value(const Scores& baseline, const Scores& system) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < system.samples.size(); ++i)
        differences.push_back(std::abs(system.samples[i] - baseline.samples[i]));
    const double expected = mean(differences), real = std::abs(system.corpus - baseline.corpus);
    const auto larger = std::ranges::count_if(differences, [&](double d) { return d - expected > real; });
    return static_cast<double>(larger + 1) / static_cast<double>(differences.size() + 1);
}

PairedBootstrap compare(const Scores& baseline, const Scores& system) {
    return {summarize(baseline), summarize(system), p_value(baseline, system)};
}

}  // namespace

Resamples resample_lines(std::size_t lines, Generator& generator, std::size_t samples) {
    if (lines == 0 || samples == 0)
        throw ValueError(
            fmt::format("resample_lines: {} samples of {} lines, but both must be 1 or more", samples, lines));
    Resamples drawn(samples, std::vector<std::size_t>(lines));
    for (std::vector<std::size_t>& sample : drawn)
        for (std::size_t& line : sample) line = generator.below(lines);
    return drawn;
}

PairedBootstrap paired_bootstrap(std::span<const std::string> baseline, std::span<const std::string> system,
                                 std::span<const std::vector<std::string>> references, const Resamples& samples,
                                 const BleuOptions& options) {
    check(baseline.size(), system.size(), samples);
    const auto scores = [&](std::span<const std::string> hypotheses) {
        return score_samples(bleu_counts(hypotheses, references, options), samples,
                             [&](const BleuCounts& sum) { return bleu_score(sum, options).score; });
    };
    return compare(scores(baseline), scores(system));
}

PairedBootstrap paired_bootstrap(std::span<const std::string> baseline, std::span<const std::string> system,
                                 std::span<const std::vector<std::string>> references, const Resamples& samples,
                                 const ChrfOptions& options) {
    check(baseline.size(), system.size(), samples);
    const auto scores = [&](std::span<const std::string> hypotheses) {
        return score_samples(chrf_counts(hypotheses, references, options), samples,
                             [&](const ChrfCounts& sum) { return chrf_score(sum, options).score; });
    };
    return compare(scores(baseline), scores(system));
}

std::string to_string(const BootstrapScore& score) {
    return fmt::format("{:.2f} ({:.2f} ± {:.2f})", score.score, score.mean, score.interval);
}

std::string to_string(const PairedBootstrap& result) {
    return fmt::format("{}\n{} (p = {:.4f}){}", to_string(result.baseline), to_string(result.system), result.p_value,
                       result.p_value > 0.05 ? "" : "*");
}

}  // namespace wengert
