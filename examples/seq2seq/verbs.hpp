#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/decoding/search.hpp>
#include <wengert/models/seq2seq/system_options.hpp>
#include <wengert/models/seq2seq/training/training_options.hpp>

/// What the program can do, one function a verb. They print to standard output, report to standard error, and throw
/// what goes wrong.
namespace wengert::program {

/// One file of tab-separated pairs, or two parallel ones; if all are empty, the built-in corpus.
struct CorpusFiles {
    std::filesystem::path pairs, source, target;

    bool given() const { return !pairs.empty() || !source.empty(); }
};

/// What decides which checkpoint is the best.
enum class Metric { loss, bleu, exact_match };
inline constexpr std::array metric_names{Choice<Metric>{"loss", Metric::loss}, Choice<Metric>{"bleu", Metric::bleu},
                                         Choice<Metric>{"exact-match", Metric::exact_match}};

/// How a training is watched and kept.
struct RunOptions {
    std::int64_t validate_every = 0;
    std::int64_t save_every = 0;
    Metric metric = Metric::loss;
    std::int64_t patience = 0;

    void describe(auto&& f) {
        constexpr Bounds<std::int64_t> count{0, 1'000'000'000};
        f(OptionText{"validate_every", "Steps between validations; 0: an epoch's"}, validate_every, count);
        f(OptionText{"save_every", "Steps between checkpoints besides; 0: validations alone save"}, save_every, count);
        f(OptionText{"metric", "What decides which checkpoint is the best, and when to stop"}, metric, metric_names);
        f(OptionText{"patience", "Validations without a better one after which training ends; 0: any number"}, patience,
          count);
    }
};

struct TrainArguments {
    CorpusFiles data, validation;
    std::filesystem::path model;
    std::string system = "bahdanau";
    SystemOptions sizes;
    TrainingOptions training;
    RunOptions run;
    std::int64_t max_length = 30;
    std::int64_t vocabulary = 5000;
    bool resume = false, force = false;
    std::string configuration = {};  ///< all of these as a configuration file, which the directory gets
};
/// Returns the number of the signal that ended the training early, or 0.
int train(const TrainArguments& arguments);

struct TranslateArguments {
    std::vector<std::filesystem::path> models;  ///< several are an ensemble
    std::filesystem::path attention;            ///< empty: no picture
    SearchOptions search;
    bool replace_unknown = false;
    std::vector<std::string> texts;  ///< none: standard input's lines
};
void translate(const TranslateArguments& arguments);

struct EvaluateArguments {
    std::filesystem::path model;
    CorpusFiles data;
    SearchOptions search;
};
void evaluate(const EvaluateArguments& arguments);

struct GraphArguments {
    std::filesystem::path model;  ///< empty: a small one with random parameters
    std::string system = "bahdanau";
    std::filesystem::path out;
    int unfold = 0;
};
void graph(const GraphArguments& arguments);

/// Whether all checks passed.
bool gradcheck();

}  // namespace wengert::program
