#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>
#include <wengert/nn/clipping.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/streams.hpp>

namespace wengert {
namespace {

TrainingOptions checked(TrainingOptions options) {
    options.describe([](const OptionText& text, const auto& value, const auto& range) {
        if constexpr (requires { range.contains(value); })
            if (!range.contains(value)) throw ValueError(fmt::format("training: {} is {}", text.name, value));
    });
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

/// The learning rate of a step that follows so many.
double rate_at(const TrainingOptions& o, std::int64_t step, std::int64_t steps) {
    double factor = 1;
    if (o.schedule == Schedule::linear) factor = static_cast<double>(steps - step) / static_cast<double>(steps);
    if (step < o.warmup) factor = std::min(factor, static_cast<double>(step + 1) / static_cast<double>(o.warmup));
    return o.learning_rate * factor;
}

}  // namespace

Trainer::Trainer(Translator& translator, const Corpus& corpus, const TrainingOptions& options)
    : translator_(translator),
      options_(checked(options)),
      batches_(corpus, translator.source.vocabulary, translator.target.vocabulary,
               {.batch_size = options.batch, .seed = static_cast<std::uint64_t>(options.seed)}),
      steps_per_epoch_(divided_up(static_cast<std::int64_t>(batches_.size()), options.accumulate)),
      steps_(options.epochs * steps_per_epoch_),
      parameters_(translator.system->parameters()),
      optimizer_(make_optimizer(parameters_, options)),
      noise_(static_cast<std::uint64_t>(options.seed), streams::noise) {
    if (options.max_steps > 0) steps_ = std::min(steps_, options.max_steps);
}

TrainingStep Trainer::step() {
    if (place_ == order_.size()) {
        order_ = batches_.epoch(static_cast<std::uint64_t>(++epoch_));
        place_ = 0;
        loss_sum_ = 0;
        tokens_ = 0;
    }
    double loss = 0, norm = 0;
    std::int64_t tokens = 0;
    std::vector<Tensor> gradients = this->gradients(loss, tokens);
    if (reduce) reduce(gradients);
    if (options_.clip > 0) norm = clip_gradient_norm(gradients, options_.clip);
    const double rate = rate_at(options_, step_, steps_);
    optimizer_->set_learning_rate(rate);
    optimizer_->step(gradients);
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
        Tape tape;
        const NodeId first = tape.size();
        const Tensor value = translator_.system->loss(
            batch.source, batch.lengths, batch.target, &noise_,
            {.label_smoothing = options_.label_smoothing, .sampling = options_.scheduled_sampling});
        const double number = value.item();
        if (!std::isfinite(number))
            throw NonFiniteError(
                fmt::format("training: the loss is {} at epoch {}, step {}; a smaller learning rate or "
                            "a tighter limit of the gradients' norm may help",
                            std::isnan(number) ? std::abs(number) : number, epoch_, step_ + 1));
        loss += share * number;
        if (std::exchange(is_first_, false)) require_visited(tape, parameters_, first, std::source_location::current());
        std::vector<Tensor> part = tape.gradient(value, parameters_);
        if (batches.size() == 1) return part;
        for (std::size_t i = 0; i < part.size(); ++i)
            if (total.size() <= i)
                total.push_back(part[i] * share);
            else
                total[i] = total[i] + part[i] * share;
    }
    return total;
}

NamedTensors Trainer::state() const {
    NamedTensors state;
    for (auto& [name, value] : optimizer_->state()) state.emplace_back("optimizer." + name, value);
    const auto number = [&](std::string name, std::int64_t value) {
        state.emplace_back(std::move(name), tensor(std::vector<std::int64_t>{value}, {}));
    };
    number("steps", step_);
    number("noise.position", static_cast<std::int64_t>(noise_.position()));
    number("epoch.number", epoch_);
    number("epoch.place", static_cast<std::int64_t>(place_));
    number("epoch.tokens", tokens_);
    state.emplace_back("epoch.loss_sum", scalar(loss_sum_, Dtype::float64));
    return state;
}

void Trainer::load_state(const NamedTensors& state) {
    NamedTensors optimizer, own;
    constexpr std::string_view prefix = "optimizer.";
    for (const auto& [name, value] : state) {
        if (name.starts_with(prefix))
            optimizer.emplace_back(name.substr(prefix.size()), value);
        else
            own.emplace_back(name, value);
    }
    NamedTensors here = this->state();
    std::erase_if(here, [&](const auto& entry) { return entry.first.starts_with(prefix); });
    for (auto& [name, value] : here) value = value.clone();
    assign(here, own);
    optimizer_->load_state(optimizer);
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
