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
    double left, right;  // of one side each
    double central;      // of five points

    double gap() const { return std::abs(right - left); }
};

Slopes slopes_at(const std::function<double(double)>& along, double start, double step) {
    const double left = along(-step), right = along(step);
    return {step, (start - left) / step, (right - start) / step,
            (8 * (right - left) - (along(2 * step) - along(-2 * step))) / (12 * step)};
}

/// Whether the slopes of both sides differ by the same at three lengths, however short: those of a smooth function
/// come together as the step does, and rounding drives them apart.
const Slopes* find_kink(const std::array<Slopes, sweep_steps>& sweep, double rounding) {
    const auto stays = [&](const Slopes& longer, const Slopes& shorter) {
        return shorter.gap() > 0.5 * longer.gap() && shorter.gap() < 2 * longer.gap() &&
               shorter.gap() > 64 * rounding / shorter.step;
    };
    for (std::size_t k = 2; k < sweep.size(); ++k)
        if (stays(sweep[k - 2], sweep[k - 1]) && stays(sweep[k - 1], sweep[k])) return &sweep[k];
    return nullptr;
}

/// How far the values are from smooth: noise changes a slope by itself over the step, so that it shows where the slope
/// changes most, in proportion to one over the step. A long step's truncation is no noise.
double noise_of(const std::array<Slopes, sweep_steps>& sweep) {
    double noise = 0;
    for (std::size_t k = 2; k < sweep.size(); ++k)
        noise = std::max(noise, std::abs(sweep[k].central - sweep[k - 1].central) * sweep[k].step);
    return noise;
}

}  // namespace

Diagnosis diagnose(const std::function<double(double)>& along, double analytic, double step, double rounding) {
    const double start = along(0);
    for (const double distance : {0.0, step, -step})
        if (const double a = along(distance), b = along(distance); a != b && !(std::isnan(a) && std::isnan(b)))
            return {GradcheckVerdict::nondeterministic,
                    fmt::format("two evaluations at one point differ: {:.17g} and {:.17g}", a, b)};

    std::array<Slopes, sweep_steps> sweep;
    for (std::size_t k = 0; k < sweep_steps; ++k)
        sweep[k] = slopes_at(along, start, step * std::ldexp(8.0, -3 * static_cast<int>(k)));
    const Slopes& shortest = sweep.back();
    if (!std::isfinite(shortest.left) || !std::isfinite(shortest.right))
        return {GradcheckVerdict::not_finite,
                fmt::format("the function is {} at a distance of {:.2g} on the {}",
                            along(std::isfinite(shortest.left) ? shortest.step : -shortest.step), shortest.step,
                            std::isfinite(shortest.left) ? "right" : "left")};

    if (const Slopes* const kink = find_kink(sweep, rounding)) {
        const auto [low, high] = std::minmax(kink->left, kink->right);
        const double margin = 1e-3 * kink->gap();
        if (analytic > low - margin && analytic < high + margin)
            return {
                GradcheckVerdict::kink,
                fmt::format("from the left the slope is {:.6g}, from the right {:.6g}, at every step down to {:.2g}; "
                            "the analytic one is between them: move the point",
                            kink->left, kink->right, kink->step)};
        return {
            GradcheckVerdict::wrong_rule,
            fmt::format("there is a kink here, of the slopes {:.6g} and {:.6g}, but the analytic one is not between",
                        kink->left, kink->right)};
    }

    const auto error = [&](const Slopes& s) { return std::abs(s.central - analytic); };
    // Each step is half of the one before. Where the function is curved, the error need not fall with each of them, but
    // it falls with three of them together.
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
