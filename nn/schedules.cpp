#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/nn/schedules.hpp>

namespace wengert {
namespace {

void require_count(std::string_view what, std::int64_t count, std::int64_t least) {
    if (count < least) throw ValueError(fmt::format("{} is {}, not {} or more", what, count, least));
}

/// NaN is outside of any interval.
void require_share(std::string_view what, double value) {
    if (!(value >= 0 && value <= 1)) throw ValueError(fmt::format("{} is {}, not in [0, 1]", what, value));
}

}  // namespace

LearningRateSchedule LearningRateSchedule::linear(std::int64_t steps, double end) {
    require_count("linear: the number of steps", steps, 1);
    require_share("linear: end", end);
    return {Form::linear, steps, end};
}

LearningRateSchedule LearningRateSchedule::cosine(std::int64_t steps, double end) {
    require_count("cosine: the number of steps", steps, 1);
    require_share("cosine: end", end);
    return {Form::cosine, steps, end};
}

LearningRateSchedule LearningRateSchedule::inverse_square_root(std::int64_t steps) {
    require_count("inverse_square_root: the number of steps", steps, 1);
    return {Form::inverse_square_root, steps, 0};
}

LearningRateSchedule LearningRateSchedule::step_decay(std::int64_t step_size, double gamma) {
    require_count("step_decay: step_size", step_size, 1);
    require_share("step_decay: gamma", gamma);
    return {Form::step_decay, step_size, gamma};
}

LearningRateSchedule LearningRateSchedule::after_warmup(std::int64_t steps) const {
    require_count("after_warmup: the number of steps", steps, 0);
    LearningRateSchedule later = *this;
    later.warmup_ += steps;
    return later;
}

double LearningRateSchedule::factor(std::int64_t step) const {
    require_count("factor: the step", step, 0);
    if (step < warmup_) return static_cast<double>(step + 1) / static_cast<double>(warmup_ + 1);
    const std::int64_t since = step - warmup_;
    const auto steps = static_cast<double>(steps_);
    const double share = static_cast<double>(std::min(since, steps_)) / steps;
    switch (form_) {
        case Form::constant:
            return 1;
        case Form::linear:
            return (1 - share) + end_ * share;
        case Form::cosine: {
            const double rest = (1 + std::cos(std::numbers::pi * share)) / 2;
            return rest + end_ * (1 - rest);
        }
        case Form::inverse_square_root:
            return std::sqrt(steps / (steps + static_cast<double>(since)));
        case Form::step_decay:
            return std::pow(end_, static_cast<double>(since / steps_));
    }
    return 1;
}

Plateau::Plateau(const PlateauOptions& options)
    : options_(options),
      best_(options.mode == PlateauMode::min ? std::numeric_limits<double>::infinity()
                                             : -std::numeric_limits<double>::infinity()) {
    if (!(options.factor >= 0 && options.factor < 1))
        throw ValueError(fmt::format("Plateau: factor is {}, not in [0, 1)", options.factor));
    const double limit = options.threshold_mode == PlateauThreshold::rel ? 1 : std::numeric_limits<double>::infinity();
    if (!(options.threshold >= 0 && options.threshold < limit))
        throw ValueError(fmt::format("Plateau: threshold is {}, not in [0, {})", options.threshold, limit));
    require_count("Plateau: patience", options.patience, 0);
    require_count("Plateau: cooldown", options.cooldown, 0);
    require_share("Plateau: min_factor", options.min_factor);
}

bool Plateau::is_better(double value) const {
    const bool least = options_.mode == PlateauMode::min;
    const double step = least ? -options_.threshold : options_.threshold;
    const double bound = options_.threshold_mode == PlateauThreshold::rel ? best_ * (1 + step) : best_ + step;
    return least ? value < bound : value > bound;
}

double Plateau::update(double value) {
    if (is_better(value)) {
        best_ = value;
        bad_count_ = 0;
    } else {
        ++bad_count_;
    }
    if (cooldown_counter_ > 0) {
        --cooldown_counter_;
        bad_count_ = 0;
    }
    if (bad_count_ > options_.patience) {
        factor_ = std::min(factor_, std::max(factor_ * options_.factor, options_.min_factor));
        cooldown_counter_ = options_.cooldown;
        bad_count_ = 0;
    }
    return factor_;
}

NamedTensors Plateau::state() const {
    const auto count = [](std::int64_t n) { return tensor(std::vector<std::int64_t>{n}, {}); };
    return {{"factor", scalar(factor_, Dtype::float64)},
            {"best", scalar(best_, Dtype::float64)},
            {"bad_count", count(bad_count_)},
            {"cooldown_counter", count(cooldown_counter_)}};
}

void Plateau::load_state(const NamedTensors& from, const SourceLine& where) try {
    const NamedTensors loaded = state();
    assign(loaded, from);
    const double factor = loaded[0].second.item();
    require_share("the factor", factor);
    const std::int64_t bad_count = loaded[2].second.item<std::int64_t>();
    const std::int64_t cooldown_counter = loaded[3].second.item<std::int64_t>();
    require_count("bad_count", bad_count, 0);
    require_count("cooldown_counter", cooldown_counter, 0);
    factor_ = factor;
    best_ = loaded[1].second.item();
    bad_count_ = bad_count;
    cooldown_counter_ = cooldown_counter;
} catch (Error& error) {
    error.locate("load_state", to_string(current_place()), where);
    throw;
}

}  // namespace wengert
