#include <algorithm>
#include <cmath>
#include <utility>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/nn/internal/update_rule.hpp>
#include <wengert/nn/lbfgs.hpp>
#include <wengert/ops/linalg/products.hpp>

namespace wengert {
namespace {

double inner(const Tensor& a, const Tensor& b) { return dot(a, b).item(); }

double largest(const Tensor& a) {
    const double* const x = a.data<double>();
    double result = 0;
    for (std::int64_t i = 0; i < a.numel(); ++i) result = std::max(result, std::abs(x[i]));
    return result;
}

/// to = scale to + factor x
void combine(Tensor& to, double scale, double factor, const Tensor& x) {
    update_rule::sweep<double>(to, x, {}, std::make_index_sequence<0>{},
                               [=](double& t, double v) { t = scale * t + factor * v; });
}

/// All parameters, or their gradients, as one vector.
Tensor joined(const std::vector<Tensor>& parts, std::int64_t numel) {
    Tensor whole = Tensor::empty({numel}, Dtype::float64);
    double* to = whole.mutable_data<double>();
    for (const Tensor& part : parts) {
        const Tensor dense = packed(part);
        visit_floating(dense.dtype(), [&](auto type) {
            const auto* const from = dense.data<decltype(type)>();
            to = std::copy(from, from + dense.numel(), to);
        });
    }
    return whole;
}

struct Slope {
    double at, loss, slope;
};

/// The least point of the cubic through two points with their slopes, within bounds; their middle if there is none.
double cubic_minimum(const Slope& a, const Slope& b, double low, double high) {
    const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.at - b.at), square = d1 * d1 - a.slope * b.slope;
    const double d2 = std::sqrt(square);
    const double least = a.at <= b.at ? b.at - (b.at - a.at) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
                                      : a.at - (a.at - b.at) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
    return std::isfinite(least) ? std::clamp(least, low, high) : (low + high) / 2;
}

}  // namespace

Lbfgs::Lbfgs(std::vector<Tensor> parameters, const LbfgsOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
    set_learning_rate(options.learning_rate);
    update_rule::require("max_iterations", static_cast<double>(options.max_iterations), 1, update_rule::infinity);
    update_rule::require("max_evaluations", static_cast<double>(options.max_evaluations), 0, update_rule::infinity);
    update_rule::require("tolerance_gradient", options.tolerance_gradient, 0, update_rule::infinity);
    update_rule::require("tolerance_change", options.tolerance_change, 0, update_rule::infinity);
    update_rule::require("history", static_cast<double>(options.history), 1, update_rule::infinity);
    update_rule::require_parameters(parameters_);
    if (options_.max_evaluations == 0) options_.max_evaluations = options_.max_iterations + options_.max_iterations / 4;
    for (const Tensor& p : parameters_) numel_ += p.numel();
    kept_.direction = zeros({numel_}, Dtype::float64);
    kept_.gradient = zeros({numel_}, Dtype::float64);
}

void Lbfgs::set_learning_rate(double rate) {
    update_rule::require("the learning rate", rate, 0, update_rule::infinity);
    options_.learning_rate = rate;
}

Tensor Lbfgs::place() const { return joined(parameters_, numel_); }

void Lbfgs::move(const Tensor& from, double rate) const {
    const double *x = from.data<double>(), *d = kept_.direction.data<double>();
    for (Tensor p : parameters_) {
        visit_floating(p.dtype(), [&](auto type) {
            using T = decltype(type);
            T* const to = p.mutable_data<T>();
            for (std::int64_t i = 0; i < p.numel(); ++i) to[i] = static_cast<T>(rate == 0 ? x[i] : x[i] + rate * d[i]);
        });
        x += p.numel();
        d += p.numel();
    }
}

Lbfgs::Point Lbfgs::evaluated(const Closure& closure, double rate, bool is_trial) {
    ++kept_.evaluations;
    const LossAndGradients found = closure();
    update_rule::require_gradients(parameters_, found.gradients);
    if (!is_trial) {
        if (!std::isfinite(found.loss)) throw NonFiniteError(fmt::format("the loss is {}", found.loss));
        update_rule::require_finite(parameters_, found.gradients);
    }
    Point point{rate, found.loss, joined(found.gradients, numel_), 0};
    point.slope = inner(point.gradient, kept_.direction);
    return point;
}

void Lbfgs::take_change(const Tensor& gradient) {
    Tensor y = gradient.clone(), s = kept_.direction.clone();
    combine(y, 1, -1, kept_.gradient);
    combine(s, kept_.rate, 0, s);
    const double curvature = inner(y, s);
    if (!(curvature > 1e-10)) return;
    if (std::ssize(kept_.steps) == options_.history) {
        kept_.gradient_changes.erase(kept_.gradient_changes.begin());
        kept_.steps.erase(kept_.steps.begin());
    }
    kept_.diagonal = curvature / inner(y, y);
    kept_.gradient_changes.push_back(y);
    kept_.steps.push_back(s);
}

/// -H g, by the recursion of two loops (Nocedal 1980, Updating quasi-Newton matrices with limited storage).
Tensor Lbfgs::newton_direction(const Tensor& gradient) const {
    Tensor d = gradient.clone();
    combine(d, -1, 0, gradient);
    const auto &y = kept_.gradient_changes, &s = kept_.steps;
    std::vector<double> weights(y.size()), curvatures(y.size());
    for (std::size_t i = y.size(); i-- > 0;) {
        curvatures[i] = inner(y[i], s[i]);
        weights[i] = inner(s[i], d) / curvatures[i];
        combine(d, 1, -weights[i], y[i]);
    }
    combine(d, kept_.diagonal, 0, d);
    for (std::size_t i = 0; i < y.size(); ++i) combine(d, 1, weights[i] - inner(y[i], d) / curvatures[i], s[i]);
    return d;
}

/// A point along d where the loss is lower by enough and its slope is small by enough, or the best of `most` tries.
Lbfgs::Point Lbfgs::searched(const Closure& closure, const Tensor& from, const Point& start, double rate,
                             std::int64_t most) {
    constexpr double c1 = 1e-4, c2 = 0.9;
    const double longest = largest(kept_.direction);
    const auto tried = [&](double at) {
        move(from, at);
        return evaluated(closure, at, true);
    };
    // A comparison with NaN is false: what is not known to be lower is too high.
    const auto is_too_high = [&](const Point& p) { return !(p.loss <= start.loss + c1 * p.rate * start.slope); };
    const auto is_flat = [&](const Point& p) { return std::abs(p.slope) <= -c2 * start.slope; };
    const auto as_slope = [](const Point& p) { return Slope{p.rate, p.loss, p.slope}; };

    Point before = start, now = tried(rate);
    std::int64_t tries = 0;
    bool is_bracketed = false;
    for (; tries < most; ++tries) {
        is_bracketed = is_too_high(now) || (tries > 1 && now.loss >= before.loss);
        if (!is_bracketed && is_flat(now)) return now;
        is_bracketed = is_bracketed || now.slope >= 0;
        if (is_bracketed) break;
        const double further =
            cubic_minimum(as_slope(before), as_slope(now), now.rate + 0.01 * (now.rate - before.rate), now.rate * 10);
        before = std::exchange(now, tried(further));
    }
    if (!is_bracketed) before = start;
    Point low = before, high = now;
    if (now.loss < before.loss) std::swap(low, high);
    for (bool was_near_end = false; tries < most; ++tries) {
        const double first = std::min(low.rate, high.rate), last = std::max(low.rate, high.rate);
        if ((last - first) * longest < options_.tolerance_change) break;
        double at = cubic_minimum(as_slope(low), as_slope(high), first, last);
        const double margin = 0.1 * (last - first);
        const bool is_near_end = std::min(last - at, at - first) < margin;
        const bool is_moved = is_near_end && (was_near_end || at >= last || at <= first);
        if (is_moved) at = std::abs(at - last) < std::abs(at - first) ? last - margin : first + margin;
        was_near_end = is_near_end && !is_moved;
        now = tried(at);
        if (is_too_high(now) || now.loss >= low.loss) {
            high = now;
            if (high.loss < low.loss) std::swap(low, high);
            continue;
        }
        if (is_flat(now)) return now;
        if (now.slope * (high.rate - low.rate) >= 0) high = low;
        low = now;
    }
    return low;
}

double Lbfgs::step(const Closure& closure, const SourceLine& where) try {
    update_rule::require_held(parameters_);
    const std::int64_t evaluations_before = kept_.evaluations;
    Point now = evaluated(closure, 0, false);
    const double first_loss = now.loss;
    const auto is_optimal = [&] { return largest(now.gradient) <= options_.tolerance_gradient; };
    if (is_optimal()) return first_loss;
    for (std::int64_t iteration = 1; iteration <= options_.max_iterations; ++iteration) {
        const bool is_first = kept_.iterations++ == 0;
        if (!is_first) take_change(now.gradient);
        kept_.direction = newton_direction(now.gradient);
        kept_.gradient = now.gradient;
        kept_.rate = options_.learning_rate;
        if (is_first) {
            double sum = 0;
            for (const double g : now.gradient.to_vector<double>()) sum += std::abs(g);
            kept_.rate *= std::min(1.0, 1 / sum);
        }
        now.slope = inner(now.gradient, kept_.direction);
        if (now.slope > -options_.tolerance_change) break;

        const Tensor from = place();
        const double loss_before = now.loss;
        now.rate = 0;
        try {
            if (options_.line_search == LineSearch::strong_wolfe) {
                const std::int64_t left = options_.max_evaluations - (kept_.evaluations - evaluations_before);
                now = searched(closure, from, now, kept_.rate, left);
                kept_.rate = now.rate;
                move(from, kept_.rate);
            } else {
                move(from, kept_.rate);
                // The loss after the last change is the next step's first.
                if (iteration < options_.max_iterations) now = evaluated(closure, kept_.rate, false);
            }
        } catch (...) {
            move(from, 0);
            kept_.rate = 0;
            throw;
        }
        if (kept_.evaluations - evaluations_before >= options_.max_evaluations || is_optimal()) break;
        if (largest(kept_.direction) * std::abs(kept_.rate) <= options_.tolerance_change) break;
        if (std::abs(now.loss - loss_before) < options_.tolerance_change) break;
    }
    return first_loss;
} catch (Error& error) {
    error.locate("step", to_string(current_place()), where);
    throw;
}

NamedTensors Lbfgs::named(const Kept& kept, double learning_rate) {
    const auto count = [](std::int64_t n) { return tensor(std::vector<std::int64_t>{n}, {}); };
    const auto number = [](double x) { return scalar(x, Dtype::float64); };
    NamedTensors result{{"n_iter", count(kept.iterations)},       {"func_evals", count(kept.evaluations)},
                        {"learning_rate", number(learning_rate)}, {"t", number(kept.rate)},
                        {"H_diag", number(kept.diagonal)},        {"d", kept.direction},
                        {"prev_flat_grad", kept.gradient}};
    for (std::size_t i = 0; i < kept.steps.size(); ++i) {
        result.emplace_back(fmt::format("old_dirs.{}", i), kept.gradient_changes[i]);
        result.emplace_back(fmt::format("old_stps.{}", i), kept.steps[i]);
    }
    return result;
}

NamedTensors Lbfgs::state() const { return named(kept_, options_.learning_rate); }

void Lbfgs::load_state(const NamedTensors& from, const SourceLine& where) try {
    const auto vector = [this] { return zeros({numel_}, Dtype::float64); };
    Kept kept{.direction = vector(), .gradient = vector(), .gradient_changes = {}, .steps = {}};
    for (const auto& [name, x] : from)
        if (name.starts_with("old_stps.")) {
            kept.steps.push_back(vector());
            kept.gradient_changes.push_back(vector());
        }
    if (std::ssize(kept.steps) > options_.history)
        throw ValueError(
            fmt::format("{} changes are more than the history of {}", kept.steps.size(), options_.history));
    const NamedTensors here = named(kept, 0);
    assign(here, from);
    kept.iterations = here[0].second.item<std::int64_t>();
    kept.evaluations = here[1].second.item<std::int64_t>();
    if (kept.iterations < 0 || kept.evaluations < 0)
        throw ValueError(fmt::format("{} iterations and {} evaluations", kept.iterations, kept.evaluations));
    kept.rate = here[3].second.item();
    kept.diagonal = here[4].second.item();
    set_learning_rate(here[2].second.item());
    kept_ = std::move(kept);
} catch (Error& error) {
    error.locate("load_state", to_string(current_place()), where);
    throw;
}

}  // namespace wengert
