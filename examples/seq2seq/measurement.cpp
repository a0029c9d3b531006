#include "measurement.hpp"

#include <fmt/format.h>

#include "corpora.hpp"

namespace wengert::program {

Corpus measured_corpus(const CorpusFiles& files, const Translator& translator) {
    constexpr std::int64_t any_length = 10'000;
    return read_corpus(files, Part::held_out, {translator.source.tokenizer, translator.target.tokenizer}, any_length);
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
