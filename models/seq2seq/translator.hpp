#pragma once

#include <span>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/models/seq2seq/beam_tree.hpp>
#include <wengert/models/seq2seq/decoding/search.hpp>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/text/batches.hpp>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace WENGERT_EXPORT wengert {

/// How the text of one side becomes ids and text again.
struct Language {
    Tokenizer tokenizer;    ///< splits text into tokens, and joins them
    Vocabulary vocabulary;  ///< the ids of the tokens
};

/// A system with all that turns sentences into its ids and back.
struct Translator {
    Language source, target;         ///< how both sides' text becomes ids
    std::int64_t max_length;         ///< tokens a side has at most in training, without marks of start and end
    std::unique_ptr<System> system;  ///< encodes and decodes the ids
    std::int64_t steps = 0;          ///< of training that the system has seen

    /// A system with random parameters. The sizes of the vocabularies in `options` are taken from the languages. Throws
    /// what make_system() throws.
    Translator(Language source, Language target, std::int64_t max_length, std::string_view system,
               const SystemOptions& options, Generator& generator);
};

/// A batch as a system takes it.
struct BatchTensors {
    Tensor source;   ///< int64 [size, source_length]
    Tensor lengths;  ///< int64 [size], of the sources; undefined if all are full, which is faster
    Tensor target;   ///< int64 [size, target_length]

    std::int64_t labels;  ///< target tokens that the loss is the mean of: all but padding and <s>
};
BatchTensors to_tensors(const Batch& batch);

/// One translation of a sentence.
struct Translation {
    Sentence tokens;                             ///< all that the system wrote before </s>
    bool is_whole = false;                       ///< the system ended it with </s>, it was not cut off
    double score = 0, log_probability = 0;       ///< see Hypothesis
    std::vector<double> log_probabilities = {};  ///< of each token, and of </s> if whole
    Tensor weights = {};  ///< [tokens, and </s> if whole; source tokens and </s>]: attention; undefined without one
    std::vector<AttentionPart> parts = {};  ///< see Hypothesis
};

/// The translations of a batch's sources, the best first, by one translator or by an ensemble of those that share their
/// languages. They have at most max_length tokens, or as many as their source or min_length if that is more. Throws
/// what search() throws, and ValueError if there is no translator or their vocabularies differ. `trace` is as search()
/// has it. Each translation of source b begins with the tokens prefixes[b], which the target's tokenizer has split;
/// none, or one for each source. A token of a prefix that the vocabulary does not have stands in the translation all
/// the same.
std::vector<std::vector<Translation>> translate(std::span<const Translator* const> ensemble, const Batch& batch,
                                                const SearchOptions& options = {}, SearchTrace* trace = nullptr,
                                                std::span<const Sentence> prefixes = {});
/// The best translation of each. Throws what search() throws.
std::vector<Translation> translate(const Translator& translator, const Batch& batch, const SearchOptions& options = {});
/// Of one sentence, which may have any number of tokens. Throws what search() throws.
Translation translate(const Translator& translator, const Sentence& sentence, const SearchOptions& options = {});

/// Whether the system says what its tokens looked at.
bool has_attention(const Translator& translator);

/// Each <unk> becomes the source word that it looked at most.
Translation replace_unknown(Translation translation, const Sentence& source);

/// The picture of what each word of a translation looked at, marks included, and of its parts if it has some:
/// "bahdanau", "transformer, head 2" by the names of the ensemble's systems, "head 2" of one alone. Throws ValueError
/// without attention, and if there are names but none for a part's system.
AttentionMap attention_map(const Sentence& source, const Translation& translation, std::string title = {},
                           std::span<const std::string> systems = {});

/// The picture of what a search followed, with the tokens of the target's vocabulary. Throws ValueError for a token
/// that it does not have.
BeamTree beam_tree(const SearchTree& tree, const Vocabulary& target, std::string title = {});

}  // namespace wengert
