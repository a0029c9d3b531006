#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <wengert/models/seq2seq/decoding/internal/token_choice.hpp>
#include <wengert/models/seq2seq/decoding/search.hpp>
#include <wengert/models/seq2seq/internal/option_json.hpp>
#include <wengert/models/text/fingerprint.hpp>
#include <wengert/models/text/vocabulary.hpp>
#include <wengert/nn/streams.hpp>

namespace wengert {
namespace {

/// A hypothesis that goes on, or one that has ended and only keeps its place among the rows.
struct Live {
    std::size_t sentence;
    Hypothesis hypothesis;
    std::vector<std::int64_t> rows;  ///< where it, or what it came from, stood at each step
    bool has_ended = false;

    std::int64_t last_token() const { return hypothesis.tokens.empty() ? Vocabulary::start : hypothesis.tokens.back(); }
};

class Search {
  public:
    Search(std::span<const System* const> systems, const Tensor& source, const Tensor& lengths,
           const LengthLimits& limits, const SearchOptions& options,
           std::span<const std::vector<std::int64_t>> prefixes, SearchTrace* trace)
        : systems_(systems),
          options_(options),
          limits_(limits),
          prefixes_(prefixes),
          trace_(trace),
          source_(source),
          lengths_(lengths),
          finished_(static_cast<std::size_t>(source.dim(0))) {
        if (trace_) trace_->trees.assign(finished_.size(), {});
        for (const System* system : systems) states_.push_back(system->start(source, lengths));
        for (std::size_t sentence = 0; sentence < finished_.size(); ++sentence) {
            live_.push_back({sentence, {}, {}});
            if (options.sample) random_.push_back(generator_of(sentence));
        }
    }

    std::vector<std::vector<Hypothesis>> run() {
        for (cut_off(); !std::ranges::all_of(live_, &Live::has_ended); ++step_, cut_off()) advance();
        for (std::size_t sentence = 0; sentence < finished_.size(); ++sentence) {
            std::vector<Hypothesis>& all = finished_[sentence];
            std::ranges::stable_sort(all, std::greater(), &Hypothesis::score);
            if (trace_) rank(all, trace_->trees[sentence]);
            all.resize(std::min(all.size(), static_cast<std::size_t>(options_.n_best)));
        }
        return std::move(finished_);
    }

  private:
    std::int64_t length_of(std::size_t sentence) const {
        return lengths_.defined() ? lengths_.data<std::int64_t>()[sentence] : source_.dim(1);
    }

    /// Draws that follow from the seed and the source alone, whatever else is in the batch.
    Generator generator_of(std::size_t sentence) const {
        Fingerprint fingerprint;
        const Tensor row = wengert::select(source_, 0, static_cast<std::int64_t>(sentence));
        for (const std::int64_t id : slice(row, 0, 0, length_of(sentence)).to_vector<std::int64_t>())
            fingerprint.add(id);
        const auto number = static_cast<std::uint64_t>(fingerprint.value() >> 7);  // below 2^56, by the upper bits
        return Generator(static_cast<std::uint64_t>(options_.search_seed), streams::part(streams::search, number));
    }

    /// Ends the hypotheses that may have no more tokens.
    void cut_off() {
        for (Live& one : live_) {
            if (one.has_ended || step_ < limits_.of(one.sentence)) continue;
            finish(one);
            one.has_ended = true;
        }
    }

    void advance() {
        if (options_.before_step) options_.before_step();
        const Tensor log_probabilities = compute();
        std::vector<Live> next;
        std::vector<std::int64_t> parents;
        for (std::size_t begin = 0; begin < live_.size();) {
            std::size_t end = begin;
            while (end < live_.size() && live_[end].sentence == live_[begin].sentence) ++end;
            extend(begin, end, log_probabilities, next, parents);
            begin = end;
        }
        if (std::ranges::all_of(next, &Live::has_ended)) next.clear(), parents.clear();
        const auto ended = static_cast<std::size_t>(std::ranges::count(next, true, &Live::has_ended));
        if (4 * ended > next.size()) drop_ended(next, parents);
        select(next, parents);
        live_ = std::move(next);
    }

    /// One step of every system: the log probabilities [rows, V] of the next token.
    Tensor compute() {
        std::vector<std::int64_t> tokens;
        for (const Live& one : live_) tokens.push_back(one.last_token());
        const Tensor last = tensor(tokens, {std::ssize(tokens)});
        const Pause pause;
        Tensor sum, weights;
        int attending = 0;
        parts_.emplace_back();
        for (std::size_t i = 0; i < systems_.size(); ++i) {
            const System::Step step = systems_[i]->step(last, *states_[i]);
            const Tensor part = log_softmax(step.logits);
            const auto log_add = [](auto a, auto b) { return maximum(a, b) + log1p(exp(-abs(a - b))); };
            sum = sum.defined() ? map(log_add, sum, part) : part;
            if (!step.weights.defined()) continue;
            weights = weights.defined() ? weights + step.weights : step.weights;
            if (trace_) keep_parts(i, step);
            ++attending;
        }
        weights_.push_back(attending > 1 ? weights / attending : weights);
        return systems_.size() == 1 ? sum : sum - std::log(static_cast<double>(systems_.size()));
    }

    void keep_parts(std::size_t system, const System::Step& step) {
        if (systems_.size() > 1) parts_.back().push_back({system, -1, step.weights});
        if (!step.heads.defined()) return;
        for (std::int64_t head = 0; head < step.heads.dim(1); ++head)
            parts_.back().push_back({system, head, wengert::select(step.heads, 1, head)});
    }

    static void rank(const std::vector<Hypothesis>& best_first, SearchTree& tree) {
        for (std::size_t place = 0; place < best_first.size(); ++place) {
            if (best_first[place].node < 0) continue;  // it was cut off before its first token
            SearchTree::Node& last = tree.nodes[static_cast<std::size_t>(best_first[place].node)];
            last.rank = static_cast<std::int64_t>(place);
            last.score = best_first[place].score;
        }
    }

    /// The best successors of rows [begin, end), which are of one sentence. A hypothesis with one successor is moved
    /// to it; its sentence and its end stay to be read.
    void extend(std::size_t begin, std::size_t end, const Tensor& log_probabilities, std::vector<Live>& next,
                std::vector<std::int64_t>& parents) {
        const std::size_t sentence = live_[begin].sentence;
        if (live_[begin].has_ended) {
            next.push_back(std::move(live_[begin]));
            parents.push_back(static_cast<std::int64_t>(begin));
            return;
        }
        const std::size_t places = static_cast<std::size_t>(options_.beam) - finished_[sentence].size();
        std::vector<TokenChoice> choices;
        for (std::size_t row = begin; row < end; ++row) {
            const Tensor scores = wengert::select(log_probabilities, 0, static_cast<std::int64_t>(row));
            for (TokenChoice choice : choose(scores, sentence, places)) {
                choice.row = row;
                choice.total = live_[row].hypothesis.log_probability + choice.log_probability;
                choices.push_back(choice);
            }
        }
        if (choices.empty()) {  // every token is forbidden or impossible: what there is, is cut off
            for (std::size_t row = begin; row < end; ++row) finish(live_[row]);
            return;
        }
        // Sampled hypotheses are independent of one another: each goes on.
        if (!options_.sample || step_ <= first_choice(sentence)) {
            std::ranges::stable_sort(choices, std::greater(), &TokenChoice::total);
            choices.resize(std::min(choices.size(), places));
        }
        for (const TokenChoice& choice : choices) {
            Live one = choices.size() == 1 ? std::move(live_[choice.row]) : live_[choice.row];
            one.rows.push_back(static_cast<std::int64_t>(choice.row));
            one.hypothesis.log_probabilities.push_back(choice.log_probability);
            one.hypothesis.log_probability = choice.total;
            if (trace_) {
                std::vector<SearchTree::Node>& nodes = trace_->trees[sentence].nodes;
                nodes.push_back({one.hypothesis.node, choice.token, choice.log_probability, choice.total});
                one.hypothesis.node = std::ssize(nodes) - 1;
            }
            if (choice.token == Vocabulary::end) {
                one.hypothesis.is_whole = true;
                finish(one);
                // Alone in its beam it keeps its place for a while, so that nothing need be moved.
                if (options_.beam > 1) continue;
                one.has_ended = true;
            } else {
                one.hypothesis.tokens.push_back(choice.token);
            }
            parents.push_back(static_cast<std::int64_t>(choice.row));
            next.push_back(std::move(one));
        }
    }

    std::vector<TokenChoice> choose(const Tensor& log_probabilities, std::size_t sentence, std::size_t places) {
        if (sentence < prefixes_.size() && step_ < std::ssize(prefixes_[sentence])) {
            const std::int64_t token = prefixes_[sentence][static_cast<std::size_t>(step_)];
            return {{token, log_probabilities.at({token})}};
        }
        std::vector<std::int64_t> forbidden{Vocabulary::pad, Vocabulary::start};
        if (options_.no_unknown) forbidden.push_back(Vocabulary::unknown);
        if (step_ < options_.min_length) forbidden.push_back(Vocabulary::end);
        if (!options_.sample) return best_tokens(log_probabilities, forbidden, places);
        const std::size_t draws = step_ == first_choice(sentence) ? places : 1;
        std::vector<TokenChoice> drawn;
        for (std::size_t i = 0; i < draws; ++i)
            if (const auto choice =
                    draw_token(log_probabilities, forbidden, {options_.temperature, options_.top_k, options_.top_p},
                               random_[sentence]))
                drawn.push_back(*choice);
        return drawn;
    }

    /// The step at which the hypotheses of a sentence, which begin with one row, first have a choice.
    std::int64_t first_choice(std::size_t sentence) const {
        return sentence < prefixes_.size() ? std::ssize(prefixes_[sentence]) : 0;
    }

    static void drop_ended(std::vector<Live>& next, std::vector<std::int64_t>& parents) {
        std::vector<Live> kept;
        std::vector<std::int64_t> rows;
        for (std::size_t i = 0; i < next.size(); ++i) {
            if (next[i].has_ended) continue;
            kept.push_back(std::move(next[i]));
            rows.push_back(parents[i]);
        }
        next = std::move(kept);
        parents = std::move(rows);
    }

    /// Moves what the systems know to the rows of `next`.
    void select(const std::vector<Live>& next, const std::vector<std::int64_t>& parents) {
        if (next.empty()) return;
        bool same_rows = next.size() == live_.size(), same_sources = same_rows;
        for (std::size_t i = 0; i < next.size() && same_sources; ++i) {
            same_rows &= parents[i] == static_cast<std::int64_t>(i);
            same_sources &= next[i].sentence == live_[i].sentence;
        }
        if (same_rows && same_sources) return;
        for (const auto& state : states_) state->select(parents, same_sources);
    }

    /// Moves a hypothesis to those that are finished.
    void finish(const Live& one) {
        Hypothesis result = one.hypothesis;
        const std::int64_t length = length_of(one.sentence);
        // The rows that led here, of a tensor [rows, S] for each step.
        const auto followed = [&](const auto& at_step) {
            std::vector<Tensor> rows;
            for (std::size_t t = 0; t < one.rows.size(); ++t)
                rows.push_back(wengert::select(at_step(t), 0, one.rows[t]));
            return slice(stack(rows, 0), 1, 0, length);
        };
        if (!one.rows.empty() && weights_[0].defined()) {
            result.weights = followed([&](std::size_t t) -> const Tensor& { return weights_[t]; });
            for (std::size_t p = 0; p < parts_[0].size(); ++p)
                result.parts.push_back(
                    {parts_[0][p].system, parts_[0][p].head,
                     followed([&](std::size_t t) -> const Tensor& { return parts_[t][p].weights; })});
        }
        const auto n = static_cast<double>(result.log_probabilities.size());
        result.score = result.log_probability / std::pow((5 + n) / 6, options_.length_penalty);
        if (options_.coverage_penalty > 0 && result.weights.defined()) {
            const Tensor covered = log(minimum(sum(result.weights, 0), 1.0));
            result.score += options_.coverage_penalty * sum(maximum(covered, -1e3)).item();
        }
        finished_[one.sentence].push_back(std::move(result));
    }

    const std::span<const System* const> systems_;
    const SearchOptions options_;
    const LengthLimits limits_;
    const std::span<const std::vector<std::int64_t>> prefixes_;
    SearchTrace* const trace_;
    const Tensor source_, lengths_;
    std::vector<Generator> random_;  // of each source, if it draws
    std::vector<std::unique_ptr<DecoderState>> states_;
    std::vector<Live> live_;                         // the hypotheses of a sentence stand together
    std::vector<Tensor> weights_;                    // of each step, [rows, S]
    std::vector<std::vector<AttentionPart>> parts_;  // of each step, if there is a trace
    std::vector<std::vector<Hypothesis>> finished_;
    std::int64_t step_ = 0;
};

void check(const SearchOptions& options) {
    SearchOptions checked = options;
    checked.describe(OptionChecker{"search"});
    if (options.n_best > options.beam)
        throw ValueError(fmt::format("search: n_best is {}, more than the beam of {}", options.n_best, options.beam));
    if (options.max_length > 0 && options.min_length > options.max_length)
        throw ValueError(
            fmt::format("search: min_length is {}, more than max_length {}", options.min_length, options.max_length));
}

void check(std::span<const System* const> systems, const Tensor& source, const LengthLimits& limits,
           const SearchOptions& options, std::span<const std::vector<std::int64_t>> prefixes) {
    if (systems.empty()) throw ValueError("search: there is no system");
    for (const System* system : systems)
        if (system->options().target_vocabulary != systems[0]->options().target_vocabulary)
            throw ValueError(fmt::format("search: the systems have target vocabularies of {} and {} tokens",
                                         systems[0]->options().target_vocabulary, system->options().target_vocabulary));
    if (!limits.of_each.empty() && std::ssize(limits.of_each) != source.dim(0))
        throw ValueError(
            fmt::format("search: {} greatest lengths for {} sources", limits.of_each.size(), source.dim(0)));
    if (!prefixes.empty() && std::ssize(prefixes) != source.dim(0))
        throw ValueError(fmt::format("search: {} prefixes for {} sources", prefixes.size(), source.dim(0)));
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        if (std::ssize(prefixes[i]) > limits.of(i))
            throw ValueError(fmt::format("search: the prefix of source {} has {} tokens, and {} are the most", i,
                                         prefixes[i].size(), limits.of(i)));
        for (const std::int64_t token : prefixes[i])
            if (token <= Vocabulary::end || token >= systems[0]->options().target_vocabulary)
                throw ValueError(fmt::format("search: the prefix of source {} has the token {}, outside [{}, {})", i,
                                             token, Vocabulary::unknown, systems[0]->options().target_vocabulary));
    }
    check(options);
    for (std::size_t i = 0; i < std::max<std::size_t>(limits.of_each.size(), 1); ++i)
        if (limits.of(i) < options.min_length)
            throw ValueError(fmt::format("search: the greatest length {}is {}, less than min_length {}",
                                         limits.of_each.empty() ? "" : fmt::format("of source {} ", i), limits.of(i),
                                         options.min_length));
}

}  // namespace

void from_json(const nlohmann::json& json, SearchOptions& options) {
    const Settings settings(json);
    SearchOptions read = options;
    std::vector<std::string_view> names;
    read.describe(OptionReader{settings, names});
    settings.require_known(names);
    const OptionList values = option_texts(read), usual = option_texts(SearchOptions());
    for (const auto& [name, needed] : SearchOptions::needs) {
        const auto at = std::ranges::find(values, needed, &OptionList::value_type::first);
        const bool is_off = *at == usual[static_cast<std::size_t>(at - values.begin())];
        if (settings.contains(name) && !settings.contains(needed) && is_off)
            settings.fail(fmt::format("\"{}\" changes nothing without \"{}\"", name, needed));
    }
    check(read);
    options = std::move(read);
}

std::vector<std::vector<Hypothesis>> search(std::span<const System* const> systems, const Tensor& source,
                                            const Tensor& lengths, const LengthLimits& limits,
                                            const SearchOptions& options,
                                            std::span<const std::vector<std::int64_t>> prefixes, SearchTrace* trace) {
    const Pause pause;
    const LengthLimits effective = options.max_length > 0 ? LengthLimits(options.max_length) : limits;
    check(systems, source, effective, options, prefixes);
    if (trace) trace->trees.clear();
    if (source.dim(0) == 0) return {};
    return Search(systems, source, lengths, effective, options, prefixes, trace).run();
}

}  // namespace wengert
