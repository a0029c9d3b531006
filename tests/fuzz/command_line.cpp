// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <CLI/CLI.hpp>
#include <wengert/autograd/tensor/error.hpp>

#include "seq2seq/command_line.hpp"
#include "seq2seq/gradient_checks.hpp"
#include "seq2seq/verbs.hpp"
#include "target.hpp"

// The verbs that the command line would run.
namespace wengert::program {
int train(const TrainArguments&) { return 0; }
void translate(const TranslateArguments&) {}
void interactive(const InteractiveArguments&) {}
void serve(const ServeArguments&) {}
void evaluate(const EvaluateArguments&) {}
void compare(const CompareArguments&) {}
void average(const AverageArguments&) {}
void export_model(const ExportArguments&) {}
void score(const ScoreArguments&) {}
void graph(const GraphArguments&) {}
bool run_gradient_checks(const GradcheckFlags&) { return true; }
}  // namespace wengert::program

/// Words, one a line; behind a zero byte a configuration file that they are given.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    static fuzz::MemoryFile configuration;
    fuzz::Bytes input(data, size);
    fuzz::Bytes lines(input.until('\0'));
    std::vector<std::string> words{"seq2seq"};
    if (!input.empty()) words.insert(words.end(), {"--config", configuration.holds(input.rest()).string()});
    while (!lines.empty()) words.emplace_back(lines.until('\n'));
    // All options of all verbs are some hundred kilobytes of CLI11's objects, and an error's sentence compares names.
    fuzz::keep_promise(size, {.each = 1000, .fixed = 1 << 22}, [&] { program::run_command(words); });
    return 0;
}
