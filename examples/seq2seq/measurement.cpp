#include "measurement.hpp"

#include "corpora.hpp"
#include "option_flags.hpp"

namespace wengert::program {

Corpus measured_corpus(const CorpusFiles& files, const Translator& translator) {
    constexpr std::int64_t any_length = 10'000;
    return read_corpus(files, Part::held_out, {translator.source.tokenizer, translator.target.tokenizer}, any_length);
}

void add_scoring(CLI::App& verb, Measurement& measurement) {
    const std::string group = "The scores";
    verb.add_option("--tokenize", measurement.tokenize,
                    "BLEU's tokens: 13a, char, zh, intl, none; usual: 13a, or zh for Chinese")
        ->type_name("NAME")
        ->group(group);
    add_choice(verb, "--smooth-method", measurement.smooth_method, bleu_smoothing_names,
               "What stands for a precision of BLEU that is 0")
        ->group(group);
    add_number(verb, "--smooth-value", measurement.smooth_value, Bounds<double>{0, 1e6},
               "Of floor and add-k (default: 0.1 and 1)")
        ->default_str("")
        ->group(group);
    verb.add_flag("--lowercase", measurement.lowercase,
                  "Both sides are scored in lower case, as they are without it if the model knows no capitals")
        ->group(group);
}

EvaluationOptions evaluation_options(const Measurement& measurement, const Translator& translator,
                                     const Corpus& corpus) {
    BleuOptions bleu = usual_bleu(corpus.target_text);
    if (measurement.tokenize != "usual") bleu.tokenizer = bleu_tokenizer(measurement.tokenize);
    bleu.lowercase = measurement.lowercase || translator.target.tokenizer.options().lowercase;
    bleu.smoothing = measurement.smooth_method;
    if (measurement.smooth_value >= 0) {
        if (bleu.smoothing != BleuSmoothing::floor && bleu.smoothing != BleuSmoothing::add_k)
            throw ValueError(fmt::format("--smooth-value: --smooth-method {} has none, only floor and add-k have",
                                         name_of(bleu_smoothing_names, bleu.smoothing)));
        bleu.smooth_value = measurement.smooth_value;
    }
    return {.search = measurement.search, .bleu = bleu};
}

}  // namespace wengert::program
