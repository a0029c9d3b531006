#include <fmt/format.h>

#include <map>
#include <string_view>
#include <wengert/nn/named_tensors.hpp>

namespace wengert {
namespace {

std::string describe(std::string_view name, const Tensor& x) {
    return fmt::format("{} {}", name, to_string(x.shape()));
}

/// Within a kind files convert: bool, integers, floats.
int kind_of(Dtype dtype) { return dtype == Dtype::boolean ? 0 : is_integral(dtype) ? 1 : 2; }

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
        } else if (kind_of(x.dtype()) != kind_of(target.dtype())) {
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

    std::vector<Tensor> values;  // all are converted before one is copied
    for (const auto& [name, target] : to) try {
            values.push_back(cast(sources.at(name), target.dtype()));
        } catch (const ValueError& error) {
            throw ValueError(fmt::format("{}: {}", name, error.what()));
        }
    for (std::size_t i = 0; i < to.size(); ++i) Tensor(to[i].second).copy_from(values[i]);
}

}  // namespace wengert
