#include <fmt/format.h>

#include <map>
#include <string_view>
#include <wengert/nn/named_tensors.hpp>

namespace wengert {
namespace {

std::string describe(std::string_view name, const Tensor& x) {
    return fmt::format("{} {}", name, to_string(x.shape()));
}

std::map<std::string_view, Tensor> by_name(const NamedTensors& tensors) {
    std::map<std::string_view, Tensor> result;
    for (const auto& [name, x] : tensors) {
        if (!result.emplace(name, x).second) throw ValueError(fmt::format("the name \"{}\" occurs twice", name));
    }
    return result;
}

}  // namespace

void assign(const NamedTensors& to, const NamedTensors& from) {
    const std::map<std::string_view, Tensor> sources = by_name(from), targets = by_name(to);
    std::string missing, unexpected, shapes, dtypes;
    const auto append = [](std::string& list, const std::string& entry) {
        if (!list.empty()) list += ", ";
        list += entry;
    };
    for (const auto& [name, target] : to) {
        const auto source = sources.find(name);
        if (source == sources.end()) {
            append(missing, describe(name, target));
        } else if (const Tensor& x = source->second; x.shape() != target.shape()) {
            append(shapes, fmt::format("{}, not {}", describe(name, x), to_string(target.shape())));
        } else if (is_integral(x.dtype()) != is_integral(target.dtype())) {
            append(dtypes, fmt::format("{} {}, not {}", name, to_string(x.dtype()), to_string(target.dtype())));
        }
    }
    for (const auto& [name, source] : from)
        if (!targets.contains(name)) append(unexpected, describe(name, source));

    std::string problems;
    if (!missing.empty()) problems += "; missing: " + missing;
    if (!unexpected.empty()) problems += "; unexpected: " + unexpected;
    if (!shapes.empty()) problems += "; of another shape: " + shapes;
    if (!dtypes.empty()) problems += "; of another dtype: " + dtypes;
    if (!problems.empty()) throw ValueError("the tensors are not those that are needed" + problems);

    for (const auto& [name, target] : to) Tensor(target).copy_from(sources.at(name));
}

}  // namespace wengert
