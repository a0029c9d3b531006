#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>

#include "measurement.hpp"

namespace wengert::program {
namespace {

/// The pair of each line that was read, in order; none where the line gave none.
std::vector<std::optional<std::size_t>> pairs_of_lines(const Corpus& corpus) {
    std::vector<std::optional<std::size_t>> pairs(static_cast<std::size_t>(corpus.report.lines));
    for (std::size_t i = 0; i < corpus.size(); ++i) pairs[static_cast<std::size_t>(corpus.lines[i])] = i;
    return pairs;
}

}  // namespace

void evaluate(const EvaluateArguments& arguments) {
    std::vector<Translator> translators;
    for (const std::filesystem::path& model : arguments.models) translators.push_back(load_checkpoint(model));
    std::vector<const Translator*> ensemble;
    for (const Translator& translator : translators) ensemble.push_back(&translator);
    const Corpus corpus = measured_corpus(arguments.data, translators[0]);
    const EvaluationOptions options = evaluation_options(arguments, translators[0], corpus);
    const Evaluation e = wengert::evaluate(ensemble, corpus, options);
    const nlohmann::ordered_json line = {{"loss", e.loss},
                                         {"perplexity", e.perplexity},
                                         {"exact_match", e.exact_match},
                                         {"bleu", e.bleu.score},
                                         {"chrf", e.chrf.score},
                                         {"signature", {{"bleu", e.bleu_signature}, {"chrf", e.chrf_signature}}},
                                         {"sentences_per_second", e.sentences_per_second},
                                         {"tokens_per_second", e.tokens_per_second}};
    fmt::print("{}\n", line.dump());
    if (arguments.out.empty()) return;
    std::string text;
    for (const std::optional<std::size_t> pair : pairs_of_lines(corpus))
        text += (pair ? e.translations[*pair] : "") + '\n';
    AtomicFile file(arguments.out);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

void score(const ScoreArguments& arguments) {
    const Translator translator = load_checkpoint(arguments.model);
    const Corpus corpus = measured_corpus(arguments.data, translator);
    for (const std::optional<std::size_t> pair : pairs_of_lines(corpus)) {
        if (!pair) {
            fmt::print("nan\n");
            continue;
        }
        const Sentence& target = corpus.target[*pair];
        const std::vector<double> each = log_probabilities(translator, corpus.source[*pair], target);
        double sum = 0;
        for (const double x : each) sum += x;
        std::string line = fmt::format("{:.4f}", sum);
        if (arguments.words)
            for (std::size_t t = 0; t < each.size(); ++t)
                line += fmt::format("\t{} {:.4f}", t < target.size() ? target[t] : "</s>", each[t]);
        fmt::print("{}\n", line);
    }
}

}  // namespace wengert::program
