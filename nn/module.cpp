#include <fmt/format.h>

#include <algorithm>
#include <wengert/nn/module.hpp>

namespace wengert {

void require_features(std::string_view layer, std::initializer_list<std::int64_t> counts) {
    for (const std::int64_t n : counts)
        if (n < 1) throw ValueError(fmt::format("{}: a number of features is {}, less than 1", layer, n));
}

void throw_missing(std::string_view layer, std::string_view parameter, const SourceLine& where) {
    ValueError error(fmt::format("the layer has no {} (default-constructed or moved from)", parameter));
    error.locate(layer, to_string(current_place()), where);
    throw error;
}

void require_visited(const Tape& tape, const std::vector<Tensor>& visited, NodeId first, const SourceLine& where) {
    for (NodeId id = first; id < tape.size(); ++id) {
        const auto* const leaf = dynamic_cast<const Leaf*>(&tape[id]);
        if (leaf == nullptr || !leaf->tensor().is_parameter() || leaf->uses() == 0) continue;
        if (std::ranges::find(visited, leaf->tensor().state(), &Tensor::state) != visited.end()) continue;
        ValueError error(
            fmt::format("the tape has used parameter \"{}\" {}, which the model's visit does not name, so "
                        "that it would not be trained",
                        leaf->tensor().name(), to_string(leaf->shape())));
        error.locate("require_visited", to_string(leaf->place()), where);
        throw error;
    }
}

}  // namespace wengert
