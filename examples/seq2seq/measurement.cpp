#include "measurement.hpp"

#include "corpora.hpp"

namespace wengert::program {

Corpus measured_corpus(const CorpusFiles& files, const Translator& translator) {
    constexpr std::int64_t any_length = 10'000;
    return read_corpus(files, Part::held_out, {translator.source.tokenizer, translator.target.tokenizer}, any_length);
}

EvaluationOptions evaluation_options(const Measurement& measurement, const Translator& translator) {
    EvaluationOptions options{.search = measurement.search};
    if (measurement.tokenize != "usual")
        options.bleu = {.tokenizer = bleu_tokenizer(measurement.tokenize),
                        .lowercase = translator.target.tokenizer.options().lowercase};
    return options;
}

}  // namespace wengert::program
