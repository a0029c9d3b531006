#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/metrics.hpp>

namespace wengert {

namespace {

using Tokens = std::vector<std::string>;
using NgramCounts =
    std::map<std::span<const std::string>, std::int64_t,
             decltype([](const auto& a, const auto& b) { return std::ranges::lexicographical_compare(a, b); })>;

NgramCounts count_ngrams(std::span<const std::string> tokens, std::size_t n) {
    NgramCounts counts;
    for (std::size_t i = 0; i + n <= tokens.size(); ++i) ++counts[tokens.subspan(i, n)];
    return counts;
}

void check(std::string_view metric, std::span<const Tokens> hypotheses, std::span<const Tokens> references) {
    if (hypotheses.size() != references.size()) {
        throw ValueError(
            fmt::format("{}: {} hypotheses, but {} references", metric, hypotheses.size(), references.size()));
    }
    if (hypotheses.empty()) throw ValueError(fmt::format("{}: no sentences", metric));
}

}  // namespace

Bleu corpus_bleu(std::span<const Tokens> hypotheses, std::span<const Tokens> references) {
    check("corpus_bleu", hypotheses, references);
    Bleu bleu;
    std::array<std::int64_t, 4> matched{}, total{};
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
        bleu.hypothesis_length += static_cast<std::int64_t>(hypotheses[i].size());
        bleu.reference_length += static_cast<std::int64_t>(references[i].size());
        for (std::size_t n = 1; n <= matched.size(); ++n) {
            const NgramCounts allowed = count_ngrams(references[i], n);
            for (const auto& [ngram, count] : count_ngrams(hypotheses[i], n)) {
                const auto found = allowed.find(ngram);
                total[n - 1] += count;
                if (found != allowed.end()) matched[n - 1] += std::min(count, found->second);
            }
        }
    }
    if (bleu.hypothesis_length == 0) return bleu;

    const double length_ratio =
        static_cast<double>(bleu.reference_length) / static_cast<double>(bleu.hypothesis_length);
    bleu.brevity_penalty = std::min(1.0, std::exp(1.0 - length_ratio));
    double product = 1;
    for (std::size_t n = 0; n < matched.size(); ++n) {
        if (total[n] > 0) bleu.precisions[n] = static_cast<double>(matched[n]) / static_cast<double>(total[n]);
        product *= bleu.precisions[n];
    }
    bleu.score = 100 * bleu.brevity_penalty * std::pow(product, 1.0 / 4);
    return bleu;
}

double exact_match(std::span<const Tokens> hypotheses, std::span<const Tokens> references) {
    check("exact_match", hypotheses, references);
    std::size_t equal = 0;
    for (std::size_t i = 0; i < hypotheses.size(); ++i) equal += hypotheses[i] == references[i];
    return static_cast<double>(equal) / static_cast<double>(hypotheses.size());
}

}  // namespace wengert
