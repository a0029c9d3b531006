#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/batches.hpp>
#include <wengert/models/text/fingerprint.hpp>
#include <wengert/nn/streams.hpp>
#include <wengert/ops/random/random.hpp>

namespace wengert {

namespace {

using Ids = std::vector<std::int64_t>;

/// The standard leaves the results of std::shuffle to the library.
template <class T>
void shuffle(std::vector<T>& values, Generator& generator) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[generator.below(i)]);
}

struct Padded {
    std::int64_t length = 0;
    Ids ids, lengths;
};

Padded pad(std::span<const Ids> sentences) {
    Padded result;
    for (const Ids& sentence : sentences) {
        if (sentence.empty()) throw ValueError("batch: a sentence has no ids");
        result.lengths.push_back(static_cast<std::int64_t>(sentence.size()));
        result.length = std::max(result.length, result.lengths.back());
    }
    const auto length = static_cast<std::size_t>(result.length);
    result.ids.assign(sentences.size() * length, Vocabulary::pad);
    for (std::size_t row = 0; row < sentences.size(); ++row) {
        std::ranges::copy(sentences[row], &result.ids[row * length]);
    }
    return result;
}

}  // namespace

std::vector<std::int64_t> source_ids(std::span<const std::string> tokens, const Vocabulary& vocabulary) {
    Ids ids = vocabulary.encode(tokens);
    ids.push_back(Vocabulary::end);
    return ids;
}

std::vector<std::int64_t> target_ids(std::span<const std::string> tokens, const Vocabulary& vocabulary) {
    Ids ids = source_ids(tokens, vocabulary);
    ids.insert(ids.begin(), Vocabulary::start);
    return ids;
}

Batch collate(std::span<const std::vector<std::int64_t>> sources, std::span<const std::vector<std::int64_t>> targets) {
    if (sources.empty()) throw ValueError("batch: no sentence");
    if (!targets.empty() && targets.size() != sources.size()) {
        throw ValueError(fmt::format("batch: {} sources, but {} targets", sources.size(), targets.size()));
    }
    Padded source = pad(sources), target = pad(targets);
    return {.size = static_cast<std::int64_t>(sources.size()),
            .source_length = source.length,
            .target_length = target.length,
            .source = std::move(source.ids),
            .target = std::move(target.ids),
            .source_lengths = std::move(source.lengths),
            .target_lengths = std::move(target.lengths)};
}

Batches::Batches(const Corpus& corpus, const Vocabulary& source, const Vocabulary& target,
                 const BatchOptions& options) {
    if (corpus.size() == 0) throw ValueError("batches: the corpus is empty");
    for (const Sentence& sentence : corpus.source) sources_.push_back(source_ids(sentence, source));
    for (const Sentence& sentence : corpus.target) targets_.push_back(target_ids(sentence, target));
    group(options);
}

Batches Batches::regrouped(const BatchOptions& options) const {
    Batches result = *this;
    result.group(options);
    return result;
}

void Batches::group(const BatchOptions& options) {
    if (options.batch_size < 1 || options.pool < 1) {
        throw ValueError(fmt::format("batches: batch_size is {} and pool {}, but must be 1 or more", options.batch_size,
                                     options.pool));
    }
    if (options.batch_tokens < 0)
        throw ValueError(fmt::format("batches: batch_tokens is {}, but must be 0 or more", options.batch_tokens));
    options_ = options;
    size_ = epoch(0).size();
}

/// Whether a batch of so many pairs, with one more as long as the longest of all, is too much.
bool Batches::is_full(std::size_t pairs, std::size_t longest) const {
    if (options_.batch_tokens == 0) return pairs == static_cast<std::size_t>(options_.batch_size);
    return pairs > 0 && (pairs + 1) * longest > static_cast<std::size_t>(options_.batch_tokens);
}

std::vector<std::vector<std::size_t>> Batches::epoch(std::uint64_t number) const {
    Generator generator(options_.seed, streams::part(streams::batches, number));
    std::vector<std::size_t> order(sources_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(order, generator);

    const auto batch_size = static_cast<std::size_t>(options_.batch_size);
    const std::size_t most = (order.size() + batch_size - 1) / batch_size;
    const auto pool_size =
        options_.batch_tokens > 0 ? order.size() : batch_size * std::min(static_cast<std::size_t>(options_.pool), most);
    // The longer side first: of the keys tried on English-Chinese and German-English, this pads the two sides least.
    const auto lengths = [&](std::size_t i) {
        return std::pair(std::max(sources_[i].size(), targets_[i].size()), sources_[i].size());
    };
    std::vector<std::vector<std::size_t>> batches;
    for (std::size_t pool = 0; pool < order.size(); pool += pool_size) {
        const std::span rows = std::span(order).subspan(pool, std::min(pool_size, order.size() - pool));
        // Stable, so that pairs of equal lengths stay shuffled.
        std::ranges::stable_sort(rows, {}, lengths);
        std::vector<std::size_t> batch;
        for (const std::size_t pair : rows) {
            if (is_full(batch.size(), lengths(pair).first)) batches.push_back(std::exchange(batch, {}));
            batch.push_back(pair);
        }
        batches.push_back(std::move(batch));
    }
    shuffle(batches, generator);
    return batches;
}

std::int64_t Batches::fingerprint() const {
    Fingerprint result;
    for (const auto* side : {&sources_, &targets_})
        for (const Ids& sentence : *side) {
            result.add(std::ssize(sentence));
            for (const std::int64_t id : sentence) result.add(id);
        }
    return result.value();
}

void Batches::require_pair(std::size_t pair) const {
    if (pair >= sources_.size())
        throw ValueError(fmt::format("batch: pair {} of a corpus of {}", pair, sources_.size()));
}

std::int64_t Batches::labels(std::span<const std::size_t> pairs) const {
    std::int64_t labels = 0;
    for (const std::size_t pair : pairs) {
        require_pair(pair);
        labels += std::ssize(targets_[pair]) - 1;
    }
    return labels;
}

Batch Batches::assemble(std::span<const std::size_t> pairs) const {
    std::vector<Ids> sources, targets;
    for (const std::size_t pair : pairs) {
        require_pair(pair);
        sources.push_back(sources_[pair]);
        targets.push_back(targets_[pair]);
    }
    return collate(sources, targets);
}

}  // namespace wengert
