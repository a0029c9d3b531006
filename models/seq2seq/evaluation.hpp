#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/scoring/chrf.hpp>
#include <wengert/models/seq2seq/translator.hpp>
#include <wengert/models/text/corpus.hpp>

namespace WENGERT_EXPORT wengert {

/// How well, and how fast, a translator does on sentence pairs.
struct Evaluation {
    double loss = 0;                        ///< mean cross entropy of the target tokens, </s> included, in nats
    double perplexity = 0;                  ///< e^loss
    double exact_match = 0;                 ///< fraction of translations that equal their target token by token
    Bleu bleu;                              ///< of the translations as text, beside the references as they were read
    BleuOptions bleu_options;               ///< what `bleu` was computed with
    std::string bleu_signature;             ///< what else the score depends on
    Chrf chrf;                              ///< the same
    std::string chrf_signature;             ///< as sacrebleu's for chrF
    double sentences_per_second = 0;        ///< of translation
    double tokens_per_second = 0;           ///< tokens it wrote, </s> included
    std::vector<std::string> translations;  ///< as text, in the order of the corpus
    std::vector<std::vector<std::string>> references;  ///< what they were compared with, as corpus_bleu() takes it
};

struct EvaluationOptions {
    std::int64_t batch = 64;               ///< sentences that are translated at once
    SearchOptions search = {};             ///< how translations are searched for
    std::optional<BleuOptions> bleu = {};  ///< none: usual_bleu(), in lower case if the translations are
};

/// sacrebleu's defaults, with the tokenizer zh if most of the characters are Chinese.
BleuOptions usual_bleu(std::span<const std::string> references);

/// Of one translator, or of an ensemble, whose losses' mean counts. BLEU and chrF are of the corpus's further
/// references, too; the loss and the exact match are of its targets. Throws ValueError for no translator, an empty
/// corpus or a batch below 1, and what translate() and corpus_bleu() throw.
Evaluation evaluate(std::span<const Translator* const> ensemble, const Corpus& corpus,
                    const EvaluationOptions& options = {});
Evaluation evaluate(const Translator& translator, const Corpus& corpus, const EvaluationOptions& options = {});

/// The log probability of each token of a given translation and of </s>, in nats.
std::vector<double> log_probabilities(const Translator& translator, const Sentence& source, const Sentence& target);

/// The loss alone, which takes no translating. Throws ValueError for an empty corpus and a batch below 1.
double evaluate_loss(const Translator& translator, const Corpus& corpus, std::int64_t batch = 64);

}  // namespace wengert
