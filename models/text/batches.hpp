#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <wengert/models/text/corpus.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace WENGERT_EXPORT wengert {

/// Sentence pairs of similar length, padded with Vocabulary::pad to the longest of each side. Lengths count the marks:
/// a source is its tokens and </s>, a target is <s>, its tokens and </s>.
struct Batch {
    /// Sentences, and the longest of each side with its marks.
    std::int64_t size = 0, source_length = 0, target_length = 0;
    std::vector<std::int64_t> source;                          ///< [size, source_length]
    std::vector<std::int64_t> target;                          ///< [size, target_length]
    std::vector<std::int64_t> source_lengths, target_lengths;  ///< [size], 1 or more
};

/// The ids of a source sentence: its tokens and </s>.
std::vector<std::int64_t> source_ids(std::span<const std::string> tokens, const Vocabulary& vocabulary);
/// The ids of a target sentence: <s>, its tokens and </s>.
std::vector<std::int64_t> target_ids(std::span<const std::string> tokens, const Vocabulary& vocabulary);

/// Pads sentences of ids into a batch. For translation, `targets` may be empty: then target_length is 0. Throws
/// ValueError if there is no source, a sentence is empty, or the two sides differ in number.
Batch collate(std::span<const std::vector<std::int64_t>> sources,
              std::span<const std::vector<std::int64_t>> targets = {});

struct BatchOptions {
    std::int64_t batch_size = 64;  ///< pairs in a batch; the last one may have fewer
    std::uint64_t seed = 1;        ///< of the order of pairs and batches
    std::int64_t pool = 64;  ///< batches that are sorted by length together: more wastes less padding and mixes less
    /// If above 0, a batch has as many pairs as keep its longer side, padding included, within so many tokens, and
    /// batch_size and pool have no say: all pairs are sorted together. A pair that is longer is a batch of its own.
    std::int64_t batch_tokens = 0;
};

/// Length-bucketed, shuffled batches of a corpus. Every pair occurs once in an epoch. The order depends on the seed and
/// the number of the epoch alone, on every platform, so that a run can be repeated and resumed.
class Batches {
  public:
    /// Encodes the corpus, which need not outlive this. Throws ValueError for an empty corpus, options below 1, or
    /// batch_tokens below 0.
    Batches(const Corpus& corpus, const Vocabulary& source, const Vocabulary& target, const BatchOptions& options = {});

    /// Number of batches, the same in every epoch; one of them may be smaller than batch_size.
    std::size_t size() const { return size_; }

    /// The same pairs in other batches. Throws what the constructor throws for options.
    Batches regrouped(const BatchOptions& options) const;

    /// A number that tells the ids of one corpus, in their order, from those of another; see Fingerprint.
    std::int64_t fingerprint() const;

    /// The batches of an epoch, each as indices into the corpus: to be given to `assemble` one by one.
    std::vector<std::vector<std::size_t>> epoch(std::uint64_t number) const;

    /// The batch whose rows are the given pairs. Throws ValueError for an index outside the corpus.
    Batch assemble(std::span<const std::size_t> pairs) const;

    /// Target tokens of the pairs that a loss is the mean of: all but <s>. Throws ValueError for an index outside the
    /// corpus.
    std::int64_t labels(std::span<const std::size_t> pairs) const;

  private:
    void require_pair(std::size_t pair) const;
    void group(const BatchOptions& options);
    bool is_full(std::size_t pairs, std::size_t longest) const;

    BatchOptions options_;
    std::size_t size_ = 0;
    std::vector<std::vector<std::int64_t>> sources_, targets_;
};

}  // namespace wengert
