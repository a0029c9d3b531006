#pragma once

#include <filesystem>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/training.hpp>

/// What the program can do, one function a verb. They print to standard output, report to standard error, and throw
/// what goes wrong.
namespace wengert::program {

/// One file of tab-separated pairs, or two parallel ones; if all are empty, the built-in corpus.
struct CorpusFiles {
    std::filesystem::path pairs, source, target;

    bool given() const { return !pairs.empty() || !source.empty(); }
};

struct TrainArguments {
    CorpusFiles data, validation;
    std::filesystem::path model;
    Seq2SeqOptions sizes;
    TrainingOptions training;
    std::int64_t max_length = 30;
    std::int64_t vocabulary = 5000;
    std::int64_t seed = 1;
};
void train(const TrainArguments& arguments);

struct TranslateArguments {
    std::filesystem::path model;
    std::filesystem::path attention;  ///< empty: no picture
    std::vector<std::string> texts;   ///< none: standard input's lines
};
void translate(const TranslateArguments& arguments);

struct EvaluateArguments {
    std::filesystem::path model;
    CorpusFiles data;
};
void evaluate(const EvaluateArguments& arguments);

struct GraphArguments {
    std::filesystem::path model;  ///< empty: a small one with random parameters
    std::filesystem::path out;
    int unfold = 0;
};
void graph(const GraphArguments& arguments);

/// Whether all checks passed.
bool gradcheck();

}  // namespace wengert::program
