#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>

#include "corpora.hpp"

namespace wengert::program {

void evaluate(const EvaluateArguments& arguments) {
    const Translator translator = load_checkpoint(arguments.model);
    const Corpus corpus =
        read_corpus(arguments.data, BuiltinPart::held_out, translator.source.tokenizer, translator.max_length);
    const Evaluation e = wengert::evaluate(translator, corpus, 64, arguments.search);
    const nlohmann::ordered_json line = {{"loss", e.loss},
                                         {"perplexity", e.perplexity},
                                         {"exact_match", e.exact_match},
                                         {"bleu", e.bleu},
                                         {"sentences_per_second", e.sentences_per_second},
                                         {"tokens_per_second", e.tokens_per_second}};
    fmt::print("{}\n", line.dump());
}

}  // namespace wengert::program
