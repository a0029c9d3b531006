#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <set>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/seq2seq/systems/attention_decoder.hpp>
#include <wengert/models/seq2seq/systems/cho.hpp>
#include <wengert/models/seq2seq/systems/conditional.hpp>
#include <wengert/models/seq2seq/systems/stacked.hpp>
#include <wengert/models/seq2seq/systems/transformer.hpp>

namespace wengert {
namespace {

template <class Model, auto... kind>
std::unique_ptr<System> make(std::string_view name, const SystemOptions& options, Generator& generator) {
    return std::make_unique<SystemOf<Model>>(name, options, Model(options, kind..., generator));
}

using enum StackAttention;
constexpr SystemEntry systems[]{
    {"bahdanau", "bidirectional encoder, additive attention (Bahdanau et al. 2015)", make<Bahdanau>},
    {"sutskever", "deep layers, the last state is all (Sutskever et al. 2014)", make<Stacked, none>},
    {"cho", "one vector of the source at every step (Cho et al. 2014)", make<Cho>},
    {"conditional", "two cells around the attention (Sennrich et al. 2017)", make<Conditional>},
    {"luong-dot", "attention of the new state, input feeding (Luong et al. 2015)", make<Stacked, dot>},
    {"luong-general", "the same, with a bilinear score", make<Stacked, general>},
    {"luong-concat", "the same, with an additive score", make<Stacked, concat>},
    {"luong-local-m", "the same, in a window that moves with the steps", make<Stacked, local_monotonic>},
    {"luong-local-p", "the same, in a window that the state predicts", make<Stacked, local_predictive>},
    {"coverage", "attention knows what it has translated (Tu et al. 2016)", make<CoverageModel>},
    {"multihead", "several attentions at once over the encoder's states", make<MultiHeadModel>},
    {"transformer", "attention alone (Vaswani et al. 2017)", make<TransformerModel>},
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

void require_target(const Tensor& source, const Tensor& target) {
    if (target.rank() != 2 || target.dim(0) != source.dim(0) || target.dim(1) < 2)
        throw ShapeError(fmt::format("seq2seq: target must be [B, T] with T > 1 for source {}, not {}",
                                     to_string(source.shape()), to_string(target.shape())));
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
