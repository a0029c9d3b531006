#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
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

std::string member_path(const std::string& prefix, std::string_view name) {
    return prefix.empty() ? std::string(name) : fmt::format("{}.{}", prefix, name);
}

ParameterVisitor appending_to(NamedTensors& list) {
    return [&list](const std::string& name, const Tensor& p) { list.emplace_back(name, p); };
}

ParameterVisitor naming() {
    return [](const std::string& name, Tensor& p) { p.set_name(name).set_parameter(); };
}

ParameterVisitor naming_buffers() {
    return [](const std::string& name, Tensor& buffer) { buffer.set_name(name); };
}

ParameterVisitor replacing(const ParameterReplacement& f) {
    return [f, replaced = std::map<const TensorState*, Tensor>()](const std::string&, Tensor& p) mutable {
        Tensor& replacement = replaced[p.state()];
        if (!replacement.defined()) replacement = f(p);
        p = replacement;
    };
}

std::vector<Tensor> unique_tensors(const NamedTensors& tensors) {
    std::vector<Tensor> result;
    std::set<const TensorState*> seen;
    for (const auto& [name, tensor] : tensors)
        if (seen.insert(tensor.state()).second) result.push_back(tensor);
    return result;
}

Tensor converted_parameter(const Tensor& parameter, Dtype dtype) {
    if (!is_floating(dtype))
        throw DtypeError(fmt::format("to: parameters are float32 or float64, not {}", to_string(dtype)));
    if (!is_floating(parameter.dtype())) return parameter.clone();
    const Tensor converted = cast(parameter, dtype);
    if (converted.same_as(parameter)) return parameter.clone();
    return Tensor(converted).set_name(parameter.name()).set_parameter(parameter.is_parameter());
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
