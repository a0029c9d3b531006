#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>

#include "corpora.hpp"

namespace wengert::program {
namespace {

constexpr std::int64_t any_length = 10'000;  // a score is of all sentences

}  // namespace

void evaluate(const EvaluateArguments& arguments) {
    std::vector<Translator> translators;
    for (const std::filesystem::path& model : arguments.models) translators.push_back(load_checkpoint(model));
    std::vector<const Translator*> ensemble;
    for (const Translator& translator : translators) ensemble.push_back(&translator);
    const Translator& first = translators[0];
    const Corpus corpus = read_corpus(arguments.data, BuiltinPart::held_out,
                                      {first.source.tokenizer, first.target.tokenizer}, any_length);
    EvaluationOptions options{.search = arguments.search};
    if (arguments.tokenize != "usual") {
        options.bleu = {.tokenizer = bleu_tokenizer(arguments.tokenize),
                        .lowercase = first.target.tokenizer.options().lowercase};
    }
    const Evaluation e = wengert::evaluate(ensemble, corpus, options);
    if (!arguments.out.empty()) {
        std::ofstream file(arguments.out);
        for (const std::string& line : e.translations) file << line << '\n';
        file.close();
        if (!file) throw FileError(arguments.out.string() + ": cannot be written");
    }
    const nlohmann::ordered_json line = {{"loss", e.loss},
                                         {"perplexity", e.perplexity},
                                         {"exact_match", e.exact_match},
                                         {"bleu", e.bleu.score},
                                         {"chrf", e.chrf.score},
                                         {"signature", {{"bleu", e.bleu_signature}, {"chrf", e.chrf_signature}}},
                                         {"sentences_per_second", e.sentences_per_second},
                                         {"tokens_per_second", e.tokens_per_second}};
    fmt::print("{}\n", line.dump());
}

void score(const ScoreArguments& arguments) {
    const Translator translator = load_checkpoint(arguments.model);
    const Language &source = translator.source, &target = translator.target;
    const Corpus corpus =
        read_corpus(arguments.data, BuiltinPart::held_out, {source.tokenizer, target.tokenizer}, any_length);
    for (std::size_t i = 0; i < corpus.size(); ++i) {
        const std::vector<double> each = log_probabilities(translator, corpus.source[i], corpus.target[i]);
        double sum = 0;
        for (const double x : each) sum += x;
        std::string line = fmt::format("{:.4f}", sum);
        if (arguments.words)
            for (std::size_t t = 0; t < each.size(); ++t)
                line += fmt::format("\t{} {:.4f}", t < corpus.target[i].size() ? corpus.target[i][t] : "</s>", each[t]);
        fmt::print("{}\n", line);
    }
}

}  // namespace wengert::program
