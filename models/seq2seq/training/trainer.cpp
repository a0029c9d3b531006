#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>
#include <wengert/nn/clipping.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/streams.hpp>

namespace wengert {
namespace {

constexpr std::string_view optimizer_prefix = "optimizer.", plateau_prefix = "plateau.", ema_prefix = "ema.",
                           parameter_prefix = "parameter.";

TrainingOptions checked(TrainingOptions options) {
    options.describe(OptionChecker{"training"});
    if (options.epochs == 0 && options.max_steps == 0)
        throw ValueError("training: epochs and max_steps are both 0, and one of them must say when it ends");
    return options;
}

std::unique_ptr<Optimizer> make_optimizer(const std::vector<Tensor>& parameters, const TrainingOptions& o) {
    switch (o.optimizer) {
        case OptimizerKind::adamw:
            return std::make_unique<AdamW>(
                parameters, AdamWOptions{.learning_rate = o.learning_rate, .weight_decay = o.weight_decay});
        case OptimizerKind::sgd:
            return std::make_unique<Sgd>(parameters,
                                         SgdOptions{.learning_rate = o.learning_rate, .weight_decay = o.weight_decay});
        case OptimizerKind::adadelta:
            return std::make_unique<Adadelta>(
                parameters, AdadeltaOptions{.learning_rate = o.learning_rate, .weight_decay = o.weight_decay});
        case OptimizerKind::adam:
            break;
    }
    return std::make_unique<Adam>(parameters,
                                  AdamOptions{.learning_rate = o.learning_rate, .weight_decay = o.weight_decay});
}

std::int64_t divided_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

LearningRateSchedule make_schedule(const TrainingOptions& o, std::int64_t steps, std::int64_t steps_per_epoch) {
    const std::int64_t rest = std::max<std::int64_t>(steps - o.warmup, 1);
    const auto schedule = [&] {
        switch (o.schedule) {
            case Schedule::linear:
                return LearningRateSchedule::linear(rest);
            case Schedule::cosine:
                return LearningRateSchedule::cosine(rest);
            case Schedule::inverse_square_root:
                return LearningRateSchedule::inverse_square_root(
                    std::max<std::int64_t>(o.schedule_steps > 0 ? o.schedule_steps : o.warmup, 1));
            case Schedule::step:
                return LearningRateSchedule::step_decay(o.schedule_steps > 0 ? o.schedule_steps : steps_per_epoch,
                                                        o.schedule_factor);
            case Schedule::constant:
            case Schedule::plateau:
                break;
        }
        return LearningRateSchedule::constant();
    };
    return schedule().after_warmup(o.warmup);
}

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

}  // namespace

Trainer::Trainer(Translator& translator, const Corpus& corpus, const TrainingOptions& options)
    : translator_(translator),
      options_(checked(options)),
      batches_(corpus, translator.source.vocabulary, translator.target.vocabulary,
               {.batch_size = options.batch,
                .seed = static_cast<std::uint64_t>(options.seed),
                .batch_tokens = options.batch_tokens}),
      fingerprint_(batches_.fingerprint()),
      steps_per_epoch_(divided_up(static_cast<std::int64_t>(batches_.size()), options.accumulate)),
      steps_(options.epochs == 0      ? options.max_steps
             : options.max_steps == 0 ? options.epochs * steps_per_epoch_
                                      : std::min(options.epochs * steps_per_epoch_, options.max_steps)),
      parameters_(translator.system->parameters()),
      optimizer_(make_optimizer(parameters_, options)),
      schedule_(make_schedule(options, steps_, steps_per_epoch_)),
      plateau_({.mode = PlateauMode::max,
                .factor = options.schedule_factor,
                .patience = options.schedule_patience,
                .threshold = 0,
                .threshold_mode = PlateauThreshold::abs}),
      noise_(static_cast<std::uint64_t>(options.seed), streams::noise) {
    if (options.ema > 0) ema_.emplace(parameters_, EmaOptions{.decay = options.ema});
}

TrainingStep Trainer::step() {
    if (place_ == order_.size()) {
        order_ = batches_.epoch(static_cast<std::uint64_t>(epoch_ + 1));
        ++epoch_;
        place_ = 0;
        loss_sum_ = 0;
        tokens_ = 0;
    }
    double loss = 0;
    std::int64_t tokens = 0;
    const std::size_t place = place_;
    const std::uint64_t noise = noise_.position();
    const double rate = options_.learning_rate * schedule_.factor(step_) * plateau_.factor();
    double norm = 0;
    try {
        std::vector<Tensor> gradients = this->gradients(loss, tokens);
        if (reduce) reduce(gradients);
        norm =
            clip_gradient_norm(gradients, options_.clip > 0 ? options_.clip : std::numeric_limits<double>::infinity());
        optimizer_->set_learning_rate(rate);
        optimizer_->step(gradients);
    } catch (...) {
        place_ = place;
        noise_.seek(noise);
        throw;
    }
    if (ema_) ema_->update(parameters_);
    ++step_;
    ++translator_.steps;
    loss_sum_ += loss * static_cast<double>(tokens);
    tokens_ += tokens;
    return {.epoch = epoch_,
            .epochs = divided_up(steps_, steps_per_epoch_),
            .step = step_,
            .steps = steps_,
            .loss = loss,
            .tokens = tokens,
            .gradient_norm = norm,
            .learning_rate = rate,
            .ends_epoch = place_ == order_.size() || is_done(),
            .epoch_loss = loss_sum_ / static_cast<double>(tokens_),
            .epoch_tokens = tokens_};
}

/// Of the mean over the tokens of the next batches, and that mean.
std::vector<Tensor> Trainer::gradients(double& loss, std::int64_t& tokens) {
    std::vector<BatchTensors> batches;
    for (; std::ssize(batches) < options_.accumulate && place_ < order_.size(); ++place_) {
        batches.push_back(to_tensors(batches_.assemble(order_[place_])));
        tokens += batches.back().labels;
    }
    std::vector<Tensor> total;
    for (const BatchTensors& batch : batches) {
        const double share = static_cast<double>(batch.labels) / static_cast<double>(tokens);
        double number = 0;
        std::vector<Tensor> part = gradients_of(batch, number);
        loss += share * number;
        if (batches.size() == 1) return part;
        for (std::size_t i = 0; i < part.size(); ++i)
            if (total.size() <= i)
                total.push_back(part[i] * share);
            else
                total[i] = total[i] + part[i] * share;
    }
    return total;
}

/// Of one batch, and its loss.
std::vector<Tensor> Trainer::gradients_of(const BatchTensors& batch, double& loss) {
    Tape tape;
    try {
        const NodeId first = tape.size();
        const Tensor value = translator_.system->loss(
            batch.source, batch.lengths, batch.target, &noise_,
            {.label_smoothing = options_.label_smoothing, .sampling = options_.scheduled_sampling});
        loss = value.item();
        if (!std::isfinite(loss))
            throw NonFiniteError(
                fmt::format("training: the loss is {} at epoch {}, step {}; a smaller learning rate or "
                            "a tighter limit of the gradients' norm may help",
                            std::isnan(loss) ? std::abs(loss) : loss, epoch_, step_ + 1));
        if (std::exchange(is_first_, false)) require_visited(tape, parameters_, first, std::source_location::current());
        return tape.gradient(value, parameters_);
    } catch (const OutOfMemoryError& error) {
        throw OutOfMemoryError(fmt::format("{}\nfor backward, a batch of {} keeps: {}", error.what(),
                                           to_string(batch.target.shape()), largest_scopes(tape)));
    }
}

void Trainer::validated(double value) {
    if (options_.schedule == Schedule::plateau) plateau_.update(value);
}

std::unique_ptr<EmaScope> Trainer::averaged() const {
    if (!ema_ || step_ == 0) return nullptr;
    return std::make_unique<EmaScope>(*ema_, parameters_);
}

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
    number("data.seed", options_.seed);
    number("noise.position", static_cast<std::int64_t>(noise_.position()));
    number("epoch.number", epoch_);
    number("epoch.place", static_cast<std::int64_t>(place_));
    number("epoch.tokens", tokens_);
    state.emplace_back("epoch.loss_sum", scalar(loss_sum_, Dtype::float64));
    return state;
}

void Trainer::load_state(const NamedTensors& state) {
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
    noise_.seek(static_cast<std::uint64_t>(number("noise.position")));
    epoch_ = number("epoch.number");
    place_ = static_cast<std::size_t>(number("epoch.place"));
    tokens_ = number("epoch.tokens");
    loss_sum_ = here.back().second.item();
    order_ = epoch_ > 0 ? batches_.epoch(static_cast<std::uint64_t>(epoch_)) : decltype(order_)();
    if (place_ > order_.size())
        throw ValueError(
            fmt::format("training: the state stands at batch {} of an epoch of {}", place_, order_.size()));
}

void train(Translator& translator, const Corpus& corpus, const TrainingOptions& options,
           const std::function<void(const TrainingStep&)>& on_step) {
    Trainer trainer(translator, corpus, options);
    while (!trainer.is_done()) {
        const TrainingStep step = trainer.step();
        if (on_step) on_step(step);
    }
}

}  // namespace wengert
