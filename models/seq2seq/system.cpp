#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/seq2seq/systems/attention_decoder.hpp>
#include <wengert/models/seq2seq/systems/cho.hpp>
#include <wengert/models/seq2seq/systems/conditional.hpp>
#include <wengert/models/seq2seq/systems/stacked.hpp>
#include <wengert/models/seq2seq/systems/transformer.hpp>
#include <wengert/ops/index/gather.hpp>

namespace wengert {
namespace {

template <class Model, auto... kind>
std::unique_ptr<System> make(std::string_view name, const SystemOptions& options, Generator& generator) {
    return std::make_unique<SystemOf<Model>>(name, options, Model(options, kind..., generator));
}

// What a system has no use for, or cannot have but at its default: the tests find it out.
constexpr std::string_view unread_by_bahdanau[]{"reverse_source", "window", "heads", "feed_forward"},
    unread_by_multihead[]{"attention", "reverse_source", "window", "feed_forward"},
    unread_by_sutskever[]{"attention", "backward_bridge", "context_dropout", "window", "heads", "feed_forward"},
    unread_by_cho[]{"attention", "residual", "context_dropout", "window", "heads", "feed_forward"},
    unread_by_conditional[]{"reverse_source", "backward_bridge", "window", "heads", "feed_forward"},
    unread_by_luong_dot[]{"attention", "bidirectional", "reverse_source", "backward_bridge",
                          "window",    "heads",         "feed_forward"},
    unread_by_luong_general[]{"attention", "reverse_source", "backward_bridge", "window", "heads", "feed_forward"},
    unread_by_luong_concat[]{"reverse_source", "backward_bridge", "window", "heads", "feed_forward"},
    unread_by_luong_local[]{"attention", "reverse_source", "backward_bridge", "heads", "feed_forward"},
    unread_by_transformer[]{"embedding",      "attention",         "bidirectional",   "cell",
                            "gru_reset",      "readout",           "residual",        "layer_norm",
                            "reverse_source", "backward_bridge",   "context_dropout", "recurrent_dropout",
                            "window",         "scheduled_sampling"};

constexpr SystemEntry systems[]{
    {"bahdanau", "additive attention with the state before (Bahdanau et al. 2015)", make<Bahdanau>, unread_by_bahdanau},
    {"sutskever", "deep layers, the last state is all (Sutskever et al. 2014)", make<Stacked, StackAttention::none>,
     unread_by_sutskever},
    {"cho", "one vector of the source at every step (Cho et al. 2014)", make<Cho>, unread_by_cho},
    {"conditional", "two cells around the attention (Sennrich et al. 2017)", make<Conditional>, unread_by_conditional},
    {"luong-dot", "attention of the new state, input feeding (Luong et al. 2015)", make<Stacked, StackAttention::dot>,
     unread_by_luong_dot},
    {"luong-general", "the same, with a bilinear score", make<Stacked, StackAttention::general>,
     unread_by_luong_general},
    {"luong-concat", "the same, with an additive score", make<Stacked, StackAttention::concat>, unread_by_luong_concat},
    {"luong-local-m", "the same, in a window that moves with the steps", make<Stacked, StackAttention::local_monotonic>,
     unread_by_luong_local},
    {"luong-local-p", "the same, in a window that the state predicts", make<Stacked, StackAttention::local_predictive>,
     unread_by_luong_local},
    {"coverage", "attention knows what it has translated (Tu et al. 2016)", make<CoverageModel>, unread_by_bahdanau},
    {"multihead", "several attentions at once over the encoder's states", make<MultiHeadModel>, unread_by_multihead},
    {"transformer", "attention alone (Vaswani et al. 2017)", make<TransformerModel>, unread_by_transformer},
};

const SystemEntry& entry_of(std::string_view name) {
    std::vector<std::string_view> names;
    for (const SystemEntry& entry : systems) {
        if (entry.name == name) return entry;
        names.push_back(entry.name);
    }
    throw ValueError(fmt::format("there is no system \"{}\", only {}", name, fmt::join(names, ", ")));
}

}  // namespace

std::span<const SystemEntry> all_systems() { return systems; }

std::unique_ptr<System> make_system(std::string_view name, const SystemOptions& options, Generator& generator) {
    const SystemEntry& entry = entry_of(name);
    return entry.make(entry.name, options, generator);
}

void require_read_options(std::string_view system, const OptionList& given, const OptionList& defaults) {
    const SystemEntry& entry = entry_of(system);
    for (std::size_t i = 0; i < given.size(); ++i)
        if (given[i] != defaults[i] && std::ranges::find(entry.unread, given[i].first) != entry.unread.end())
            throw ValueError(
                fmt::format("{}: {} is {}, but this system does not read it", system, given[i].first, given[i].second));
}

std::string first_difference(std::string_view name, const SystemOptions& options, const System& other) {
    auto mine = option_texts(options), its = option_texts(other.options());
    mine.insert(mine.begin(), {"system", std::string(name)});
    its.insert(its.begin(), {"system", std::string(other.name())});
    for (std::size_t i = 0; i < mine.size(); ++i)
        if (mine[i] != its[i]) return fmt::format("{} is {}, not {}", mine[i].first, mine[i].second, its[i].second);
    return "";
}

std::vector<Tensor> System::parameters() const { return unique_tensors(named_parameters()); }

void require_target(const Tensor& source, const Tensor& target) {
    if (target.rank() != 2 || target.dim(0) != source.dim(0) || target.dim(1) < 2)
        throw ShapeError(fmt::format("seq2seq: target must be [B, T] with T > 1 for source {}, not {}",
                                     to_string(source.shape()), to_string(target.shape())));
}

Tensor select_rows(const Tensor& x, std::span<const std::int64_t> rows) {
    const Pause pause;
    return index_select(x, 0, tensor(std::vector(rows.begin(), rows.end())));
}

}  // namespace wengert
