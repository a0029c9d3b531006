#include <fmt/format.h>

#include <wengert/models/seq2seq/checkpoint.hpp>

#include "training_run.hpp"
#include "verbs.hpp"

namespace wengert::program {

void average(const AverageArguments& arguments) {
    const Translator mean = average_checkpoints(arguments.models);
    const RunDirectory directory(arguments.out);
    if (directory.has_model()) throw FileError(fmt::format("{}: there is a model already", arguments.out.string()));
    save_checkpoint(mean, arguments.out);
}

}  // namespace wengert::program
