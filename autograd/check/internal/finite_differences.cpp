#include <fmt/format.h>
#if __has_include(<fmt/ranges.h>)
#include <fmt/ranges.h>  // where fmt 11 keeps fmt::join
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <wengert/autograd/check/internal/finite_differences.hpp>

namespace wengert {
namespace {

using Tensors = std::vector<Tensor>;
using Numbers = std::vector<double>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Bit for bit, so that NaN equals itself; both contiguous.
bool identical(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() &&
           std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

/// One cotangent of all outputs, and the gradients of the float64 inputs by it.
struct Row {
    Numbers cotangent;
    std::vector<Numbers> gradients;

    void divide(double factor) {
        for (double& c : cotangent) c /= factor;
        for (Numbers& gradient : gradients)
            for (double& g : gradient) g /= factor;
    }
};

/// A line through the point: neighbouring elements of one input move, each by its weight.
struct Direction {
    std::size_t input;
    std::int64_t begin;
    Numbers weights;
    double step;

    double slope(const Numbers& gradient) const {
        double sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i)
            if (weights[i] != 0) sum += weights[i] * gradient[static_cast<std::size_t>(begin) + i];
        return sum;
    }
};

struct Comparison {
    double analytic, numeric, rounding;
    double error() const { return std::abs(analytic - numeric); }
    double magnitude() const { return std::max(std::abs(analytic), std::abs(numeric)); }
};

/// The derivatives of all outputs along one direction, and what the values one step and two beside the point are above
/// that at it, of both sides together.
struct Differences {
    Numbers slopes, near, far;
};

/// One comparison: of all entries of the Jacobian, or along random directions.
class FiniteDifferences {
  public:
    FiniteDifferences(const Differentiated& map, const Tensors& inputs, const GradcheckOptions& options,
                      std::vector<GradcheckInput>& checked)
        : map_(map),
          options_(options),
          checked_(checked),
          random_(options.seed),
          point_(clones(inputs)),
          start_(clones(inputs)),
          moving_(floating(point_)),
          still_(floating(start_)) {
        for (std::size_t i = 0; i < point_.size(); ++i)
            if (is_floating(point_[i].dtype())) names_.push_back(map.input_names[i]);
        // A higher order has the inputs of the one before, and the cotangent.
        while (checked.size() < names_.size()) checked.push_back({names_[checked.size()]});
    }

    /// Returns what is wrong.
    Finding run() {
        if (evaluate() && sweep()) compare_all();
        return found_;
    }

  private:
    /// The steps that are tried where the first disagrees, as multiples of it, in the order of their length.
    static constexpr std::array ladder{0x1p3, 0x1p0, 0x1p-3, 0x1p-6, 0x1p-9, 0x1p-12, 0x1p-15, 0x1p-18};
    static constexpr std::size_t first_step = 1;
    /// Along one direction, by step, as far as they have been computed.
    using Known = std::array<std::optional<Differences>, ladder.size()>;

    bool fail(GradcheckVerdict verdict, const std::string& message) {
        found_.diagnosis.verdict = verdict;
        found_.what = fmt::format("{}: {}", map_.title, message);
        return false;
    }

    bool require_unchanged(const char* who) {
        for (std::size_t i = 0; i < point_.size(); ++i)
            if (!identical(point_[i], start_[i])) {
                if (is_floating(point_[i].dtype())) found_.input = map_.input_names[i];
                return fail(GradcheckVerdict::overwrites, fmt::format("{} overwrites {}", who, map_.input_names[i]));
            }
        return true;
    }

    bool evaluate() {
        outputs_ = clones(map_.values(point_));
        if (!require_unchanged("the function")) return false;
        if (!std::ranges::equal(outputs_, clones(map_.values(point_)), identical))
            return fail(GradcheckVerdict::nondeterministic,
                        "the function is nondeterministic: two evaluations at one point differ");
        values_ = flat(outputs_);
        for (std::size_t j = 0; j < values_.size(); ++j)
            if (!std::isfinite(values_[j]))
                return fail(GradcheckVerdict::not_finite,
                            fmt::format("{} is {}, where no derivative can be checked", output(j), values_[j]));
        std::int64_t elements = 0;
        for (const Tensor& input : moving_) elements += input.numel();
        is_full_ = elements * static_cast<std::int64_t>(values_.size()) <= options_.full_jacobian_limit;
        return true;
    }

    /// Collects the analytic derivatives. Cotangents of a single element tell the entries of the Jacobian apart; dense
    /// ones show a rule that mixes elements or is not linear.
    bool sweep() {
        for (std::size_t j = 0; is_full_ && j < values_.size(); ++j) {
            Numbers cotangent(values_.size());
            const double factor = cotangent[j] = random_.next();
            if (!add_row(cotangent)) return false;
            rows_.back().divide(factor);
        }
        for (int k = 0; k < (is_full_ ? 1 : options_.directions); ++k)
            if (!add_row(random_.next(static_cast<std::int64_t>(values_.size())))) return false;
        return true;
    }

    Tensors like_outputs(const Numbers& cotangent) const {
        Tensors cotangents;
        auto next = cotangent.begin();
        for (const Tensor& output : outputs_) {
            const auto end = next + output.numel();
            cotangents.push_back(tensor(Numbers(next, end), output.shape()));
            next = end;
        }
        return cotangents;
    }

    bool add_row(const Numbers& cotangent) {
        const Tensors cotangents = like_outputs(cotangent);
        const Tensors kept = clones(cotangents);
        const Tensors gradients = map_.vjp(point_, cotangents);
        if (!require_unchanged("the backward pass")) return false;
        if (!std::ranges::equal(cotangents, kept, identical))
            return fail(GradcheckVerdict::overwrites, "the backward pass overwrites the cotangent");
        rows_.push_back({cotangent, {}});
        for (std::size_t a = 0; a < moving_.size(); ++a) {
            const Numbers gradient = gradients[a].to_vector<double>();
            const auto bad = std::ranges::find_if_not(gradient, [](double g) { return std::isfinite(g); });
            if (bad == gradient.end()) {
                rows_.back().gradients.push_back(gradient);
                continue;
            }
            found_.input = names_[a];
            return fail(GradcheckVerdict::not_finite,
                        fmt::format("the gradient of {} is {}, where the function is finite",
                                    element(a, bad - gradient.begin()), *bad));
        }
        return true;
    }

    bool compare_all() {
        for (std::size_t a = 0; a < moving_.size(); ++a) {
            if (is_full_) {
                for (std::int64_t i = 0; i < moving_[a].numel(); ++i)
                    if (!compare(along_element(a, i))) return false;
            } else if (moving_[a].numel() > 0) {
                for (int k = 0; k < options_.directions; ++k)
                    if (!compare(along_random(a))) return false;
            }
        }
        return true;
    }

    Direction along_element(std::size_t a, std::int64_t i) const {
        const double x = still_[a].data<double>()[i];
        if (!std::isfinite(x)) return {a, i, {0}, options_.step};
        return {a, i, {1}, options_.step * std::max(1.0, std::abs(x))};
    }
    Direction along_random(std::size_t a) { return {a, 0, random_.next_direction({still_[a]})[0], options_.step}; }

    /// The five-point stencil (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h: its error is of order h^4 + epsilon / h, which
    /// near h = 1e-3 is about 1e-12. The usual two points reach 1e-10 at best, and only where h = 1e-5 happens to suit
    /// the function; the room between is what lets the tolerance be tight without luck.
    Differences differences(const Direction& direction, double step) {
        static constexpr std::array<std::pair<double, double>, 4> stencil{
            {{-2, 1.0 / 12}, {-1, -8.0 / 12}, {1, 8.0 / 12}, {2, -1.0 / 12}}};
        const Numbers none(values_.size());
        Differences result{none, none, none};
        for (const auto& [distance, weight] : stencil) {
            move(direction, distance * step);
            const Numbers values = flat(map_.values(point_));
            if (values.size() != none.size()) throw ShapeError("gradcheck: the shape of the result varies");
            Numbers& both_sides = std::abs(distance) == 1 ? result.near : result.far;
            for (std::size_t j = 0; j < values.size(); ++j) {
                result.slopes[j] += weight / step * values[j];
                both_sides[j] += values[j] - values_[j];
            }
        }
        move(direction, 0);
        return result;
    }

    void move(const Direction& direction, double distance) {
        double* const x = moving_[direction.input].mutable_data<double>() + direction.begin;
        const double* const start = still_[direction.input].data<double>() + direction.begin;
        for (std::size_t i = 0; i < direction.weights.size(); ++i)
            if (direction.weights[i] != 0) x[i] = start[i] + distance * direction.weights[i];
    }

    double tolerance(const Comparison& c) const {
        return options_.relative_tolerance * c.magnitude() + options_.absolute_tolerance + c.rounding;
    }
    bool agrees(const Comparison& c) const { return c.error() <= tolerance(c); }

    /// Compares one direction under all cotangents.
    bool compare(const Direction& direction) {
        Known known;
        for (std::size_t k = 0; k < rows_.size(); ++k) {
            const Comparison c = measure(direction, rows_[k], known);
            const double error = c.error() / std::max({1.0, c.magnitude(), c.rounding / options_.relative_tolerance});
            double& worst = checked_[direction.input].worst_error;
            worst = std::max(worst, std::isnan(error) ? infinity : error);
            if (!agrees(c)) return report(direction, k);
        }
        return rows_.empty() || has_one_slope(direction, *known[first_step]);
    }

    /// The mean of the slopes of a kink agrees with a central difference. Twice the step takes the values of a smooth
    /// function four times as far from its tangent, and those of a kink twice. Only what looks like one costs
    /// evaluations.
    bool has_one_slope(const Direction& direction, const Differences& d) {
        std::size_t kink = values_.size();
        for (std::size_t j = 0; j < values_.size(); ++j) {
            const double near = std::abs(d.near[j]);
            const double visible = 1e-6 * std::abs(d.slopes[j]) + options_.absolute_tolerance;
            if (near > visible * direction.step && near > 64 * epsilon * std::abs(values_[j]) &&
                std::abs(d.far[j]) < 3 * near && (kink == values_.size() || near > std::abs(d.near[kink])))
                kink = j;
        }
        if (kink == values_.size()) return true;
        const Row& row = rows_[is_full_ ? kink : 0];
        Line line = line_along(direction, row);
        const double analytic = direction.slope(row.gradients[direction.input]);
        const auto along = [&](double distance) { return value_on(line, map_, point_, distance); };
        found_.diagnosis = diagnose_agreement(along, analytic, direction.step, rounding_on(line, values_));
        if (found_.diagnosis.verdict == GradcheckVerdict::passed) return true;
        found_.line = std::move(line);
        found_.input = names_[direction.input];
        const std::string by = direction.weights.size() == 1 ? element(direction.input, direction.begin)
                                                             : names_[direction.input] + " along a random direction";
        return fail(found_.diagnosis.verdict, fmt::format("the derivative of {} by {} has two sides: analytic {:.10g}",
                                                          row_of_jacobian(is_full_ ? kink : 0), by, analytic));
    }

    Line line_along(const Direction& direction, const Row& row) const {
        Line line{like_outputs(row.cotangent), {}, direction.step};
        for (const Tensor& x : moving_) line.direction.emplace_back(static_cast<std::size_t>(x.numel()));
        std::ranges::copy(direction.weights, line.direction[direction.input].begin() + direction.begin);
        return line;
    }

    /// Where the first step disagrees (it may be too long: next to a pole, across a kink), all are taken, and the one
    /// decides that its longer neighbour comes closest to: a choice that does not look at the analytic derivative.
    Comparison measure(const Direction& direction, const Row& row, Known& known) {
        double scale = 0;
        for (std::size_t j = 0; j < values_.size(); ++j) scale += std::abs(row.cotangent[j] * values_[j]);
        const double analytic = direction.slope(row.gradients[direction.input]);
        const auto with_step = [&](std::size_t s) {
            const double step = direction.step * ladder[s];
            if (!known[s]) known[s] = differences(direction, step);
            double numeric = 0;
            for (std::size_t j = 0; j < values_.size(); ++j)
                if (row.cotangent[j] != 0) numeric += row.cotangent[j] * known[s]->slopes[j];
            return Comparison{analytic, numeric, 16 * epsilon * scale / step};
        };
        Comparison best = with_step(first_step);
        if (agrees(best)) return best;
        double least = infinity;
        for (std::size_t s = 1; s < ladder.size(); ++s) {
            const Comparison longer = with_step(s - 1), shorter = with_step(s);
            const double change = std::abs(shorter.numeric - longer.numeric);
            if (!(change < least)) continue;
            least = change;
            best = shorter;
        }
        return best;
    }
    Comparison measure(const Direction& direction, const Row& row) {
        Known known;
        return measure(direction, row, known);
    }

    /// Halves a direction that disagrees until one element is left; the halves cannot both be without error.
    Direction locate(Direction direction, const Row& row) {
        while (direction.weights.size() > 1) {
            const auto half = static_cast<std::ptrdiff_t>(direction.weights.size() / 2);
            Direction first = direction, second = direction;
            first.weights.erase(first.weights.begin() + half, first.weights.end());
            second.weights.erase(second.weights.begin(), second.weights.begin() + half);
            second.begin += half;
            direction = measure(first, row).error() < measure(second, row).error() ? second : first;
        }
        return along_element(direction.input, direction.begin);
    }

    bool report(const Direction& direction, std::size_t k) {
        Direction at = locate(direction, rows_[k]);
        Comparison c = measure(at, rows_[k]);
        std::string by = element(at.input, at.begin);
        if (agrees(c)) {
            at = direction;
            c = measure(at, rows_[k]);
            by = names_[at.input] + " along a random direction";
        }
        found_.input = names_[at.input];
        found_.error = c.error();
        explain(at, rows_[k], c.analytic);
        return fail(found_.diagnosis.verdict,
                    fmt::format("the derivative of {} by {} is wrong: analytic {:.10g}, numeric {:.10g}, error "
                                "{:.3g} > tolerance {:.3g} (relative {:.3g} * {:.3g} + absolute {:.3g} + "
                                "rounding {:.3g})",
                                row_of_jacobian(k), by, c.analytic, c.numeric, c.error(), tolerance(c),
                                options_.relative_tolerance, c.magnitude(), options_.absolute_tolerance, c.rounding));
    }

    void explain(const Direction& direction, const Row& row, double analytic) {
        Line line = line_along(direction, row);
        const auto pass = [&] { return flat(map_.vjp(point_, line.cotangents)); };
        if (pass() != pass()) {
            found_.diagnosis = {GradcheckVerdict::nondeterministic, "two backward passes at one point differ"};
            return;
        }
        const auto along = [&](double distance) { return value_on(line, map_, point_, distance); };
        found_.diagnosis = diagnose(along, analytic, direction.step, rounding_on(line, values_));
        found_.line = std::move(line);
    }

    std::string element(std::size_t a, std::int64_t i) const {
        return fmt::format("{} {}", names_[a], position(i, moving_[a].shape()));
    }
    /// Of what row k has the gradients.
    std::string row_of_jacobian(std::size_t k) const {
        if (is_full_ && k < values_.size()) return output(k);
        return fmt::format("{} under a random cotangent", fmt::join(map_.output_names, ", "));
    }
    std::string output(std::size_t j) const {
        std::size_t k = 0;
        auto i = static_cast<std::int64_t>(j);
        while (i >= outputs_[k].numel()) i -= outputs_[k++].numel();
        return fmt::format("{} {}", map_.output_names[k], position(i, outputs_[k].shape()));
    }

    const Differentiated& map_;
    const GradcheckOptions& options_;
    std::vector<GradcheckInput>& checked_;
    Finding found_;
    RandomNumbers random_;
    const Tensors point_, start_;     // the inputs, and copies that stay
    Tensors moving_;                  // the float64 ones of point_, which move,
    const Tensors still_;             // and of start_
    std::vector<std::string> names_;  // of moving_
    Tensors outputs_;
    Numbers values_;  // of outputs_
    bool is_full_ = false;
    std::vector<Row> rows_;
};

}  // namespace

std::string Finding::message() const {
    if (diagnosis.why.empty()) return what;
    return fmt::format("{}; {}: {}", what, to_string(diagnosis.verdict), diagnosis.why);
}

Finding compare_with_differences(const Differentiated& map, const Tensors& inputs, const GradcheckOptions& options,
                                 std::vector<GradcheckInput>& checked) {
    return FiniteDifferences(map, inputs, options, checked).run();
}

}  // namespace wengert
