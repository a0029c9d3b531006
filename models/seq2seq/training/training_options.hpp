#pragma once

#include <limits>
#include <wengert/models/seq2seq/option.hpp>
#include <wengert/nn/communicator.hpp>

namespace WENGERT_EXPORT wengert {

/// Which optimizer trains.
enum class OptimizerKind { adam, adamw, sgd, adadelta };
/// The optimizers as options name them.
inline constexpr std::array optimizer_names{
    Choice<OptimizerKind>{"adam", OptimizerKind::adam}, Choice<OptimizerKind>{"adamw", OptimizerKind::adamw},
    Choice<OptimizerKind>{"sgd", OptimizerKind::sgd}, Choice<OptimizerKind>{"adadelta", OptimizerKind::adadelta}};

/// How the learning rate changes over the training; LearningRateSchedule and Plateau have the formulas.
enum class Schedule { linear, constant, cosine, inverse_square_root, step, plateau };
/// The schedules as options name them.
inline constexpr std::array schedule_names{Choice<Schedule>{"linear", Schedule::linear},
                                           Choice<Schedule>{"constant", Schedule::constant},
                                           Choice<Schedule>{"cosine", Schedule::cosine},
                                           Choice<Schedule>{"inverse-square-root", Schedule::inverse_square_root},
                                           Choice<Schedule>{"step", Schedule::step},
                                           Choice<Schedule>{"plateau", Schedule::plateau}};

/// As options name what travels between ranks.
inline constexpr std::array wire_names{Choice<Wire>{"exact", Wire::exact}, Choice<Wire>{"bfloat16", Wire::bfloat16}};

/// How a Trainer goes about it.
struct TrainingOptions {
    std::int64_t batch = 64;
    std::int64_t batch_tokens = 0;
    std::int64_t epochs = 10;
    std::int64_t max_steps = 0;
    OptimizerKind optimizer = OptimizerKind::adam;
    double learning_rate = 5e-4;
    Schedule schedule = Schedule::linear;
    std::int64_t warmup = 0;
    std::int64_t schedule_steps = 0;
    double schedule_factor = 0.5;
    std::int64_t schedule_patience = 1;
    double weight_decay = 0;
    double clip = 1;
    double label_smoothing = 0;
    double scheduled_sampling = 0;
    std::int64_t accumulate = 1;
    double ema = 0;
    Wire wire = Wire::exact;
    std::int64_t seed = 1;

    void describe(auto&& f) {
        constexpr Bounds<std::int64_t> count{1, 1'000'000}, count_or_none{0, 1'000'000'000};
        constexpr Bounds<double> probability{0, 0.999}, positive{0, 1e12};
        f(OptionText{"batch", "Sentences of a step"}, batch, count);
        f(OptionText{"batch_tokens", "Tokens of a step's longer side, padding included, in place of batch; 0: none"},
          batch_tokens, count_or_none);
        f(OptionText{"epochs", "Passes over the corpus; 0: as many as max_steps takes"}, epochs, count_or_none);
        f(OptionText{"max_steps", "Ends training earlier; 0: it does not"}, max_steps, count_or_none);
        f(OptionText{"optimizer", "The rule that changes parameters"}, optimizer, optimizer_names);
        f(OptionText{"learning_rate", "The optimizer's, at its greatest"}, learning_rate, Bounds<double>{1e-12, 1e12});
        f(OptionText{"schedule",
                     "How the learning rate goes on: to 0 on a line or a cosine, as 1 / sqrt(step), in steps, or "
                     "down when validation is no better"},
          schedule, schedule_names);
        f(OptionText{"warmup", "Steps in which the learning rate rises from 0"}, warmup, count_or_none);
        f(OptionText{"schedule_steps",
                     "Of step: steps between two falls; of inverse-square-root: steps before it; 0: "
                     "an epoch's, or those of warmup"},
          schedule_steps, count_or_none);
        f(OptionText{"schedule_factor", "Of step and plateau: what a fall multiplies by"}, schedule_factor,
          probability);
        f(OptionText{"schedule_patience", "Of plateau: validations without a better one that are borne"},
          schedule_patience, count_or_none);
        f(OptionText{"weight_decay", "L2 penalty, decoupled for adamw"}, weight_decay, positive);
        f(OptionText{"clip", "The most that the gradients' norm may be; 0: no limit"}, clip, positive);
        f(OptionText{"label_smoothing", "Probability that the loss spreads over all tokens"}, label_smoothing,
          probability);
        f(OptionText{"scheduled_sampling", "Probability that a step reads the model's own token"}, scheduled_sampling,
          probability);
        f(OptionText{"accumulate", "Batches whose gradients make one step"}, accumulate, count);
        f(OptionText{"ema", "Decay of the weights' moving average, which is what is validated and saved; 0: none"}, ema,
          Bounds<double>{0, 0.999999});
        f(OptionText{"wire", "How gradients travel between the ranks of mpirun"}, wire, wire_names);
        f(OptionText{"seed", "Of the parameters, the batches and dropout"}, seed,
          Bounds<std::int64_t>{0, std::numeric_limits<std::int64_t>::max()});
    }
};

}  // namespace wengert
