#include <fmt/format.h>

#include <wengert/autograd/observe/graph.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "verbs.hpp"

namespace wengert::program {
namespace {

constexpr std::int64_t batch_size = 4, source_length = 6, target_length = 8;

std::unique_ptr<System> small_system(std::string_view name) {
    Generator generator;
    SystemOptions options{.source_vocabulary = 1000, .target_vocabulary = 1000, .embedding = 64, .hidden = 128};
    return make_system(name, options, generator);
}

}  // namespace

void graph(const GraphArguments& arguments) {
    const std::unique_ptr<System> system =
        arguments.model.empty() ? small_system(arguments.system) : std::move(load_checkpoint(arguments.model).system);

    // What is drawn depends on the sentences' lengths, not on their words.
    const Tensor source = full({batch_size, source_length}, Vocabulary::unknown, Dtype::int64);
    const Tensor target = full({batch_size, target_length}, Vocabulary::unknown, Dtype::int64);
    const Tensor lengths = tensor({source_length, source_length, source_length - 1, source_length - 2}, Dtype::int64);

    Tape tape;
    const Tensor loss = system->loss(source, lengths, target);
    write_graph(tape, arguments.out, {.unfold = arguments.unfold, .title = "One training step"});
}

}  // namespace wengert::program
