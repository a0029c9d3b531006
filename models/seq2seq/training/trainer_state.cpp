#include <fmt/format.h>

#include <algorithm>
#include <wengert/models/seq2seq/training/trainer.hpp>

namespace wengert {
namespace {

constexpr std::string_view ranks_name = "data.ranks", optimizer_prefix = "optimizer.", plateau_prefix = "plateau.",
                           ema_prefix = "ema.", parameter_prefix = "parameter.";

void add_with_prefix(NamedTensors& to, std::string_view prefix, const NamedTensors& from) {
    for (const auto& [name, value] : from) to.emplace_back(std::string(prefix) + name, value);
}

/// Moves what has the prefix out of `from`.
NamedTensors take_with_prefix(NamedTensors& from, std::string_view prefix) {
    NamedTensors taken;
    for (const auto& [name, value] : from)
        if (name.starts_with(prefix)) taken.emplace_back(name.substr(prefix.size()), value);
    std::erase_if(from, [&](const auto& entry) { return entry.first.starts_with(prefix); });
    return taken;
}

/// How many ranks the training of the state began with.
std::int64_t ranks_of(const NamedTensors& state) {
    const auto found = std::ranges::find(state, ranks_name, &NamedTensors::value_type::first);
    if (found == state.end()) throw ValueError(fmt::format("training: the state has no \"{}\"", ranks_name));
    const auto ranks = found->second.item<std::int64_t>();
    if (ranks < 1 || ranks > 1'000'000)
        throw ValueError(fmt::format("training: the state is of a training on {} ranks", ranks));
    return ranks;
}

}  // namespace

NamedTensors Trainer::state() const {
    NamedTensors state = own_state();
    add_with_prefix(state, optimizer_prefix, optimizer_->state());
    add_with_prefix(state, plateau_prefix, plateau_.state());
    if (ema_) {
        add_with_prefix(state, ema_prefix, ema_->state());
        for (const Tensor& p : parameters_) state.emplace_back(std::string(parameter_prefix) + p.name(), p.clone());
    }
    return state;
}

/// Numbers that no part of the training keeps.
NamedTensors Trainer::own_state() const {
    NamedTensors state;
    const auto number = [&](std::string name, std::int64_t value) {
        state.emplace_back(std::move(name), tensor(std::vector<std::int64_t>{value}, {}));
    };
    number("steps", step_);
    number("data.fingerprint", fingerprint_);
    number("data.batch", options_.batch);
    number("data.batch_tokens", options_.batch_tokens);
    number("data.batches", static_cast<std::int64_t>(batches_.size()));
    number("data.accumulate", options_.accumulate);
    number(std::string(ranks_name), ranks_at_begin_);
    number("data.seed", options_.seed);
    number("noise.position", static_cast<std::int64_t>(noise_));
    number("epoch.number", epoch_);
    number("epoch.place", static_cast<std::int64_t>(place_));
    number("epoch.tokens", tokens_);
    state.emplace_back("epoch.loss_sum", scalar(loss_sum_, Dtype::float64));
    return state;
}

void Trainer::load_state(const NamedTensors& state) {
    const std::int64_t before = ranks_at_begin_;
    try {
        begin_with(ranks_of(state));
        load_own(state);
    } catch (...) {
        begin_with(before);
        throw;
    }
    is_compared_ = false;
}

void Trainer::load_own(const NamedTensors& state) {
    NamedTensors own = state;
    const NamedTensors optimizer = take_with_prefix(own, optimizer_prefix),
                       plateau = take_with_prefix(own, plateau_prefix), ema = take_with_prefix(own, ema_prefix),
                       parameters = take_with_prefix(own, parameter_prefix);
    if (!ema_ && (!ema.empty() || !parameters.empty()))
        throw ValueError("training: the state has averages of the weights, and this training keeps none");
    const NamedTensors before = own_state(), here = own_state();
    assign(here, own);
    for (std::size_t i = 0; i < here.size(); ++i) {
        const std::string& name = here[i].first;
        if (name == "data.fingerprint" && here[i].second.item<std::int64_t>() != fingerprint_)
            throw ValueError("training: the state is of a training with other sentences, or other vocabularies");
        if (name.starts_with("data.") && here[i].second.item<std::int64_t>() != before[i].second.item<std::int64_t>())
            throw ValueError(fmt::format("training: the state is of a training with {} {}, not {}", name.substr(5),
                                         here[i].second.item<std::int64_t>(), before[i].second.item<std::int64_t>()));
    }
    optimizer_->load_state(optimizer);
    plateau_.load_state(plateau);
    if (ema_) {
        ema_->load_state(ema);
        NamedTensors mine;
        for (const Tensor& p : parameters_) mine.emplace_back(p.name(), p);
        assign(mine, parameters);
    }
    const auto number = [&](std::string_view name) {
        return std::ranges::find(here, name, &NamedTensors::value_type::first)->second.template item<std::int64_t>();
    };
    step_ = number("steps");
    noise_ = static_cast<std::uint64_t>(number("noise.position"));
    epoch_ = number("epoch.number");
    place_ = static_cast<std::size_t>(number("epoch.place"));
    tokens_ = number("epoch.tokens");
    loss_sum_ = here.back().second.item();
    order_ = epoch_ > 0 ? batches_.epoch(static_cast<std::uint64_t>(epoch_)) : decltype(order_)();
    if (place_ > order_.size())
        throw ValueError(
            fmt::format("training: the state stands at batch {} of an epoch of {}", place_, order_.size()));
}

}  // namespace wengert
