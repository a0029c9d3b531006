#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <set>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/seq2seq/systems/bahdanau.hpp>

namespace wengert {
namespace {

template <class Model>
std::unique_ptr<System> make(std::string_view name, const SystemOptions& options, Generator& generator) {
    return std::make_unique<SystemOf<Model>>(name, options, Model(options, generator));
}

constexpr SystemEntry systems[]{
    {"bahdanau", "GRU encoder, additive attention, GRU decoder (Bahdanau et al. 2015)", make<Bahdanau>},
};

}  // namespace

std::span<const SystemEntry> all_systems() { return systems; }

std::unique_ptr<System> make_system(std::string_view name, const SystemOptions& options, Generator& generator) {
    std::vector<std::string_view> names;
    for (const SystemEntry& entry : systems) {
        if (entry.name == name) return entry.make(entry.name, options, generator);
        names.push_back(entry.name);
    }
    throw ValueError(fmt::format("there is no system \"{}\", only {}", name, fmt::join(names, ", ")));
}

std::vector<Tensor> System::parameters() const {
    std::vector<Tensor> result;
    std::set<const TensorState*> seen;
    for (auto& [name, parameter] : named_parameters())
        if (seen.insert(parameter.state()).second) result.push_back(std::move(parameter));
    return result;
}

Tensor select_rows(const Tensor& x, std::span<const std::int64_t> rows) {
    const Pause pause;
    const Tensor from = contiguous(x);
    Shape shape = x.shape();
    shape[0] = static_cast<std::int64_t>(rows.size());
    const Tensor result = Tensor::empty(shape, x.dtype());
    const auto bytes = static_cast<std::size_t>(x.numel() / std::max<std::int64_t>(x.dim(0), 1)) * size_of(x.dtype());
    auto* to = static_cast<std::byte*>(result.raw());
    for (const std::int64_t row : rows) {
        std::memcpy(to, static_cast<const std::byte*>(from.raw()) + static_cast<std::size_t>(row) * bytes, bytes);
        to += bytes;
    }
    return result;
}

}  // namespace wengert
