#pragma once

#include <array>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/models/seq2seq/option.hpp>
#include <wengert/models/seq2seq/system.hpp>

namespace WENGERT_EXPORT wengert {

/// How a translation is looked for: the best token at each step (a beam of 1), the best of several hypotheses, or at
/// random.
struct SearchOptions {
    int beam = 1;
    int n_best = 1;
    double length_penalty = 0;
    double coverage_penalty = 0;
    std::int64_t min_length = 0;
    std::int64_t max_length = 0;
    bool no_unknown = false;
    bool sample = false;
    double temperature = 1;
    std::int64_t top_k = 0;
    double top_p = 1;
    std::int64_t search_seed = 1;
    std::function<void()> before_step = {};  ///< is called before each step; what it throws ends the search

    /// Options that change nothing without another.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> needs{{{"temperature", "sample"},
                                                                                         {"top_k", "sample"},
                                                                                         {"top_p", "sample"},
                                                                                         {"search_seed", "sample"},
                                                                                         {"n_best", "beam"},
                                                                                         {"length_penalty", "beam"},
                                                                                         {"coverage_penalty", "beam"}}};

    void describe(auto&& f) {
        constexpr std::int64_t most = 1'000'000;
        f(OptionText{"beam", "Hypotheses that are followed; 1: greedy"}, beam, Bounds<int>{1, 1000});
        f(OptionText{"n_best", "Translations of each sentence, at most as many as the beam"}, n_best,
          Bounds<int>{1, 1000});
        f(OptionText{"length_penalty", "Exponent a of ((5 + length) / 6)^a, which divides a score"}, length_penalty,
          Bounds<double>{0, 10});
        f(OptionText{"coverage_penalty", "Weight of the penalty for source words that attention left out"},
          coverage_penalty, Bounds<double>{0, 10});
        f(OptionText{"min_length", "Tokens that a translation has at least"}, min_length,
          Bounds<std::int64_t>{0, most});
        f(OptionText{"max_length",
                     "Tokens that it has at most; 0: as in training, or as the source or min_length if that is more"},
          max_length, Bounds<std::int64_t>{0, most});
        f(OptionText{"no_unknown", "<unk> is never written"}, no_unknown);
        f(OptionText{"sample", "Each token is drawn at random"}, sample);
        f(OptionText{"temperature", "Of sampling: below 1 likely tokens become likelier"}, temperature,
          Bounds<double>{1e-3, 1e3});
        f(OptionText{"top_k", "Of sampling: so many of the likeliest tokens only; 0: all"}, top_k,
          Bounds<std::int64_t>{0, most});
        f(OptionText{"top_p", "Of sampling: the likeliest tokens only that have this probability together"}, top_p,
          Bounds<double>{1e-6, 1});
        f(OptionText{"search_seed", "Of sampling; a sentence's draws depend on it and on the source alone"},
          search_seed, Bounds<std::int64_t>{0, INT64_MAX});
    }
};

/// Reads an object with any of the described options, {"beam": 4, "n_best": 2}; the others keep their values. Throws
/// ValueError for another name, a value of another kind or outside its range, and for options that do not go together,
/// as search() does.
void from_json(const nlohmann::json& json, SearchOptions& options);

/// What one system of an ensemble looked at, or one of its heads.
struct AttentionPart {
    std::size_t system;  ///< its place in the ensemble
    std::int64_t head;   ///< -1: the system, the mean of its heads
    Tensor weights;      ///< as Hypothesis::weights
};

/// A translation that a search has found, or is working on.
struct Hypothesis {
    std::vector<std::int64_t> tokens = {};       ///< without <s> and </s>
    bool is_whole = false;                       ///< it ended with </s>, and was not cut off
    std::vector<double> log_probabilities = {};  ///< of each token, and of </s> if whole, in nats
    double log_probability = 0;                  ///< their sum
    double score = 0;                            ///< what hypotheses are ordered by: the same with penalties
    Tensor weights = {};  ///< [tokens, and </s> if whole; S]: attention, the mean over systems that have one
    std::vector<AttentionPart> parts = {};  ///< what that is the mean of, where a SearchTrace is kept
    std::int64_t node = -1;                 ///< its last token in the SearchTree, where one is kept
};

/// The hypotheses of a source that a search kept, step by step: a node for each token that one got.
struct SearchTree {
    /// A token of one hypothesis or several.
    struct Node {
        std::int64_t parent;     ///< that of the token before; -1: none, it is the first
        std::int64_t token;      ///< </s>, too
        double log_probability;  ///< of the token, in nats
        double total;            ///< of all tokens so far
        std::int64_t rank =
            -1;  ///< of the hypothesis that is finished here among all of its source, 0: the best; -1: none is
        double score = 0;  ///< that hypothesis's
    };
    std::vector<Node> nodes = {};  ///< a parent stands before its children
};

/// What a search went through besides what it returns.
struct SearchTrace {
    std::vector<SearchTree> trees;  ///< of each source
};

/// The most tokens that hypotheses have: of all sources, or of each.
struct LengthLimits {
    LengthLimits(std::int64_t of_all_) : of_all(of_all_) {}                             ///< the same of all
    LengthLimits(std::vector<std::int64_t> of_each_) : of_each(std::move(of_each_)) {}  ///< one for each

    std::int64_t of_all = 0;                 ///< of every source, unless each has its own
    std::vector<std::int64_t> of_each = {};  ///< if there are some, of_all does not count

    /// That of one source, which counts from 0.
    std::int64_t of(std::size_t source) const { return of_each.empty() ? of_all : of_each[source]; }
};

/// The best hypotheses of each source, the best first: n_best of each, or as many as there are. source int64 [B, S],
/// lengths int64 [B], or undefined if all rows are full; the limits are those of `limits`, unless the options have a
/// max_length of their own. What is found of a source does not depend on the others, by draws at random neither.
/// Several systems of one target vocabulary are an ensemble: their probabilities' mean counts. Row b of `prefixes`
/// begins each hypothesis of source b; none, or one for each source.
///
/// score = log_probability / ((5 + n) / 6)^length_penalty + coverage_penalty sum_s log(min(sum_t weights[t, s], 1)),
/// where n counts </s> (Wu et al. 2016, arXiv:1609.08144). <pad> and <s> are never written. A hypothesis that ends
/// leaves its place in the beam. Records nothing; threads may share systems. `trace`, if there is one, gets what the
/// search went through, and hypotheses their parts, for which attention is kept apart.
///
/// Throws ValueError without a system, for systems of unlike target vocabularies, options outside their ranges, limits
/// below 0, below min_length or of another number than the sources, and a prefix that does not fit, NonFiniteError if a
/// system's logits are not finite.
std::vector<std::vector<Hypothesis>> search(std::span<const System* const> systems, const Tensor& source,
                                            const Tensor& lengths, const LengthLimits& limits,
                                            const SearchOptions& options = {},
                                            std::span<const std::vector<std::int64_t>> prefixes = {},
                                            SearchTrace* trace = nullptr);

}  // namespace wengert
