#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>
#include <wengert/models/text/fingerprint.hpp>
#include <wengert/nn/clipping.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/streams.hpp>

namespace wengert {
namespace {

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

/// Adds tensors one by one; nothing is none yet.
void add(std::vector<Tensor>& to, std::vector<Tensor> more) {
    if (to.empty()) {
        to = std::move(more);
        return;
    }
    for (std::size_t i = 0; i < more.size(); ++i) to[i] = to[i] + more[i];
}

/// A guess at random among a million tokens has 14 nats.
void require_hope(double loss, std::int64_t epoch, std::int64_t step) {
    constexpr double hopeless = 100;
    if (!(loss <= hopeless))
        throw DivergenceError(fmt::format(
            "training: it diverges: the loss is {:.4g} nats a token at epoch {}, step {}; a smaller learning "
            "rate or a tighter limit of the gradients' norm may help",
            loss, epoch, step));
}

}  // namespace

Trainer::Trainer(Translator& translator, const Corpus& corpus, const TrainingOptions& options, Communicator& ranks)
    : translator_(translator),
      ranks_(ranks),
      options_(checked(options)),
      batches_(corpus, translator.source.vocabulary, translator.target.vocabulary),
      fingerprint_(batches_.fingerprint()),
      parameters_(translator.system->parameters()),
      optimizer_(make_optimizer(parameters_, options)),
      plateau_({.mode = PlateauMode::max,
                .factor = options.schedule_factor,
                .patience = options.schedule_patience,
                .threshold = 0,
                .threshold_mode = PlateauThreshold::abs}) {
    require_same_training();
    begin_with(ranks_.size());
    if (options.ema > 0) ema_.emplace(parameters_, EmaOptions{.decay = options.ema});
}

/// What follows from how many ranks a training began with.
void Trainer::begin_with(std::int64_t ranks) {
    ranks_at_begin_ = ranks;
    shards_ = divided_up(ranks, ranks_.size()) * ranks_.size();
    batches_ = batches_.regrouped({.batch_size = options_.batch * ranks,
                                   .seed = static_cast<std::uint64_t>(options_.seed),
                                   .batch_tokens = options_.batch_tokens * ranks});
    steps_per_epoch_ = divided_up(static_cast<std::int64_t>(batches_.size()), options_.accumulate);
    const std::int64_t epochs = options_.epochs * steps_per_epoch_;
    steps_ = options_.epochs == 0      ? options_.max_steps
             : options_.max_steps == 0 ? epochs
                                       : std::min(epochs, options_.max_steps);
    schedule_ = make_schedule(options_, steps_, steps_per_epoch_);
}

void Trainer::require_same_training() const {
    Fingerprint mine;
    mine.add(fingerprint_);
    for (const auto& [name, value] : option_texts(options_)) mine.add(name).add(value);
    const std::vector<std::int64_t> all = ranks_.all_gather(mine.value());
    for (std::size_t rank = 1; rank < all.size(); ++rank)
        if (all[rank] != all[0])
            throw RankError(
                fmt::format("training: rank {} has other options, sentences or vocabularies than rank 0", rank));
}

void Trainer::require_same_place() const {
    if (ranks_.size() == 1) return;
    NamedTensors place = state();
    for (const Tensor& p : parameters_) place.emplace_back(p.name(), p);
    Fingerprint all;
    std::vector<std::int64_t> prints;
    for (const auto& [name, value] : place) {
        const Tensor elements = packed(value);
        prints.push_back(Fingerprint()
                             .add(name)
                             .add({static_cast<const char*>(elements.raw()),
                                   static_cast<std::size_t>(elements.numel()) * size_of(elements.dtype())})
                             .value());
        all.add(prints.back());
    }
    const std::vector<std::int64_t> theirs = ranks_.all_gather(all.value());
    for (std::size_t rank = 1; rank < theirs.size(); ++rank) {
        if (theirs[rank] == theirs[0]) continue;
        for (std::size_t i = 0; i < prints.size(); ++i)
            if (const std::vector<std::int64_t> print = ranks_.all_gather(prints[i]); print[rank] != print[0])
                throw RankError(fmt::format("training: after step {}, \"{}\" of rank {} is not that of rank 0", step_,
                                            place[i].first, rank));
    }
}

TrainingStep Trainer::step() {
    if (!is_compared_ || step_ % comparison_interval == 0) require_same_place();
    is_compared_ = true;
    if (place_ == order_.size()) {
        order_ = batches_.epoch(static_cast<std::uint64_t>(epoch_ + 1));
        ++epoch_;
        place_ = 0;
        loss_sum_ = 0;
        tokens_ = 0;
    }
    const std::span<const std::vector<std::size_t>> batches = std::span(order_).subspan(
        place_, std::min(static_cast<std::size_t>(options_.accumulate), order_.size() - place_));
    std::int64_t tokens = 0;
    for (const std::vector<std::size_t>& pairs : batches) tokens += batches_.labels(pairs);
    const double rate = options_.learning_rate * schedule_.factor(step_) * plateau_.factor();
    StepSum sum;
    ranks_.all_or_none([&] {
        OverlappedReduction reduction(ranks_, parameters_, ReduceOp::sum, options_.wire);
        sum = own_sum(batches, tokens, reduction);
        sum.gradients = reduction.finish();
    });
    add_ranks(sum);
    require_hope(sum.loss, epoch_, step_ + 1);
    const double norm =
        clip_gradient_norm(sum.gradients, options_.clip > 0 ? options_.clip : std::numeric_limits<double>::infinity());
    optimizer_->set_learning_rate(rate);
    optimizer_->step(sum.gradients);
    if (ema_) ema_->update(parameters_);
    place_ += batches.size();
    noise_ = sum.noise;
    ++step_;
    ++translator_.steps;
    loss_sum_ += sum.loss * static_cast<double>(tokens);
    tokens_ += tokens;
    return {.epoch = epoch_,
            .epochs = divided_up(steps_, steps_per_epoch_),
            .step = step_,
            .steps = steps_,
            .loss = sum.loss,
            .tokens = tokens,
            .gradient_norm = norm,
            .learning_rate = rate,
            .ends_epoch = place_ == order_.size() || is_done(),
            .epoch_loss = loss_sum_ / static_cast<double>(tokens_),
            .epoch_tokens = tokens_};
}

/// What this rank's shards of the batches add to the mean over the tokens of all: the gradient of each shard, and then
/// their sum, so that ranks of one shard each come to the same bits as one rank of as many. While the last gradient is
/// computed, what is complete goes to the other ranks.
Trainer::StepSum Trainer::own_sum(std::span<const std::vector<std::size_t>> batches, std::int64_t tokens,
                                  OverlappedReduction& reduction) {
    StepSum sum{.loss = 0, .noise = noise_, .gradients = {}};  // the gradients are given to the reduction
    struct Part {
        std::int64_t shard;
        std::vector<std::size_t> pairs;
    };
    std::vector<Part> parts;
    const std::int64_t own = shards_ / ranks_.size(), first = ranks_.rank() * own;
    for (std::int64_t shard = first; shard < first + own; ++shard)
        for (const std::vector<std::size_t>& pairs : batches) {
            std::vector<std::size_t> mine;
            for (auto i = static_cast<std::size_t>(shard); i < pairs.size(); i += static_cast<std::size_t>(shards_))
                mine.push_back(pairs[i]);
            if (!mine.empty()) parts.push_back({shard, std::move(mine)});
        }
    std::vector<Tensor> gradients, earlier;  // of the shard, and of those before it
    Generator noise;
    double loss = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool begins = i == 0 || parts[i - 1].shard != parts[i].shard, is_last = i + 1 == parts.size();
        if (begins) {
            noise = Generator(static_cast<std::uint64_t>(options_.seed),
                              streams::part(streams::noise, static_cast<std::uint64_t>(parts[i].shard)));
            noise.seek(noise_);
        }
        const BatchTensors batch = to_tensors(batches_.assemble(parts[i].pairs));
        const double share = static_cast<double>(batch.labels) / static_cast<double>(tokens);
        std::vector<Tensor> part(parameters_.size());
        const auto take = [&](std::size_t k, Tensor gradient) {
            if (share != 1) gradient = gradient * share;
            if (!is_last) {
                part[k] = std::move(gradient);
                return;
            }
            if (!gradients.empty()) gradient = gradients[k] + gradient;
            if (!earlier.empty()) gradient = earlier[k] + gradient;
            reduction.give(k, std::move(gradient));
        };
        loss += share * gradients_of(batch, noise, take);
        if (!is_last) add(gradients, std::move(part));
        if (is_last || parts[i + 1].shard != parts[i].shard) {
            sum.loss += std::exchange(loss, 0);
            sum.noise = std::max(sum.noise, noise.position());
            if (!is_last) add(earlier, std::exchange(gradients, {}));
        }
    }
    if (parts.empty())  // fewer sentences than ranks
        for (std::size_t k = 0; k < parameters_.size(); ++k)
            reduction.give(k, zeros(parameters_[k].shape(), parameters_[k].dtype()));
    return sum;
}

void Trainer::add_ranks(StepSum& sum) const {
    struct Part {
        double loss;
        std::uint64_t noise;
    };
    double loss = 0;
    for (const Part& part : ranks_.all_gather(Part{sum.loss, sum.noise})) {
        loss += part.loss;
        sum.noise = std::max(sum.noise, part.noise);
    }
    sum.loss = loss;
}

/// The loss of one batch, whose gradients are taken.
double Trainer::gradients_of(const BatchTensors& batch, Generator& noise,
                             const std::function<void(std::size_t, Tensor)>& take) {
    Tape tape;
    try {
        const NodeId first = tape.size();
        const Tensor value = translator_.system->loss(
            batch.source, batch.lengths, batch.target, &noise,
            {.label_smoothing = options_.label_smoothing, .sampling = options_.scheduled_sampling});
        const double loss = value.item();
        if (!std::isfinite(loss))
            throw NonFiniteError(
                fmt::format("training: the loss is {} at epoch {}, step {}; a smaller learning rate or "
                            "a tighter limit of the gradients' norm may help",
                            std::isnan(loss) ? std::abs(loss) : loss, epoch_, step_ + 1));
        if (std::exchange(is_first_, false)) require_visited(tape, parameters_, first, std::source_location::current());
        tape.gradient(value, parameters_, {.take = take});
        return loss;
    } catch (const OutOfMemoryError& error) {
        throw OutOfMemoryError(fmt::format("{}\nfor backward, a batch of {} keeps: {}", error.what(),
                                           to_string(batch.target.shape()), largest_scopes(tape)));
    }
}

void Trainer::require_sound() const {
    if (place_ == 0) return;  // no step yet
    const Pause pause;
    const BatchTensors batch = to_tensors(batches_.assemble(order_[place_ - 1]));
    require_hope(translator_.system->loss(batch.source, batch.lengths, batch.target).item(), epoch_, step_);
}

void Trainer::validated(double value) {
    if (options_.schedule == Schedule::plateau) plateau_.update(value);
}

std::unique_ptr<EmaScope> Trainer::averaged() const {
    if (!ema_ || step_ == 0) return nullptr;
    return std::make_unique<EmaScope>(*ema_, parameters_);
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
