#pragma once

#include <span>
#include <vector>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/models/seq2seq/seq2seq.hpp>
#include <wengert/models/text/batches.hpp>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace wengert {

/// A model with all that turns sentences into its ids and back.
struct Translator {
    Tokenizer tokenizer;
    Vocabulary source, target;
    std::int64_t max_length;  ///< tokens a side has at most in training, without marks of start and end
    Seq2SeqOptions options;   ///< with the sizes of the vocabularies
    Seq2Seq model;
    std::int64_t steps = 0;  ///< of training that the model has seen

    /// A model with random parameters. The sizes of the vocabularies in `options` are taken from the vocabularies.
    Translator(const Tokenizer& tokenizer, Vocabulary source, Vocabulary target, std::int64_t max_length,
               const Seq2SeqOptions& options, Generator& generator);
};

/// A batch as the model takes it.
struct BatchTensors {
    Tensor source;   ///< int64 [size, source_length]
    Tensor lengths;  ///< int64 [size], of the sources; undefined if all are full, which is faster
    Tensor target;   ///< int64 [size, target_length]

    std::int64_t labels;  ///< target tokens that the loss is the mean of: all but padding and <s>
};
BatchTensors to_tensors(const Batch& batch);

struct Translation {
    Sentence tokens;  ///< all that the model wrote before </s>
    bool is_whole;    ///< the model ended it with </s>, it was not cut off
    Tensor weights;   ///< [tokens, and </s> if whole; source tokens and </s>]: attention
};

/// The greedy translations of a batch's sources. They have at most translator.max_length tokens, or as many as the
/// longest source if that is longer.
std::vector<Translation> translate(const Translator& translator, const Batch& batch);
/// The greedy translation of one sentence, which may have any number of tokens.
Translation translate(const Translator& translator, const Sentence& sentence);

/// The picture of what each word of a translation looked at, marks included.
AttentionMap attention_map(const Sentence& source, const Translation& translation, std::string title = {});

}  // namespace wengert
