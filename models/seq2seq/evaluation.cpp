#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/models/metrics.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/scoring/bleu.hpp>

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

/// Without smoothing, on the tokens of the model: no token has white space in it.
double token_bleu(std::span<const Sentence> hypotheses, std::span<const Sentence> references) {
    const auto lines = [](std::span<const Sentence> sentences) {
        std::vector<std::string> joined;
        for (const Sentence& tokens : sentences) joined.push_back(fmt::format("{}", fmt::join(tokens, " ")));
        return joined;
    };
    const std::vector<std::string> reference = lines(references);
    return corpus_bleu(lines(hypotheses), {&reference, 1},
                       {.tokenizer = BleuTokenizer::none, .smoothing = BleuSmoothing::none})
        .score;
}

}  // namespace

Evaluation evaluate(const Translator& translator, const Corpus& corpus, std::int64_t batch_size,
                    const SearchOptions& search) {
    const Batches batches = sorted_batches(translator, corpus, batch_size);
    LossMean loss;
    std::vector<Sentence> hypotheses(corpus.size());
    double tokens = 0;
    std::chrono::duration<double> seconds{};
    for (const auto& pairs : batches.epoch(0)) {
        const Batch batch = batches.assemble(pairs);
        loss.add(translator, batch);
        const auto start = std::chrono::steady_clock::now();
        std::vector<Translation> translations = translate(translator, batch, search);
        seconds += std::chrono::steady_clock::now() - start;
        for (std::size_t row = 0; row < pairs.size(); ++row) {
            tokens += static_cast<double>(translations[row].tokens.size() + translations[row].is_whole);
            hypotheses[pairs[row]] = std::move(translations[row].tokens);
        }
    }
    return {.loss = loss.value(),
            .perplexity = std::exp(loss.value()),
            .exact_match = exact_match(hypotheses, corpus.target),
            .bleu = token_bleu(hypotheses, corpus.target),
            .sentences_per_second = static_cast<double>(corpus.size()) / seconds.count(),
            .tokens_per_second = tokens / seconds.count()};
}

double evaluate_loss(const Translator& translator, const Corpus& corpus, std::int64_t batch_size) {
    const Batches batches = sorted_batches(translator, corpus, batch_size);
    LossMean loss;
    for (const auto& pairs : batches.epoch(0)) loss.add(translator, batches.assemble(pairs));
    return loss.value();
}

}  // namespace wengert
