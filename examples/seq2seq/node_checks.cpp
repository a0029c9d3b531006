#include <fmt/format.h>

#include <wengert/autograd/check/gradcheck_model.hpp>
#include <wengert/models/seq2seq/system.hpp>

#include "layer_check.hpp"

namespace wengert::program {

void check_nodes(const GradientCheckReport& report) {
    Generator generator(1);
    const SystemOptions options{.source_vocabulary = 6,
                                .target_vocabulary = 6,
                                .embedding = 2,
                                .hidden = 2,
                                .attention = 2,
                                .layers = 2,
                                .bidirectional = true};
    const auto system = make_system("bahdanau", options, generator)->to(Dtype::float64);
    std::vector<Tensor> parameters = system->parameters();
    std::uint64_t seed = 100;
    for (Tensor& p : parameters) p.copy_from(sample_values(p.shape(), -1.5, 1.5, ++seed));
    const Tensor source = ids({4, 5, 2, 4, 2, 0}, {batch, steps}), target = ids({1, 4, 3, 2, 1, 5, 2, 0}, {batch, 4});
    for (const NodeCheck& node : gradcheck_model([&] { return system->loss(source, lengths(), target); }, parameters)) {
        GradientCheck row(fmt::format("{}{}{}", node.scope, node.scope.empty() ? "" : ": ", node.op), 1, node.error,
                          node.verdict == GradcheckVerdict::passed ? Verdict::passed : Verdict::failed, node.message);
        row.input = node.input;
        row.found = node.verdict;
        report(row);
    }
}

}  // namespace wengert::program
