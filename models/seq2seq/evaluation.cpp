#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/models/metrics.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/text/unicode.hpp>

namespace wengert {
namespace {

/// Batches of one length as far as possible: nothing is learned here, so nothing need be mixed.
Batches sorted_batches(const Translator& translator, const Corpus& corpus, std::int64_t batch) {
    return {corpus,
            translator.source.vocabulary,
            translator.target.vocabulary,
            {.batch_size = batch, .pool = std::numeric_limits<std::int64_t>::max()}};
}

/// The mean over all tokens, from the means of batches.
class LossMean {
  public:
    void add(const Translator& translator, const Batch& batch) {
        const Pause pause;
        const BatchTensors in = to_tensors(batch);
        sum_ += translator.system->loss(in.source, in.lengths, in.target).item() * static_cast<double>(in.labels);
        labels_ += in.labels;
    }
    double value() const { return sum_ / static_cast<double>(labels_); }

  private:
    double sum_ = 0;
    std::int64_t labels_ = 0;
};

}  // namespace

BleuOptions usual_bleu(std::span<const std::string> references) {
    std::int64_t chinese = 0, all = 0;
    for (const std::string& line : references)
        for (const Character& c : characters(line)) {
            if (c.kind == CharacterClass::space) continue;
            ++all;
            chinese += c.kind == CharacterClass::ideograph;
        }
    return {.tokenizer = 2 * chinese > all ? BleuTokenizer::zh : BleuTokenizer::v13a};
}

Evaluation evaluate(const Translator& translator, const Corpus& corpus, const EvaluationOptions& options) {
    const Translator* const alone[] = {&translator};
    return evaluate(alone, corpus, options);
}

Evaluation evaluate(std::span<const Translator* const> ensemble, const Corpus& corpus,
                    const EvaluationOptions& options) {
    if (ensemble.empty()) throw ValueError("evaluate: there is no translator");
    const Translator& translator = *ensemble[0];
    for (const Translator* one : ensemble)
        if (one->source.vocabulary != translator.source.vocabulary ||
            one->target.vocabulary != translator.target.vocabulary)
            throw ValueError("evaluate: the models of an ensemble must have the same vocabularies");
    const Batches batches = sorted_batches(translator, corpus, options.batch);
    LossMean loss;
    std::vector<Sentence> hypotheses(corpus.size());
    double tokens = 0;
    std::chrono::duration<double> seconds{};
    for (const auto& pairs : batches.epoch(0)) {
        const Batch batch = batches.assemble(pairs);
        for (const Translator* one : ensemble) loss.add(*one, batch);
        const auto start = std::chrono::steady_clock::now();
        std::vector<std::vector<Translation>> translations = translate(ensemble, batch, options.search);
        seconds += std::chrono::steady_clock::now() - start;
        for (std::size_t row = 0; row < pairs.size(); ++row) {
            Translation& best = translations[row].front();
            tokens += static_cast<double>(best.tokens.size() + best.is_whole);
            hypotheses[pairs[row]] = std::move(best.tokens);
        }
    }
    std::vector<std::string> text;
    for (const Sentence& hypothesis : hypotheses) text.push_back(translator.target.tokenizer.detokenize(hypothesis));
    std::vector<std::vector<std::string>> references{corpus.target_text};
    references.insert(references.end(), corpus.further_references.begin(), corpus.further_references.end());
    for (std::vector<std::string>& reference : references)  // translations have none of Moses's escapes
        for (std::string& line : reference) line = undo_moses_escapes(line);
    BleuOptions bleu = options.bleu ? *options.bleu : usual_bleu(corpus.target_text);
    // A system that has seen no capital cannot write one.
    if (!options.bleu) bleu.lowercase = translator.target.tokenizer.options().lowercase;
    const ChrfOptions chrf{.lowercase = bleu.lowercase};
    return {.loss = loss.value(),
            .perplexity = std::exp(loss.value()),
            .exact_match = exact_match(hypotheses, corpus.target),
            .bleu = corpus_bleu(text, references, bleu),
            .bleu_options = bleu,
            .bleu_signature = signature(bleu, references.size()),
            .chrf = corpus_chrf(text, references, chrf),
            .chrf_signature = signature(chrf, references.size()),
            .sentences_per_second = static_cast<double>(corpus.size()) / seconds.count(),
            .tokens_per_second = tokens / seconds.count(),
            .translations = std::move(text),
            .references = std::move(references)};
}

std::vector<double> log_probabilities(const Translator& translator, const Sentence& source, const Sentence& target) {
    const Pause pause;
    const auto from = source_ids(source, translator.source.vocabulary),
               to = target_ids(target, translator.target.vocabulary);
    const BatchTensors in = to_tensors(collate({&from, 1}, {&to, 1}));
    const Tensor scores = log_softmax(translator.system->force(in.source, in.lengths, in.target).logits);
    std::vector<double> result;
    for (std::size_t t = 1; t < to.size(); ++t)
        result.push_back(scores.at({0, static_cast<std::int64_t>(t) - 1, to[t]}));
    return result;
}

double evaluate_loss(const Translator& translator, const Corpus& corpus, std::int64_t batch_size) {
    const Batches batches = sorted_batches(translator, corpus, batch_size);
    LossMean loss;
    for (const auto& pairs : batches.epoch(0)) loss.add(translator, batches.assemble(pairs));
    return loss.value();
}

}  // namespace wengert
