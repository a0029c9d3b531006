#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <wengert/autograd/check/internal/diagnosis.hpp>

namespace wengert {
namespace {

constexpr std::size_t sweep_steps = 8;

/// What the values around a point say at one length of the step.
struct Slopes {
    double step;
    double left, right;                // of one side each
    double beyond_left, beyond_right;  // of one side each, between one step and two, so that the point has no part
    double central;                    // of five points

    double gap() const { return std::abs(right - left); }
    double jump() const { return std::max(std::abs(left), std::abs(right)) * step; }
};
using SlopeSweep = std::array<Slopes, sweep_steps>;

Slopes slopes_at(const std::function<double(double)>& along, double start, double step) {
    const double left = along(-step), right = along(step), far_left = along(-2 * step), far_right = along(2 * step);
    return {step,
            (start - left) / step,
            (right - start) / step,
            (left - far_left) / step,
            (far_right - right) / step,
            (8 * (right - left) - (far_right - far_left)) / (12 * step)};
}

const Slopes* find_kink(const SlopeSweep& sweep, double rounding) {
    std::array<Gap, sweep_steps> gaps;
    for (std::size_t k = 0; k < sweep.size(); ++k) gaps[k] = {sweep[k].step, sweep[k].gap()};
    const std::optional<std::size_t> at = find_lasting(gaps, rounding);
    return at ? &sweep[*at] : nullptr;
}

/// Whether the values beside the point are as far from that at it, whatever the step.
bool is_jump(const SlopeSweep& sweep, double rounding) {
    const double jump = sweep.back().jump();
    return jump > 64 * rounding && std::all_of(sweep.end() - 4, sweep.end(), [&](const Slopes& s) {
               return std::abs(s.jump() - jump) <= 0.01 * jump;
           });
}

/// The slope of one side at the step whose longer neighbour comes closest to it.
double settled(const SlopeSweep& sweep, double Slopes::*side) {
    const auto change = [&](std::size_t k) { return std::abs(sweep[k].*side - sweep[k - 1].*side); };
    std::size_t best = 1;
    for (std::size_t k = 2; k < sweep.size(); ++k)
        if (change(k) < change(best)) best = k;
    return sweep[best].*side;
}

Diagnosis explain_jump(const SlopeSweep& sweep, double analytic) {
    const double left = settled(sweep, &Slopes::beyond_left), right = settled(sweep, &Slopes::beyond_right);
    const double jump = sweep.back().jump();
    const double margin = 1e-3 * std::max(std::abs(left), std::abs(right)) + 1e-6 * jump;
    const std::string what = fmt::format(
        "the value jumps here, by {:.6g} at every step down to {:.2g}, and has the slope {:.6g} on the left and {:.6g} "
        "on the right",
        jump, sweep.back().step, left, right);
    if (analytic >= std::min(left, right) - margin && analytic <= std::max(left, right) + margin)
        return {GradcheckVerdict::kink, what + "; the analytic one is between them: move the point", true};
    return {GradcheckVerdict::wrong_rule, what + ", but the analytic one is not between", true};
}

Diagnosis explain_kink(const Slopes& kink, double analytic) {
    const auto [low, high] = std::minmax(kink.left, kink.right);
    const double margin = 1e-3 * kink.gap();
    if (analytic > low - margin && analytic < high + margin)
        return {GradcheckVerdict::kink,
                fmt::format("from the left the slope is {:.6g}, from the right {:.6g}, at every step down to {:.2g}; "
                            "the analytic one is between them: move the point",
                            kink.left, kink.right, kink.step)};
    return {GradcheckVerdict::wrong_rule,
            fmt::format("there is a kink here, of the slopes {:.6g} and {:.6g}, but the analytic one is not between",
                        kink.left, kink.right)};
}

/// What the sweep says of a function that has a jump or a kink at the point.
std::optional<Diagnosis> explain_sides(const SlopeSweep& sweep, double analytic, double rounding) {
    if (is_jump(sweep, rounding)) return explain_jump(sweep, analytic);
    if (const Slopes* const kink = find_kink(sweep, rounding)) return explain_kink(*kink, analytic);
    return std::nullopt;
}

SlopeSweep swept(const std::function<double(double)>& along, double step) {
    SlopeSweep sweep;
    const double start = along(0);
    for (std::size_t k = 0; k < sweep_steps; ++k)
        sweep[k] = slopes_at(along, start, step * std::ldexp(8.0, -3 * static_cast<int>(k)));
    return sweep;
}

/// How far the values are from smooth: noise changes a slope by itself over the step, so that it shows where the slope
/// changes most, in proportion to one over the step. A long step's truncation is no noise.
double noise_of(const SlopeSweep& sweep) {
    double noise = 0;
    for (std::size_t k = 2; k < sweep.size(); ++k)
        noise = std::max(noise, std::abs(sweep[k].central - sweep[k - 1].central) * sweep[k].step);
    return noise;
}

}  // namespace

std::optional<std::size_t> find_lasting(std::span<const Gap> gaps, double rounding) {
    const auto lasts = [&](const Gap& longer, const Gap& shorter) {
        return shorter.size > 0.5 * longer.size && shorter.size < 2 * longer.size &&
               shorter.size > 64 * rounding / shorter.step;
    };
    for (std::size_t k = 2; k < gaps.size(); ++k)
        if (lasts(gaps[k - 2], gaps[k - 1]) && lasts(gaps[k - 1], gaps[k]) && gaps.back().size > 0.5 * gaps[k].size)
            return k;
    return std::nullopt;
}

Diagnosis diagnose_agreement(const std::function<double(double)>& along, double analytic, double step,
                             double rounding) {
    return explain_sides(swept(along, step), analytic, rounding).value_or(Diagnosis{GradcheckVerdict::passed, {}});
}

Diagnosis diagnose(const std::function<double(double)>& along, double analytic, double step, double rounding) {
    for (const double distance : {0.0, step, -step})
        if (const double a = along(distance), b = along(distance); a != b && !(std::isnan(a) && std::isnan(b)))
            return {GradcheckVerdict::nondeterministic,
                    fmt::format("two evaluations at one point differ: {:.17g} and {:.17g}", a, b)};

    const SlopeSweep sweep = swept(along, step);
    const Slopes& shortest = sweep.back();
    if (!std::isfinite(shortest.left) || !std::isfinite(shortest.right))
        return {GradcheckVerdict::not_finite,
                fmt::format("the function is {} at a distance of {:.2g} on the {}",
                            along(std::isfinite(shortest.left) ? shortest.step : -shortest.step), shortest.step,
                            std::isfinite(shortest.left) ? "right" : "left")};

    if (const std::optional<Diagnosis> sides = explain_sides(sweep, analytic, rounding)) return *sides;

    const auto error = [&](const Slopes& s) { return std::abs(s.central - analytic); };
    // Each step is an eighth of the one before. A kink's error falls with the step, by 512 over three of them but for
    // curvature and rounding; that of a wrong rule stays. A fall by 8 tells them apart.
    if (8 * error(shortest) < error(sweep[sweep_steps - 4]))
        return {GradcheckVerdict::kink,
                fmt::format("the error falls with the step, to {:.2g} with one of {:.2g}, as it does "
                            "where the derivative has a kink",
                            error(shortest), shortest.step)};
    const double noise = noise_of(sweep);
    const Slopes* best = &sweep[0];
    for (const Slopes& s : sweep)
        if (error(s) < error(*best)) best = &s;
    constexpr double doubt = 8;
    const bool is_lost = std::ranges::any_of(sweep.begin(), sweep.begin() + 3,
                                             [&](const Slopes& s) { return error(s) <= doubt * noise / s.step; });
    double worst = 0;
    for (const Slopes* s = best; s != sweep.end(); ++s) worst = std::max(worst, error(*s));
    if (is_lost && worst > 2 * error(*best) && noise > 64 * rounding)
        return {GradcheckVerdict::too_noisy,
                fmt::format("the values are noisy by about {:.2g}, so that the error is {:.2g} at best, with a step of "
                            "{:.2g}, and rises to {:.2g} with shorter ones",
                            noise, error(*best), best->step, worst)};
    return {GradcheckVerdict::wrong_rule,
            fmt::format("the error is {:.2g} at best, with a step of {:.2g}, where the values are noisy by {:.2g} only",
                        error(*best), best->step, noise)};
}

}  // namespace wengert
