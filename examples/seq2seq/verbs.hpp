#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>
#include <wengert/autograd/observe/graph.hpp>
#include <wengert/models/seq2seq/decoding/search.hpp>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/system_options.hpp>
#include <wengert/models/seq2seq/training/training_options.hpp>
#include <wengert/models/text/tokenizer.hpp>

#include "launch.hpp"
#include "serving/limits.hpp"

/// What the program can do, one function a verb. They print to standard output, report to standard error, and throw
/// what goes wrong.
namespace wengert::program {

/// One file of tab-separated pairs, or parallel ones; if all are empty, the built-in corpus.
struct CorpusFiles {
    std::filesystem::path pairs, source;
    std::vector<std::filesystem::path> targets;  ///< several are several references, which only scores take
    std::int64_t hold_out = 0;  ///< one in so many source sentences is no training sentence; 0: all are

    bool given() const { return !pairs.empty() || !source.empty(); }
};

/// What decides which checkpoint is the best.
enum class Metric { loss, bleu, chrf, exact_match, perplexity };
inline constexpr std::array metric_names{
    Choice<Metric>{"loss", Metric::loss}, Choice<Metric>{"bleu", Metric::bleu}, Choice<Metric>{"chrf", Metric::chrf},
    Choice<Metric>{"exact-match", Metric::exact_match}, Choice<Metric>{"perplexity", Metric::perplexity}};

/// How a training is watched and kept.
struct RunOptions {
    std::int64_t validate_every = 0;
    std::int64_t save_every = 0;
    Metric metric = Metric::loss;
    std::int64_t patience = 0;
    std::int64_t keep = 1;

    void describe(auto&& f) {
        constexpr Bounds<std::int64_t> count{0, 1'000'000'000};
        f(OptionText{"validate_every", "Steps between validations; 0: an epoch's"}, validate_every, count);
        f(OptionText{"save_every", "Steps between checkpoints besides; 0: validations alone save"}, save_every, count);
        f(OptionText{"metric", "What decides which checkpoint is the best, and when to stop"}, metric, metric_names);
        f(OptionText{"patience", "Validations without a better one after which training ends; 0: any number"}, patience,
          count);
        f(OptionText{"keep", "Checkpoints that stay besides the best: the last ones, which `average` takes"}, keep,
          Bounds<std::int64_t>{1, 10'000});
    }
};

/// How text is split.
struct TextOptions {
    TokenizerMode tokenizer = TokenizerMode::words;
    std::int64_t subwords = 0;
    bool joint = false;
    bool keep_case = false;
    std::int64_t max_length = 30;
    std::int64_t pairs = 0;
    std::int64_t vocabulary = 5000;
    std::int64_t min_count = 1;

    void describe(auto&& f) {
        constexpr std::int64_t most = 1'000'000;
        static constexpr std::array modes{Choice<TokenizerMode>{"words", TokenizerMode::words},
                                          Choice<TokenizerMode>{"characters", TokenizerMode::characters},
                                          Choice<TokenizerMode>{"spaces", TokenizerMode::spaces}};
        f(OptionText{"tokenizer", "What a token is"}, tokenizer, modes);
        f(OptionText{"subwords", "Tokens are so many learned pieces of words; 0: they are not"}, subwords,
          Bounds<std::int64_t>{0, most});
        f(OptionText{"joint", "One vocabulary for both sides, and one set of subwords"}, joint);
        f(OptionText{"keep_case", "Text is not brought to lower case"}, keep_case);
        f(OptionText{"max_length", "Tokens of a side; longer pairs are left out"}, max_length,
          Bounds<std::int64_t>{1, most});
        f(OptionText{"pairs", "The first so many pairs are trained on; 0: all"}, pairs,
          Bounds<std::int64_t>{0, 1'000'000'000});
        f(OptionText{"vocabulary", "Tokens of a side, the most frequent ones"}, vocabulary,
          Bounds<std::int64_t>{5, most});
        f(OptionText{"min_count", "A token seen less often is unknown"}, min_count, Bounds<std::int64_t>{1, most});
    }
};

struct TrainArguments {
    CorpusFiles data, validation;
    std::filesystem::path model;
    std::filesystem::path subword_model, target_subword_model;  ///< empty: learned, or the same as the source's
    std::string system = "bahdanau";
    SystemOptions sizes;
    TrainingOptions training;
    RunOptions run;
    TextOptions text;
    bool resume = false, force = false;
    Launch launch = {};
    std::vector<std::string> command = {};  ///< the words that called the program, its name first
    std::string configuration = {};         ///< all of these as a configuration file, which the directory gets
};
/// Returns what the program ends with: 0, 128 and the number of the signal that ended the training early, or what
/// launch() does.
int train(const TrainArguments& arguments);

struct TranslateArguments {
    std::vector<std::filesystem::path> models;   ///< several are an ensemble
    std::filesystem::path attention, beam_tree;  ///< pictures; empty: none
    SearchOptions search;
    bool replace_unknown = false;
    std::string prefix;              ///< begins each translation
    std::int64_t batch = 32;         ///< sentences that are translated at once
    std::vector<std::string> texts;  ///< none: standard input's lines
};
void translate(const TranslateArguments& arguments);

struct InteractiveArguments {
    std::vector<std::filesystem::path> models;  ///< several are an ensemble
    SearchOptions search;
};
/// Translates each line of standard input, says how sure the model is and what each word looked at, until the input
/// ends.
void interactive(const InteractiveArguments& arguments);

struct ServeArguments {
    std::vector<std::filesystem::path> models;  ///< each by itself, the first as the usual one
    std::string host = "127.0.0.1";
    int port = 5000;       ///< 0: any that is free
    SearchOptions search;  ///< what a request does not say
    ServeLimits limits;
};
/// Answers by HTTP until SIGINT or SIGTERM; see Service.
void serve(const ServeArguments& arguments);

/// What is measured, and how.
struct Measurement {
    std::vector<std::filesystem::path> models;
    CorpusFiles data;
    SearchOptions search;
    std::string tokenize = "usual";  ///< or one of sacrebleu's names
    BleuSmoothing smooth_method = BleuSmoothing::exponential;
    double smooth_value = -1;  ///< -1: the method's own
    bool lowercase = false;    ///< even if the model knows capitals
};

/// Several models are an ensemble.
struct EvaluateArguments : Measurement {
    std::filesystem::path out;  ///< empty: the translations go nowhere
};
void evaluate(const EvaluateArguments& arguments);

/// Each model by itself, the first as the one that the others are compared with.
struct CompareArguments : Measurement {
    std::filesystem::path curves, lengths;  ///< pictures; empty: none
};
void compare(const CompareArguments& arguments);

struct AverageArguments {
    std::vector<std::filesystem::path> models;
    std::filesystem::path out;
};
/// The mean of checkpoints' weights, as a checkpoint.
void average(const AverageArguments& arguments);

struct ExportArguments {
    std::filesystem::path model, onnx;
};
/// A model in the files of another library.
void export_model(const ExportArguments& arguments);

struct ScoreArguments {
    std::filesystem::path model;
    CorpusFiles data;
    bool words = false;
};
/// The log probability of each target, given its source.
void score(const ScoreArguments& arguments);

struct GraphArguments {
    std::filesystem::path model;  ///< empty: a small one with random parameters
    std::string system = "bahdanau";
    std::filesystem::path out;
    std::int64_t source_length = 6, target_length = 8;
    int unfold = -1, depth = -1;  ///< -1: by the picture's size
    bool profile = false;
    GraphOptions options;
};
void graph(const GraphArguments& arguments);

/// All described options as tables in Markdown.
void print_options();

}  // namespace wengert::program
