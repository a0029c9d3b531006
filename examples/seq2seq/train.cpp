#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/nn/streams.hpp>

#include "corpora.hpp"
#include "progress.hpp"

namespace wengert::program {
namespace {

/// What is looked at after each epoch: the loss of all validation sentences, and translations of so many.
struct Validation {
    static constexpr std::size_t most_translated = 1000;

    explicit Validation(Corpus corpus) : all(std::move(corpus)), translated(all) {
        translated.source.resize(std::min(all.size(), most_translated));
        translated.target.resize(translated.source.size());
    }

    Corpus all, translated;
};

void append_line(const std::filesystem::path& file, const std::string& line) {
    errno = 0;
    std::ofstream stream(file, std::ios::app);
    stream << line << '\n';
    stream.close();
    if (!stream)
        throw FileError(
            fmt::format("{}: cannot be written: {}", file.string(), std::generic_category().message(errno)));
}

/// Adds what the validation says to an epoch's line of the log and to the line that is shown of it.
void validate(const Translator& translator, const Validation& validation, std::int64_t batch,
              nlohmann::ordered_json& record, std::string& shown) {
    const double loss = evaluate_loss(translator, validation.all, batch);
    const Evaluation evaluation = wengert::evaluate(translator, validation.translated, batch);
    record["validation_loss"] = loss;
    record["validation_exact_match"] = evaluation.exact_match;
    record["validation_bleu"] = evaluation.bleu;
    shown += fmt::format("; validation: loss {:.4f}, exact match {:.1f} %, BLEU {:.1f}", loss,
                         100 * evaluation.exact_match, evaluation.bleu);
}

}  // namespace

void train(const TrainArguments& arguments) {
    const Tokenizer tokenizer;
    const Corpus corpus = read_corpus(arguments.data, BuiltinPart::training, tokenizer, arguments.max_length);
    std::optional<Validation> validation;
    if (arguments.validation.given() || !arguments.data.given())
        validation.emplace(read_corpus(arguments.validation, BuiltinPart::held_out, tokenizer, arguments.max_length));

    Generator generator(arguments.training.seed, streams::weights);
    const VocabularyOptions vocabulary{.max_size = arguments.vocabulary};
    Translator translator(tokenizer, Vocabulary::build(corpus.source, vocabulary),
                          Vocabulary::build(corpus.target, vocabulary), arguments.max_length, arguments.sizes,
                          generator);
    fmt::print(stderr, "vocabularies of {} and {} tokens, {} parameters, {} threads, {} products\n",
               translator.source.size(), translator.target.size(), parameter_count(translator.model), thread_count(),
               to_string(ProductPrecision::current()));
    // Before the work, so that it is not in vain.
    if (std::error_code error; !std::filesystem::create_directories(arguments.model, error) && error)
        throw FileError(fmt::format("{}: the directory cannot be made: {}", arguments.model.string(), error.message()));

    if (std::error_code error; std::filesystem::exists(arguments.model / "latest", error))
        fmt::print(stderr, "{} has a model already, which the first epoch's will replace\n", arguments.model.string());

    Progress progress;
    const auto end_epoch = [&](const TrainingEpoch& epoch) {
        progress.end_line();
        const double tokens_per_second = static_cast<double>(epoch.tokens) / epoch.seconds;
        nlohmann::ordered_json record = {{"epoch", epoch.epoch},
                                         {"step", epoch.step},
                                         {"precision", to_string(ProductPrecision::current())},
                                         {"loss", epoch.loss},
                                         {"tokens_per_second", tokens_per_second},
                                         {"seconds", epoch.seconds}};
        std::string shown =
            fmt::format("epoch {}: loss {:.4f}, {:.0f} tokens/s", epoch.epoch, epoch.loss, tokens_per_second);
        if (validation) validate(translator, *validation, arguments.training.batch, record, shown);
        save_checkpoint(translator, arguments.model);
        append_line(arguments.model / "log.jsonl", record.dump());
        fmt::print(stderr, "{}\n", shown);
    };
    wengert::train(translator, corpus, arguments.training,
                   {[&](const TrainingStep& step) { progress.show(step); }, end_epoch});
}

}  // namespace wengert::program
