#include "training_setup.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <wengert/nn/streams.hpp>

#include "corpora.hpp"

namespace wengert::program {
namespace {

/// Models of subwords that are given go together with few other options of the text.
void require_subword_options(const TrainArguments& a) {
    if (!a.target_subword_model.empty() && a.subword_model.empty())
        throw ValueError("--target-subword-model: the source's is not given by --subword-model");
    if (!a.target_subword_model.empty() && a.text.joint)
        throw ValueError("--target-subword-model: --joint has one set of subwords for both sides");
    if (!a.subword_model.empty() && a.text.subwords > 0)
        throw ValueError(fmt::format("--subword-model: its pieces are learned already, and --subwords {} learns others",
                                     a.text.subwords));
    if (!a.subword_model.empty() && a.text.tokenizer != TokenizerMode::words)
        throw ValueError("--subword-model: it splits the text, and --tokenizer says another way");
}

}  // namespace

Tokenizers make_tokenizers(const TrainArguments& a) {
    const TextOptions& text = a.text;
    if (!a.subword_model.empty()) {
        const Tokenizer source = Tokenizer::from_sentencepiece(a.subword_model, !text.keep_case);
        if (a.target_subword_model.empty()) return source;
        return {source, Tokenizer::from_sentencepiece(a.target_subword_model, !text.keep_case)};
    }
    if (text.subwords == 0) return Tokenizer({.mode = text.tokenizer, .lowercase = !text.keep_case});
    CorpusText corpus = read_corpus_text(a.data, Part::training, text.pairs);
    const SubwordOptions options{.vocabulary_size = text.subwords, .lowercase = !text.keep_case};
    if (!text.joint) return {Tokenizer::train(corpus.source, options), Tokenizer::train(corpus.target, options)};
    corpus.source.insert(corpus.source.end(), corpus.target.begin(), corpus.target.end());
    return Tokenizer::train(corpus.source, options);
}

Translator make_translator(const TrainArguments& a, const Tokenizers& tokenizers, const Corpus& corpus) {
    Generator generator(static_cast<std::uint64_t>(a.training.seed), streams::weights);
    const auto vocabulary = [&](const Tokenizer& tokenizer, const std::vector<Sentence>& sentences) {
        if (tokenizer.has_state()) return Vocabulary::of(tokenizer.pieces());
        return Vocabulary::build(sentences, {.max_size = a.text.vocabulary, .min_count = a.text.min_count});
    };
    std::vector<Sentence> both = corpus.source;
    both.insert(both.end(), corpus.target.begin(), corpus.target.end());
    return {{tokenizers.source, vocabulary(tokenizers.source, a.text.joint ? both : corpus.source)},
            {tokenizers.target, vocabulary(tokenizers.target, a.text.joint ? both : corpus.target)},
            a.text.max_length,
            a.system,
            a.sizes,
            generator};
}

void require_same_system(const TrainArguments& a, const System& system) {
    if (const std::string other = first_difference(a.system, a.sizes, system); !other.empty())
        throw ValueError(fmt::format("--resume: {}, which the training has", other));
}

bool require_coherent(const TrainArguments& arguments) {
    const bool validates = arguments.validation.given() || !arguments.data.given() || arguments.data.hold_out > 0;
    if (arguments.run.metric != Metric::loss && !validates)
        throw ValueError(fmt::format("--metric {}: it is measured on validation sentences, and none are given",
                                     name_of(metric_names, arguments.run.metric)));
    if (arguments.sizes.tying == Tying::all && !arguments.text.joint)
        throw ValueError("--tying all: one table for both sides needs one vocabulary, which --joint makes");
    if (std::error_code error; arguments.resume && !std::filesystem::exists(arguments.model, error))
        throw FileError(fmt::format("{}: there is no training here that could go on", arguments.model.string()));
    if (arguments.training.epochs == 0 && arguments.training.max_steps == 0)
        throw ValueError("--epochs 0: --max-steps is 0, too, and one of them must say when the training ends");
    require_subword_options(arguments);
    require_read_options(arguments.system, arguments.sizes);
    require_read_options(arguments.system, arguments.training);
    if (arguments.data.hold_out > 0 && arguments.validation.given())
        throw ValueError("--hold-out: the sentences that it holds out validate, and others are given for that");
    return validates;
}

}  // namespace wengert::program
