#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <wengert/autograd/check/internal/kinks.hpp>

namespace wengert {
namespace {

using Tensors = std::vector<Tensor>;

/// Where the rule is looked at again: so far beside the point, relative to each element.
constexpr double nudge = 1e-4;

double slope(const Line& line, const Tensors& gradients) {
    double sum = 0;
    for (std::size_t a = 0; a < gradients.size(); ++a) {
        const std::vector<double> gradient = gradients[a].to_vector<double>();
        for (std::size_t i = 0; i < gradient.size(); ++i)
            if (line.direction[a][i] != 0) sum += line.direction[a][i] * gradient[i];
    }
    return sum;
}

/// What surrounds the point at which a derivative disagrees.
class Surroundings {
  public:
    Surroundings(const Differentiated& map, const Tensors& inputs, const GradcheckOptions& options, const Line& line)
        : map_(map), inputs_(inputs), options_(options), line_(line), random_(options.seed) {}

    struct Beside {
        int held = 0;             // checks that passed
        Finding wrong_rule = {};  // one that found the rule wrong
    };
    /// Checks the rule at points on both sides of whatever goes through this one.
    Beside check() {
        constexpr int pairs = 4;
        Beside result;
        for (int k = 0; k < pairs; ++k) {
            const InputDirection direction = random_.next_direction(inputs_);
            for (const double distance : {nudge, -nudge}) {
                Finding found = check_at(moved(inputs_, direction, distance));
                if (found.diagnosis.verdict == GradcheckVerdict::passed) ++result.held;
                // A value at a jump may belong to neither side, as where rounding decides between ties: no slope beside
                // it need be its own.
                if (found.diagnosis.verdict != GradcheckVerdict::wrong_rule || found.diagnosis.at_jump) continue;
                result.wrong_rule = std::move(found);
                return result;
            }
        }
        return result;
    }

    /// Whether the derivative is off by what it rounds to, as where large terms of it cancel: then a multiple of the
    /// cotangent gives a multiple of it that is off by as much. By 2 nothing rounds; what is off there is no rounding.
    bool is_rounding(double error) {
        constexpr int tries = 8;
        const double here = slope_at(inputs_);
        const auto change_by = [&](double factor) {
            Tensors cotangents = clones(line_.cotangents);
            for (Tensor& ct : cotangents)
                for (double& x : std::span(ct.mutable_data<double>(), static_cast<std::size_t>(ct.numel())))
                    x *= factor;
            return std::abs(slope(line_, map_.vjp(inputs_, cotangents)) / factor - here);
        };
        if (change_by(2) != 0) return false;
        double change = 0;
        for (int k = 0; k < tries; ++k) change = std::max(change, change_by(random_.next()));
        return error <= 8 * change && change <= 1e-5 * std::max(1.0, std::abs(here));
    }

    /// Whether the map has no derivative at the point, though it has one along every line: the slopes of two
    /// directions do not add up to that of their sum, however short the step. The rule has no part in this.
    bool is_kink() {
        constexpr int tries = 8;
        const double rounding = rounding_on(line_, flat(map_.values(inputs_)));
        for (int k = 0; k < tries; ++k)
            if (find_lasting(gaps(random_.next_direction(inputs_), random_.next_direction(inputs_)), rounding))
                return true;
        return false;
    }

    /// Whether the derivative is between those that the rule gives around the point, far and near.
    bool is_between() {
        constexpr int points = 32;
        const double here = slope_at(inputs_);
        for (const double distance : {nudge, 1e-7}) {
            double low = std::numeric_limits<double>::infinity(), high = -low;
            for (int k = 0; k < points; ++k) {
                const double there = slope_at(moved(inputs_, random_.next_direction(inputs_), distance));
                low = std::min(low, there);
                high = std::max(high, there);
            }
            const double margin =
                options_.relative_tolerance * std::max(std::abs(low), std::abs(high)) + options_.absolute_tolerance;
            if (!(here >= low - margin && here <= high + margin)) return false;
        }
        return true;
    }

  private:
    Finding check_at(const Tensors& inputs) const {
        std::vector<GradcheckInput> unused;
        Finding found = compare_with_differences(map_, inputs, options_, unused);
        const GradcheckVerdict verdict = found.diagnosis.verdict;
        if (verdict != GradcheckVerdict::kink && verdict != GradcheckVerdict::too_noisy) return found;
        GradcheckOptions shorter = options_;  // whose longest step does not reach back to the point
        shorter.step = nudge / 256;
        return compare_with_differences(map_, inputs, shorter, unused);
    }

    double slope_at(const Tensors& inputs) const { return slope(line_, map_.vjp(inputs, line_.cotangents)); }

    /// How far the slopes of u and v are from adding up to that of u + v, by step.
    std::array<Gap, 8> gaps(const InputDirection& u, const InputDirection& v) const {
        InputDirection both = u;
        for (std::size_t a = 0; a < both.size(); ++a)
            for (std::size_t i = 0; i < both[a].size(); ++i) both[a][i] += v[a][i];
        std::array<Gap, 8> result;
        const double start = value_on(line_, map_, inputs_, 0);
        double step = 8 * options_.step;
        for (Gap& gap : result) {
            const auto value = [&](const InputDirection& direction) {
                return value_on({line_.cotangents, direction, step}, map_, inputs_, step);
            };
            gap = {step, std::abs(value(u) + value(v) - value(both) - start) / step};
            step /= 8;
        }
        return result;
    }

    const Differentiated& map_;
    const Tensors& inputs_;
    const GradcheckOptions& options_;
    const Line& line_;
    RandomNumbers random_;
};

}  // namespace

Finding compare_beside_kinks(const Differentiated& map, const Tensors& inputs, const GradcheckOptions& options,
                             std::vector<GradcheckInput>& checked) {
    Finding found = compare_with_differences(map, inputs, options, checked);
    const bool is_wrong = found.diagnosis.verdict == GradcheckVerdict::wrong_rule;
    if (!found.line || (!is_wrong && found.diagnosis.verdict != GradcheckVerdict::kink)) return found;
    Surroundings around(map, inputs, options, *found.line);
    if (is_wrong && found.error && around.is_rounding(*found.error)) {
        found.diagnosis = {GradcheckVerdict::too_noisy,
                           "multiples of the cotangent give analytic ones that are off by as much: large terms cancel, "
                           "or the rule computes in less than float64"};
        return found;
    }
    const Surroundings::Beside there = around.check();
    if (!is_wrong) {
        if (there.wrong_rule.diagnosis.verdict == GradcheckVerdict::wrong_rule)
            found.diagnosis = {
                GradcheckVerdict::wrong_rule,
                fmt::format("there is a kink here, but the rule is wrong about {:.0e} beside it, too: {}", nudge,
                            there.wrong_rule.message())};
        return found;
    }
    found.holds_beside = there.held > 0 && there.wrong_rule.diagnosis.verdict == GradcheckVerdict::passed;
    if (found.holds_beside && around.is_kink() && around.is_between())
        found.diagnosis = {
            GradcheckVerdict::kink,
            fmt::format(
                "the slopes of two directions do not add up to that of their sum, however short the step; about "
                "{:.0e} beside the point the rule holds, and the analytic slope is between those there: move "
                "the point",
                nudge)};
    return found;
}

}  // namespace wengert
