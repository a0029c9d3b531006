#pragma once

#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>
#include <wengert/nn/nn.hpp>

namespace WENGERT_EXPORT wengert {

/// What a decoder reads target words by and writes them with: an embedding, and an output layer over a step's features,
/// directly or through a layer of its own. With `tying` the two tables are one.
struct TargetWords {
    Embedding embedding;  ///< [V, E]
    Linear readout;       ///< over state, context and token: [E, ..], or for maxout [2E, ..]; else undefined
    Linear output;        ///< [V, R]

    TargetWords() = default;
    /// `state` and `context` are the numbers of features that a step has, context 0 if there is none. Throws ValueError
    /// if the tables are to be one but the output layer would read another number of features than an embedding has.
    TargetWords(const SystemOptions& options, Readout usual, std::int64_t state, std::int64_t context,
                Generator& generator);

    /// ids int64 [..] -> [.., E], with dropout.
    Tensor embed(const Tensor& ids, Generator* noise) const;
    /// Whether features() reads more than the state.
    bool reads_context() const { return kind_ != Readout::state; }
    bool is_variational() const { return options_.variational; }
    /// What the output layer reads: the state, and the context if there is one, [.., ..] each, and the embedded tokens
    /// [.., E] -> [.., R], with dropout.
    Tensor features(const std::vector<Tensor>& step, const Tensor& embedded, Generator* noise) const;

  private:
    Readout kind_ = Readout::state;
    SystemOptions options_;
};

}  // namespace wengert
