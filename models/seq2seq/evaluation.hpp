#pragma once

#include <cstdint>
#include <wengert/models/seq2seq/translator.hpp>
#include <wengert/models/text/corpus.hpp>

namespace wengert {

/// How well, and how fast, a translator does on sentence pairs.
struct Evaluation {
    double loss;                  ///< mean cross entropy of the target tokens, </s> included, in nats
    double perplexity;            ///< e^loss
    double exact_match;           ///< fraction of greedy translations that equal their reference token by token
    double bleu;                  ///< corpus BLEU-4 of the greedy translations, on tokens, 0 to 100
    double sentences_per_second;  ///< of greedy translation
    double tokens_per_second;     ///< tokens it wrote, </s> included
};

/// Throws ValueError for an empty corpus and a batch below 1.
Evaluation evaluate(const Translator& translator, const Corpus& corpus, std::int64_t batch = 64,
                    const SearchOptions& search = {});

/// The loss alone, which takes no translating. Throws as evaluate() does.
double evaluate_loss(const Translator& translator, const Corpus& corpus, std::int64_t batch = 64);

}  // namespace wengert
