#include <algorithm>
#include <optional>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/ops/all_ops.hpp>

#include "verbs.hpp"

namespace wengert::program {
namespace {

constexpr std::int64_t batch_size = 4;

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
    const Tensor source = full({batch_size, arguments.source_length}, Vocabulary::unknown, Dtype::int64);
    const Tensor target = full({batch_size, arguments.target_length}, Vocabulary::unknown, Dtype::int64);
    const auto shorter = [&](std::int64_t by) {
        return static_cast<double>(std::max<std::int64_t>(arguments.source_length - by, 1));
    };
    const Tensor lengths = tensor({shorter(0), shorter(0), shorter(1), shorter(2)}, Dtype::int64);

    GraphOptions options = arguments.options;
    options.family = op_family;
    if (arguments.unfold >= 0) options.unfold = arguments.unfold;
    if (arguments.depth >= 0) options.depth = arguments.depth;
    if (options.title.empty()) options.title = "One training step";
    const bool measures = arguments.profile || options.color == GraphColor::time;
    const std::vector<Tensor> weights = system->parameters();
    if (measures) {  // once before, so that memory and caches are as they are in a training
        Tape tape;
        tape.gradient(system->loss(source, lengths, target), weights);
    }
    Tape tape;
    std::optional<NodeProfile> profile;
    if (measures) options.profile = &profile.emplace();
    const Tensor loss = system->loss(source, lengths, target);
    if (measures) tape.gradient(loss, weights, {.retain_graph = true});
    options.result = loss;
    write_graph(tape, arguments.out, options);
}

}  // namespace wengert::program
