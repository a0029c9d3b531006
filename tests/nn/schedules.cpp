#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/schedules.hpp>

#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;
using Schedule = LearningRateSchedule;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// factor(0), factor(1), ..
Tensor factors(const Schedule& schedule, std::int64_t steps) {
    std::vector<double> result;
    for (std::int64_t step = 0; step < steps; ++step) result.push_back(schedule.factor(step));
    return tensor(result, {steps});
}

}  // namespace

TEST_CASE("schedules: closed forms, and what follows the last step") {
    for (const std::int64_t step : {0, 1, 7, 10, 11, 1000}) {
        CAPTURE(step);
        const double share = std::min(static_cast<double>(step) / 10, 1.0);
        const auto is = [](double factor) { return doctest::Approx(factor).epsilon(1e-14); };
        CHECK(Schedule().factor(step) == 1);
        CHECK(Schedule::constant().factor(step) == 1);
        CHECK(Schedule::linear(10).factor(step) == is(1 - share));
        CHECK(Schedule::linear(10, 0.25).factor(step) == is(1 - 0.75 * share));
        CHECK(Schedule::cosine(10).factor(step) == is((1 + std::cos(std::numbers::pi * share)) / 2));
        CHECK(Schedule::cosine(10, 0.25).factor(step) ==
              is(0.25 + 0.75 * (1 + std::cos(std::numbers::pi * share)) / 2));
        CHECK(Schedule::inverse_square_root(10).factor(step) == is(std::sqrt(10 / (10 + static_cast<double>(step)))));
        CHECK(Schedule::step_decay(4, 0.5).factor(step) == is(std::pow(0.5, static_cast<double>(step / 4))));
    }
    CHECK(Schedule::linear(10).factor(10) == 0);
    CHECK(Schedule::cosine(10).factor(1000) == 0);
    CHECK(Schedule::cosine(10, 0.25).factor(10) == 0.25);
    CHECK(Schedule::step_decay(3).factor(7) == doctest::Approx(0.01).epsilon(1e-14));
}

TEST_CASE("schedules: every one begins with 1, behind a warm-up too, and falls") {
    const std::vector<Schedule> all{Schedule::constant(), Schedule::linear(20), Schedule::cosine(20, 0.1),
                                    Schedule::inverse_square_root(20), Schedule::step_decay(6, 0.5)};
    for (const Schedule& schedule : all)
        for (const std::int64_t warmup : {0, 1, 4}) {
            const Schedule late = schedule.after_warmup(warmup);
            for (std::int64_t step = 0; step < warmup; ++step)
                CHECK(late.factor(step) == static_cast<double>(step + 1) / static_cast<double>(warmup + 1));
            CHECK(late.factor(warmup) == 1);
            for (std::int64_t step = 0; step < 40; ++step) {
                CHECK(late.factor(warmup + step) == schedule.factor(step));
                CHECK(schedule.factor(step + 1) <= schedule.factor(step));
            }
        }
    CHECK(Schedule::linear(7).after_warmup(1).after_warmup(2).factor(5) == Schedule::linear(7).factor(2));
}

TEST_CASE("schedules: the inverse square root behind a warm-up is that of Vaswani et al.") {
    const Schedule schedule = Schedule::inverse_square_root(8).after_warmup(7);
    for (std::int64_t step = 0; step < 50; ++step) {
        const auto n = static_cast<double>(step + 1);
        CHECK(schedule.factor(step) == doctest::Approx(std::min(n / 8, std::sqrt(8 / n))).epsilon(1e-14));
    }
}

TEST_CASE("schedules: factors are those of PyTorch's schedulers") {
    const parity::Fixture fixture("schedules", parity::precisions[0]);
    fixture.check("linear", factors(Schedule::linear(8, 0.2), 12));
    fixture.check("cosine", factors(Schedule::cosine(8, 0.2), 9));
    fixture.check("step", factors(Schedule::step_decay(3, 0.5), 12));
}

TEST_CASE("schedules: an optimizer takes them by its number of steps") {
    const Tensor p = Tensor(zeros({1}, Dtype::float64)).set_parameter();
    Sgd optimizer({p}, {.learning_rate = 2});
    const auto schedule = Schedule::linear(4).after_warmup(1);
    double sum = 0;
    for (const double factor : {0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0}) {
        optimizer.set_learning_rate(2 * schedule.factor(optimizer.step_count()));
        optimizer.step({ones({1}, Dtype::float64)});
        sum += 2 * factor;
        CHECK(p.item() == doctest::Approx(-sum).epsilon(1e-14));
    }
}

TEST_CASE("schedules: what is outside of its domain is an error") {
    CHECK_THROWS_WITH_AS(Schedule::linear(0), "linear: the number of steps is 0, not 1 or more", ValueError);
    CHECK_THROWS_WITH_AS(Schedule::linear(1, 2), "linear: end is 2, not in [0, 1]", ValueError);
    CHECK_THROWS_WITH_AS(Schedule::cosine(-1), "cosine: the number of steps is -1, not 1 or more", ValueError);
    CHECK_THROWS_WITH_AS(Schedule::cosine(1, -1), "cosine: end is -1, not in [0, 1]", ValueError);
    CHECK_THROWS_WITH_AS(Schedule::inverse_square_root(0),
                         "inverse_square_root: the number of steps is 0, not 1 or more", ValueError);
    CHECK_THROWS_WITH_AS(Schedule::step_decay(0), "step_decay: step_size is 0, not 1 or more", ValueError);
    CHECK_THROWS_WITH_AS(Schedule::step_decay(1, NAN), "step_decay: gamma is nan, not in [0, 1]", ValueError);
    CHECK_THROWS_WITH_AS(Schedule().after_warmup(-1), "after_warmup: the number of steps is -1, not 0 or more",
                         ValueError);
    CHECK_THROWS_WITH_AS(Schedule().factor(-1), "factor: the step is -1, not 0 or more", ValueError);
}

TEST_CASE("plateau: factors are those of PyTorch's ReduceLROnPlateau") {
    const parity::Fixture fixture("schedules", parity::precisions[0]);
    const std::vector<double> values = fixture["plateau.values"].to_vector<double>();
    const std::vector<std::pair<std::string, PlateauOptions>> cases{
        {"min_rel", {.factor = 0.5, .patience = 1, .threshold = 0.05}},
        {"min_abs", {.factor = 0.5, .patience = 1, .threshold = 0.05, .threshold_mode = PlateauThreshold::abs}},
        {"max_rel",
         {.mode = PlateauMode::max, .factor = 0.5, .patience = 0, .threshold = 0.05, .cooldown = 2, .min_factor = 0.1}},
        {"max_abs",
         {.mode = PlateauMode::max,
          .factor = 0.5,
          .patience = 2,
          .threshold = 0.05,
          .threshold_mode = PlateauThreshold::abs,
          .cooldown = 1}}};
    for (const auto& [name, options] : cases) {
        Plateau plateau(options);
        std::vector<double> factors;
        for (const double value : values) factors.push_back(plateau.update(value));
        fixture.check("plateau." + name, tensor(factors, {static_cast<std::int64_t>(factors.size())}));
    }
}

TEST_CASE("plateau: patience, by hand") {
    Plateau plateau({.factor = 0.5, .patience = 2, .threshold = 0});
    CHECK(plateau.best() == infinity);
    CHECK(plateau.factor() == 1);
    CHECK(plateau.update(3) == 1);
    CHECK(plateau.best() == 3);
    CHECK(plateau.update(3) == 1);
    CHECK(plateau.update(NAN) == 1);  // no better than any
    CHECK(plateau.bad_count() == 2);
    CHECK(plateau.update(2) == 1);
    CHECK(plateau.bad_count() == 0);
    CHECK(plateau.update(5) == 1);
    CHECK(plateau.update(4) == 1);
    CHECK(plateau.update(3) == 0.5);
    CHECK(plateau.bad_count() == 0);
    CHECK(plateau.best() == 2);
    CHECK(plateau.update(3) == 0.5);
    CHECK(Plateau({.mode = PlateauMode::max}).best() == -infinity);
}

TEST_CASE("plateau: another one goes on from its state") {
    const PlateauOptions options{.factor = 0.5, .patience = 1, .cooldown = 2};
    const std::vector<double> values{3, 2, 2, 2, 1, 1, 1, 1, 1, 0.5, 1, 1, 1};
    for (std::size_t cut = 0; cut < values.size(); ++cut) {
        Plateau whole(options), first(options), second(options);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i == cut) second.load_state(first.state());
            whole.update(values[i]);
            (i < cut ? first : second).update(values[i]);
        }
        CHECK(second.factor() == whole.factor());
        CHECK(second.best() == whole.best());
        CHECK(second.bad_count() == whole.bad_count());
    }
}

TEST_CASE("plateau: what does not fit is an error, and changes nothing") {
    CHECK_THROWS_WITH_AS(Plateau({.factor = 1}), "Plateau: factor is 1, not in [0, 1)", ValueError);
    CHECK_THROWS_WITH_AS(Plateau({.patience = -1}), "Plateau: patience is -1, not 0 or more", ValueError);
    CHECK_THROWS_WITH_AS(Plateau({.threshold = 1}), "Plateau: threshold is 1, not in [0, 1)", ValueError);
    CHECK_THROWS_WITH_AS(Plateau({.threshold = infinity, .threshold_mode = PlateauThreshold::abs}),
                         "Plateau: threshold is inf, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Plateau({.cooldown = -1}), "Plateau: cooldown is -1, not 0 or more", ValueError);
    CHECK_THROWS_WITH_AS(Plateau({.min_factor = 2}), "Plateau: min_factor is 2, not in [0, 1]", ValueError);
    Plateau plateau;
    plateau.update(3);
    const auto with = [&](std::size_t entry, const Tensor& value) {
        NamedTensors state = plateau.state();
        state[entry].second = value;
        return state;
    };
    check_refused<ValueError>("load_state: the factor is 2, not in [0, 1]",
                              [&] { plateau.load_state(with(0, scalar(2, Dtype::float64))); });
    check_refused<ValueError>("load_state: bad_count is -1, not 0 or more",
                              [&] { plateau.load_state(with(2, tensor(std::vector<std::int64_t>{-1}, {}))); });
    check_refused<ValueError>("load_state: cooldown_counter is -1, not 0 or more",
                              [&] { plateau.load_state(with(3, tensor(std::vector<std::int64_t>{-1}, {}))); });
    check_refused<ValueError>(
        "load_state: the tensors are not those that are needed; missing: factor [], best [], bad_count [], "
        "cooldown_counter []",
        [&] { plateau.load_state({}); });
    CHECK(plateau.best() == 3);
    CHECK(plateau.factor() == 1);
}
