#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>
#include <wengert/models/text/fingerprint.hpp>
#include <wengert/nn/mpi.hpp>

#include "command_words.hpp"
#include "corpora.hpp"
#include "progress.hpp"
#include "training_report.hpp"
#include "training_run.hpp"
#include "training_setup.hpp"

namespace wengert::program {
namespace {

/// What is looked at now and then: the loss of all validation sentences, translations of so many, and of a few for the
/// report.
struct ValidationSet {
    static constexpr std::size_t most_translated = 1000;

    explicit ValidationSet(Corpus corpus)
        : all(std::move(corpus)), translated(all.filtered(is_translated)), samples(sample_sentences(all)) {}

    static bool is_translated(std::size_t pair) { return pair < most_translated; }

    /// What tells these sentences from others.
    std::int64_t fingerprint() const {
        Fingerprint result;
        for (std::size_t i = 0; i < all.size(); ++i) result.add(all.source_text[i]).add(all.target_text[i]);
        return result.value();
    }

    Corpus all, translated, samples;
};

/// What has been the best so far, and how many validations have not been better since.
struct Best {
    double value = -std::numeric_limits<double>::infinity();
    std::int64_t misses = 0;

    /// Whether a value, of which more is better, is the best so far.
    bool update(double v) {
        const bool is_best = v > value;
        value = is_best ? v : value;
        misses = is_best ? 0 : misses + 1;
        return is_best;
    }
};

/// "bahdanau: vocabularies of 300 and 310 tokens, ..."
std::string described(const Translator& translator, int ranks) {
    std::int64_t parameters = 0;
    for (const Tensor& p : translator.system->parameters()) parameters += p.numel();
    return fmt::format(
        "{}: vocabularies of {} and {} tokens, {} parameters, {}{} threads, {} products", translator.system->name(),
        translator.source.vocabulary.size(), translator.target.vocabulary.size(), parameters,
        ranks > 1 ? fmt::format("{} ranks of ", ranks) : "", thread_count(), to_string(ProductPrecision::current()));
}

/// What rank 0, which validates and saves, tells the others before each step.
struct Turn {
    bool ends = false;  // there is no step any more
    int signal = 0;     // that ends it early
    bool has_value = false;
    double value = 0;  // of a validation, for the schedule
};

/// Takes what says how validations went out of the state of a training.
NamedTensors without_validations(NamedTensors state) {
    std::erase_if(state, [](const auto& entry) { return entry.first.starts_with("validation."); });
    return state;
}

/// A training as ranks other than 0 see it. Returns the number of the signal that ended it early, or 0.
int follow(Communicator& ranks, Trainer& trainer, const Signals& signals) {
    for (;;) {
        const Turn turn = ranks.all_gather(Turn{}).front();
        if (turn.has_value) trainer.validated(turn.value);
        if (turn.ends) return turn.signal;
        trainer.step();
        ranks.all_gather(signals.received());
    }
}

/// A training in its directory: it is watched, logged and saved.
class Run {
  public:
    Run(const TrainArguments& arguments, RunDirectory& directory, Translator& translator, const Corpus& corpus,
        std::optional<ValidationSet> validation, Communicator& ranks, Trainer& trainer, const Signals& signals)
        : signals_(signals),
          options_(arguments.run),
          batch_(arguments.training.batch),
          path_(arguments.model),
          directory_(directory),
          translator_(translator),
          validation_(std::move(validation)),
          ranks_(ranks),
          trainer_(trainer),
          means_(trainer_.steps()),
          report_(directory, fmt::format("Training of {}", arguments.model.string()), arguments.run.metric,
                  {{"system", described(translator, ranks.size())},
                   {"sentence pairs", fmt::format("{} to train on, {} to validate", corpus.size(),
                                                  validation_ ? validation_->all.size() : 0)}}) {}

    /// Goes on with the training that the directory has, or makes its first checkpoint, so that whatever kills it, it
    /// can go on.
    void begin(bool resumes) {
        if (resumes)
            resume();
        else
            save(false);
    }

    /// Returns the number of the signal that ended it early, or 0.
    int operator()() {
        int signal = 0;
        try {
            report_.write(state());
            signal = train();
        } catch (const std::exception& error) {
            try {
                report_.write(state(error.what()));
            } catch (const std::exception&) {  // what ended the training is the error to tell of
            }
            throw;
        }
        tell({.ends = true, .signal = signal});
        report_.write(state(signal != 0
                                ? fmt::format("stopped by signal {} after step {}", signal, trainer_.step_count())
                            : trainer_.is_done() ? fmt::format("done, after step {}", trainer_.step_count())
                                                 : without_better()));
        return signal;
    }

  private:
    static constexpr const char *best_name = "validation.best", *misses_name = "validation.misses",
                                *metric_name = "validation.metric", *sentences_name = "validation.sentences";

    TrainingState state(std::string ended = {}) const {
        return {trainer_.step_count(), trainer_.steps(), std::move(ended)};
    }

    std::string without_better() const {
        return fmt::format("no better {} in {} validations: training ends", name_of(metric_names, options_.metric),
                           best_.misses);
    }

    void tell(Turn turn) {
        turn.has_value = value_.has_value();
        turn.value = value_.value_or(0);
        value_.reset();
        ranks_.all_gather(turn);
    }

    int train() {
        while (!trainer_.is_done() && !is_patience_at_end()) {
            tell({});
            const TrainingStep step = trainer_.step();
            const std::vector<int> signals = ranks_.all_gather(signals_.received());
            progress_.show(step);
            if (const auto means = means_.add(step)) directory_.log(Log::steps, *means);
            const bool validates = options_.validate_every > 0
                                       ? step.step % options_.validate_every == 0 || trainer_.is_done()
                                       : step.ends_epoch;
            if (validates)
                validate(step);
            else if (options_.save_every > 0 && step.step % options_.save_every == 0)
                save(false);
            if (const int signal = std::ranges::max(signals); signal != 0 && !trainer_.is_done()) {
                progress_.end_line();
                if (!validates) save(false);
                fmt::print(stderr, "stopped by signal {} after step {}, which is saved; train --resume goes on\n",
                           signal, step.step);
                return signal;
            }
            report_.refresh(state(), validates);
        }
        if (is_patience_at_end()) fmt::print(stderr, "{}\n", without_better());
        return 0;
    }

    std::int64_t validated_sentences() const { return validation_ ? validation_->fingerprint() : 0; }

    bool is_patience_at_end() const { return options_.patience > 0 && best_.misses >= options_.patience; }

    void validate(const TrainingStep& step) {
        progress_.end_line();
        const Progress::Rate rate = progress_.take_rate();
        const double seconds_left = progress_.seconds_left(step);
        nlohmann::ordered_json record = {{"epoch", step.epoch},
                                         {"step", step.step},
                                         {"precision", to_string(ProductPrecision::current())},
                                         {"loss", step.epoch_loss},
                                         {"learning_rate", step.learning_rate},
                                         {"gradient_norm", step.gradient_norm}};
        std::string shown = fmt::format("epoch {}{}: loss {:.4f}, {:.0f} tokens/s", step.epoch,
                                        step.ends_epoch ? "" : fmt::format(", step {}", step.step), step.epoch_loss,
                                        rate.tokens_per_second);
        double value = -step.epoch_loss;
        if (validation_) {
            const auto averaged = trainer_.averaged();
            const double loss = evaluate_loss(translator_, validation_->all, batch_);
            const Evaluation e = wengert::evaluate(translator_, validation_->translated, {.batch = batch_});
            record["validation_loss"] = loss;
            record["validation_perplexity"] = std::exp(loss);
            record["validation_exact_match"] = e.exact_match;
            record["validation_bleu"] = e.bleu.score;
            record["validation_chrf"] = e.chrf.score;
            shown += "; validation: " + scores_of(record);
            directory_.log(Log::samples, {{"epoch", step.epoch},
                                          {"step", step.step},
                                          {"samples", translated_samples(translator_, validation_->samples)}});
            switch (options_.metric) {
                case Metric::loss:
                case Metric::perplexity:
                    value = -loss;
                    break;
                case Metric::bleu:
                    value = e.bleu.score;
                    break;
                case Metric::chrf:
                    value = e.chrf.score;
                    break;
                case Metric::exact_match:
                    value = e.exact_match;
                    break;
            }
        }
        const bool is_best = best_.update(value);
        trainer_.validated(value);
        value_ = value;
        // What a clock and a machine say stands last: a training that is resumed differs from there on.
        record["tokens_per_second"] = rate.tokens_per_second;
        record["seconds"] = rate.seconds;
        record["peak_memory_mib"] = peak_memory_mib();
        record["seconds_left"] = seconds_left;
        directory_.log(Log::validations, record);
        save(is_best);
        fmt::print(stderr, "{}{}\n", shown, is_best && validation_ ? " (best)" : "");
        progress_.restart();
        means_.restart();
    }

    void save(bool is_best) {
        trainer_.require_sound();
        NamedTensors state = trainer_.state();
        state.emplace_back(best_name, scalar(best_.value, Dtype::float64));
        state.emplace_back(misses_name, tensor(std::vector<std::int64_t>{best_.misses}, {}));
        state.emplace_back(metric_name,
                           tensor(std::vector<std::int64_t>{static_cast<std::int64_t>(options_.metric)}, {}));
        state.emplace_back(sentences_name, tensor(std::vector<std::int64_t>{validated_sentences()}, {}));
        const auto averaged = trainer_.averaged();
        save_checkpoint(translator_, path_, {.training = &state, .is_best = is_best, .keep = options_.keep});
    }

    void resume() {
        NamedTensors state = load_training(path_);
        const auto take = [&](const char* name) {
            const auto found = std::ranges::find(state, name, &NamedTensors::value_type::first);
            if (found == state.end())
                throw FileError(fmt::format("{}: the training's state has no \"{}\"", path_.string(), name));
            return found->second;
        };
        best_.value = take(best_name).item();
        best_.misses = take(misses_name).item<std::int64_t>();
        if (const auto metric = static_cast<Metric>(take(metric_name).item<std::int64_t>()); metric != options_.metric)
            throw ValueError(fmt::format("--resume: the metric is {}, but the training has {}",
                                         name_of(metric_names, options_.metric), name_of(metric_names, metric)));
        if (take(sentences_name).item<std::int64_t>() != validated_sentences())
            throw ValueError("--resume: the validation sentences are others than before, and scores would not compare");
        trainer_.load_state(without_validations(std::move(state)));
        directory_.cut_logs(trainer_.step_count());
        progress_.begin_at(trainer_.step_count());
        if (trainer_.is_done())
            fmt::print(stderr, "the training is at its end already, after step {}\n", trainer_.step_count());
        else
            fmt::print(stderr, "going on after step {} of {}\n", trainer_.step_count(), trainer_.steps());
    }

    const Signals& signals_;
    const RunOptions options_;
    const std::int64_t batch_;
    const std::filesystem::path path_;
    RunDirectory& directory_;
    Translator& translator_;
    const std::optional<ValidationSet> validation_;
    Communicator& ranks_;
    Trainer& trainer_;
    std::optional<double> value_;  // of a validation, of which the other ranks have not heard
    Best best_;
    Progress progress_;
    StepMeans means_;
    ReportFile report_;
};

/// Begins a training, or goes on with it, when nothing can be wrong with the options any more.
void begin(Run& run, const RunDirectory& directory, const TrainArguments& arguments) {
    // What was here before goes before the first checkpoint: whoever finds that one finds the options with which to go
    // on.
    if (!arguments.resume) {
        directory.forget_model();
        directory.write("train.toml", arguments.configuration);
        directory.write("commands.txt", shell_line(arguments.command) + '\n');
        directory.cut_logs(0);
    }
    run.begin(arguments.resume);
    if (arguments.resume) {
        directory.write("train.toml", arguments.configuration);
        directory.write("commands.txt", directory.read("commands.txt") + shell_line(arguments.command) + '\n');
    }
}

/// The training, of one rank of several or alone. Returns the number of the signal that ended it early, or 0.
int train_here(const TrainArguments& arguments) {
    const std::unique_ptr<Communicator> ranks = mpi_communicator();
    const Signals signals;  // on all ranks before there is a checkpoint: whoever sees that one may send a signal
    const bool leads = ranks->rank() == 0;
    std::optional<RunDirectory> directory;  // of rank 0, which writes
    std::optional<Translator> translator;
    Corpus corpus;
    std::optional<ValidationSet> validation;
    try {
        ranks->all_or_none([&] {
            const bool validates = require_coherent(arguments);
            if (leads) directory.emplace(arguments.model);
            if (leads && directory->has_model() && !arguments.resume && !arguments.force)
                throw FileError(
                    fmt::format("{}: there is a model already; --resume goes on with it, --force begins anew",
                                arguments.model.string()));
            if (arguments.resume) {
                translator = load_checkpoint(arguments.model);
                require_same_system(arguments, *translator->system);
            }
            const Tokenizers tokenizers = translator
                                              ? Tokenizers(translator->source.tokenizer, translator->target.tokenizer)
                                              : make_tokenizers(arguments);
            const std::int64_t max_length = arguments.text.max_length;
            corpus = read_corpus(arguments.data, Part::training, tokenizers, max_length, arguments.text.pairs, !leads);
            if (validates && leads)
                validation.emplace(read_corpus(arguments.validation.given() ? arguments.validation : arguments.data,
                                               Part::held_out, tokenizers, max_length));
            if (!translator) translator = make_translator(arguments, tokenizers, corpus);
        });
        if (leads) fmt::print(stderr, "{}\n", described(*translator, ranks->size()));
        Trainer trainer(*translator, corpus, arguments.training, *ranks);
        std::optional<Run> run;
        ranks->all_or_none([&] {
            if (leads) {
                run.emplace(arguments, *directory, *translator, corpus, std::move(validation), *ranks, trainer,
                            signals);
                begin(*run, *directory, arguments);
            } else if (arguments.resume) {
                trainer.load_state(without_validations(load_training(arguments.model)));
            }
        });
        return leads ? (*run)() : follow(*ranks, trainer, signals);
    } catch (const RankError&) {
        if (!leads) ranks->barrier();  // rank 0 says it, and that it ends then ends this one
        throw;
    }
}

}  // namespace

int train(const TrainArguments& arguments) {
    if (arguments.launch.restart_on_failure && arguments.launch.ranks == 0)
        throw ValueError("--restart-on-failure: --ranks starts none");
    if (arguments.launch.starts_ranks()) {
        require_coherent(arguments);  // so that it is said once
        return launch(arguments.launch, arguments.model, arguments.command);
    }
    const int signal = train_here(arguments);
    return signal == 0 ? 0 : 128 + signal;
}

}  // namespace wengert::program
