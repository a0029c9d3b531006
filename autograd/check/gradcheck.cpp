#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <wengert/autograd/check/gradcheck_model.hpp>
#include <wengert/autograd/check/internal/gradcheck_whole.hpp>
#include <wengert/autograd/check/internal/kinks.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/strided.hpp>

namespace wengert {
namespace {

using Tensors = std::vector<Tensor>;

/// Runs f on a tape of its own and takes its gradient.
struct Sweep {
    Tape tape;
    Tensors gradients;

    Sweep(const GradcheckFunction& f, const Tensors& inputs, const Tensor& cotangent, bool create_graph) {
        const Tensors by = floating(inputs);
        for (const Tensor& input : by) tape.watch(input);
        if (create_graph) tape.watch(cotangent);
        // Nothing is kept for a caller's tape, which may check many nodes.
        gradients = tape.gradient(f(inputs), by,
                                  {.create_graph = create_graph, .retain_graph = create_graph, .cotangent = cotangent});
    }
};

Differentiated first_order(const GradcheckFunction& f, const std::vector<std::string>& names) {
    Differentiated map{"first order", names, {"the result"}, {}, {}};
    map.values = [&f](const Tensors& inputs) {
        const Pause pause;
        const Tensor result = f(inputs);
        if (!result.defined()) throw ValueError("gradcheck: the result is an undefined tensor");
        if (result.dtype() != Dtype::float64)
            throw DtypeError(fmt::format("gradcheck: the result is {}, not float64", to_string(result.dtype())));
        return Tensors{result};
    };
    map.vjp = [&f](const Tensors& inputs, const Tensors& cotangents) {
        return Sweep(f, inputs, cotangents[0], false).gradients;
    };
    return map;
}

Tensors all_but_last(const Tensors& tensors) { return {tensors.begin(), tensors.end() - 1}; }

/// Zeros for a constant.
Tensors gradients_of(Tape& tape, const Tensor& of, const Tensors& by, const Tensor& cotangent, bool create_graph) {
    if (tape.find(of) != no_node)
        return tape.gradient(of, by, {.create_graph = create_graph, .retain_graph = true, .cotangent = cotangent});
    Tensors none;
    for (const Tensor& input : by) none.push_back(zeros(input.shape(), input.dtype()));
    return none;
}

Tensors sum_of_gradients(Tape& tape, const Tensors& of, const Tensors& by, const Tensors& cotangents) {
    Tensors sums;
    for (const Tensor& input : by) sums.push_back(zeros(input.shape(), input.dtype()));
    for (std::size_t k = 0; k < of.size(); ++k) {
        const Tensors one = gradients_of(tape, of[k], by, cotangents[k], false);
        for (std::size_t a = 0; a < by.size(); ++a) write(one[a], {sums[a], true});
    }
    return sums;
}

/// The gradients as functions of the inputs and, as the last input, the cotangent.
Differentiated second_order(const GradcheckFunction& f, const Tensors& inputs, const std::vector<std::string>& names) {
    Differentiated map{"second order", names, {}, {}, {}};
    map.input_names.push_back("the cotangent");
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (is_floating(inputs[i].dtype())) map.output_names.push_back("the gradient of " + names[i]);
    map.values = [&f](const Tensors& all) { return Sweep(f, all_but_last(all), all.back(), false).gradients; };
    map.vjp = [&f](const Tensors& all, const Tensors& cotangents) {
        Sweep first(f, all_but_last(all), all.back(), true);
        const Tensors by = floating(all);
        return sum_of_gradients(first.tape, first.gradients, by, cotangents);
    };
    return map;
}

/// The gradients' gradients, by the same as these. Each gradient has a cotangent that is drawn, and stays.
Differentiated third_order(const GradcheckFunction& f, const Tensors& inputs, const Differentiated& second,
                           std::uint64_t seed) {
    Differentiated map{"third order", second.input_names, {}, {}, {}};
    for (const std::string& gradient : second.output_names)
        for (std::size_t i = 0; i < second.input_names.size(); ++i)
            if (i == inputs.size() || is_floating(inputs[i].dtype()))
                map.output_names.push_back(fmt::format("the derivative of {} by {}", gradient, second.input_names[i]));
    Tensors drawn;
    RandomNumbers random(seed);
    for (const Tensor& input : floating(inputs)) drawn.push_back(tensor(random.next(input.numel()), input.shape()));
    const auto derivatives = [drawn](Sweep& first, const Tensors& by, bool create_graph) {
        Tensors all;
        for (std::size_t k = 0; k < drawn.size(); ++k)
            std::ranges::copy(gradients_of(first.tape, first.gradients[k], by, drawn[k], create_graph),
                              std::back_inserter(all));
        return all;
    };
    map.values = [&f, derivatives](const Tensors& all) {
        Sweep first(f, all_but_last(all), all.back(), true);
        return derivatives(first, floating(all), false);
    };
    map.vjp = [&f, derivatives](const Tensors& all, const Tensors& cotangents) {
        Sweep first(f, all_but_last(all), all.back(), true);
        const Tensors by = floating(all);
        return sum_of_gradients(first.tape, derivatives(first, by, true), by, cotangents);
    };
    return map;
}

double magnitude(const Tensor& x) {
    double largest = 0;
    for (const double number : x.to_vector<double>()) largest = std::max(largest, std::abs(number));
    return largest;
}

/// The same numbers, but for the last bits of the float64 ones.
Tensors jittered(const Tensors& tensors, RandomNumbers& random) {
    constexpr double few_roundings = 2 * std::numeric_limits<double>::epsilon();
    Tensors result = clones(tensors);
    for (Tensor& x : result) {
        if (!is_floating(x.dtype())) continue;
        double* const elements = x.mutable_data<double>();
        for (std::int64_t i = 0; i < x.numel(); ++i) elements[i] *= 1 + few_roundings * random.next();
    }
    return result;
}

/// How much each gradient changes with the last bits of what it is computed from: as much as rounding changes it. It
/// shows how large the terms of a gradient are that cancel, as those of a sum that is always 0. Bounded by what the
/// largest of all gradients rounds to, because next to a kink a change of the last bit may change everything.
std::vector<double> roundings(const std::function<Tensors(const Tensors&)>& gradients, const Tensors& at,
                              RandomNumbers random) {
    constexpr int tries = 4;
    const Tensors exact = gradients(at);
    double bound = 0;
    for (const Tensor& gradient : exact) bound = std::max(bound, magnitude(gradient));
    bound *= std::numeric_limits<double>::epsilon();
    std::vector<double> result(exact.size());
    for (int i = 0; i < tries; ++i) {
        const Tensors near = gradients(jittered(at, random));
        for (std::size_t k = 0; k < exact.size(); ++k) {
            const std::vector<double> a = exact[k].to_vector<double>(), b = near[k].to_vector<double>();
            for (std::size_t j = 0; j < a.size(); ++j)
                if (const double change = std::abs(a[j] - b[j]); change > result[k])
                    result[k] = std::min(change, bound);
        }
    }
    return result;
}

/// The recorded pass computes the plain pass's gradients by other means: it may round differently, and no more.
/// Returns what differs.
Finding compare_passes(const GradcheckFunction& f, const Tensors& all, const Differentiated& second,
                       std::uint64_t seed) {
    const auto record = [&f](const Tensors& all) { return Sweep(f, all_but_last(all), all.back(), true).gradients; };
    const Tensors plain = second.values(all), recorded = record(all);
    const std::vector<double> plain_rounding = roundings(second.values, all, RandomNumbers(seed)),
                              recorded_rounding = roundings(record, all, RandomNumbers(seed));
    for (std::size_t k = 0; k < plain.size(); ++k) {
        const std::vector<double> p = plain[k].to_vector<double>(), r = recorded[k].to_vector<double>();
        const double rounding =
            std::numeric_limits<double>::epsilon() * magnitude(plain[k]) + plain_rounding[k] + recorded_rounding[k];
        for (std::size_t i = 0; i < p.size(); ++i) {
            const double error = std::abs(p[i] - r[i]);
            const double tolerance = 1e-12 * std::max(std::abs(p[i]), std::abs(r[i])) + 64 * rounding;
            if (error <= tolerance) continue;
            return {
                {GradcheckVerdict::wrong_rule, {}},
                fmt::format(
                    "{}: {} {} differs when recorded: recorded {:.16g}, plain {:.16g}, error {:.3g} > tolerance {:.3g}",
                    second.title, second.output_names[k], position(static_cast<std::int64_t>(i), plain[k].shape()),
                    r[i], p[i], error, tolerance)};
        }
    }
    return {};
}

std::vector<std::string> described(const Tensors& inputs, const GradcheckOptions& options) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].defined()) throw ValueError(fmt::format("gradcheck: input {} is an undefined tensor", i));
        const std::string& name = options.names.empty() ? inputs[i].name() : options.names[i];
        names.push_back(fmt::format("input {}", i) + (name.empty() ? "" : " \"" + name + '"'));
        if (inputs[i].dtype() == Dtype::float32)
            throw DtypeError(fmt::format("gradcheck: {} {} is float32; differences need float64", names.back(),
                                         to_string(inputs[i].shape())));
    }
    return names;
}

void require_options(const Tensors& inputs, const GradcheckOptions& options) {
    if (options.order < 1 || options.order > 3)
        throw ValueError(fmt::format("gradcheck: the order must be 1, 2 or 3, not {}", options.order));
    if (!(options.step > 0) || !(options.relative_tolerance > 0) || options.directions < 1)
        throw ValueError("gradcheck: the step, the relative tolerance and the number of directions must be positive");
    if (!options.names.empty() && options.names.size() != inputs.size())
        throw ValueError(fmt::format("gradcheck: {} names for {} inputs", options.names.size(), inputs.size()));
}

Finding find(const GradcheckFunction& f, const Tensors& inputs, const GradcheckOptions& options,
             std::vector<GradcheckInput>& checked) {
    require_options(inputs, options);
    const std::vector<std::string> names = described(inputs, options);
    if (floating(inputs).empty()) throw ValueError("gradcheck: no input is float64, so there is nothing to check");
    const Differentiated first = first_order(f, names);
    Finding found = compare_beside_kinks(first, inputs, options, checked);
    if (found.diagnosis.verdict != GradcheckVerdict::passed || options.order == 1) return found;
    const Differentiated second = second_order(f, inputs, names);
    Tensors all = clones(inputs);
    const Tensor value = first.values(all)[0];
    all.push_back(tensor(RandomNumbers(options.seed).next(value.numel()), value.shape()));
    found = compare_passes(f, all, second, options.seed);
    if (found.diagnosis.verdict != GradcheckVerdict::passed) return found;
    found = compare_beside_kinks(second, all, options, checked);
    if (found.diagnosis.verdict != GradcheckVerdict::passed || options.order == 2) return found;
    return compare_beside_kinks(third_order(f, inputs, second, options.seed), all, options, checked);
}

GradcheckResult result_of(const Finding& found, std::vector<GradcheckInput> checked) {
    const GradcheckVerdict verdict = found.diagnosis.verdict;
    GradcheckResult result{verdict == GradcheckVerdict::passed, 0, found.message(), verdict, std::move(checked)};
    for (GradcheckInput& input : result.inputs) {
        result.worst_error = std::max(result.worst_error, input.worst_error);
        const bool is_meant = found.input.empty() || found.input == input.name;
        input.verdict = result.passed || is_meant ? verdict : GradcheckVerdict::not_checked;
    }
    return result;
}

/// The rules of all ops may hold where that of their composition cannot: relu(x) - relu(-x) is x, and its gradient at 0
/// is what relu has there, twice 0. And a kink may hide that an op is wrong at this very point. So the ops of f are
/// checked one by one.
Diagnosis diagnose_ops(const GradcheckFunction& f, const Tensors& inputs, GradcheckOptions options, Diagnosis found) {
    Tensors leaves = clones(inputs);
    for (Tensor& leaf : leaves)
        if (is_floating(leaf.dtype())) leaf.set_parameter();
    options.names.clear();
    std::vector<NodeCheck> rows;
    try {
        rows = gradcheck_model([&] { return f(leaves); }, {}, options);
    } catch (const DtypeError&) {  // an op inside is float32, so that nothing is to be learned from it alone
        return found;
    }
    const auto first_with = [&](GradcheckVerdict verdict) {
        return std::ranges::find_if(rows, [&](const NodeCheck& row) { return row.verdict == verdict; });
    };
    const auto wrong = first_with(GradcheckVerdict::wrong_rule), kink = first_with(GradcheckVerdict::kink);
    if (wrong != rows.end() && found.verdict == GradcheckVerdict::kink)
        return {GradcheckVerdict::wrong_rule,
                fmt::format("there is a kink here, but the rule of {} is wrong, too: {}", wrong->op, wrong->message)};
    if (wrong == rows.end() && kink != rows.end() && found.verdict == GradcheckVerdict::wrong_rule)
        return {GradcheckVerdict::kink, fmt::format("beside the point the gradient is right, and the rule of every op "
                                                    "holds, but {} has a kink: {}",
                                                    kink->op, kink->message)};
    return found;
}

}  // namespace

std::string_view to_string(GradcheckVerdict verdict) {
    static constexpr std::array<std::string_view, 8> names{
        "passed",           "wrong rule", "kink here",  "too noisy to judge",
        "nondeterministic", "not finite", "overwrites", "not checked"};
    return names[static_cast<std::size_t>(verdict)];
}

GradcheckResult gradcheck_whole(const GradcheckFunction& f, const Tensors& inputs, const GradcheckOptions& options) {
    std::vector<GradcheckInput> checked;
    const Finding found = find(f, inputs, options, checked);
    return result_of(found, std::move(checked));
}

GradcheckResult gradcheck(const GradcheckFunction& f, const Tensors& inputs, const GradcheckOptions& options) {
    std::vector<GradcheckInput> checked;
    Finding found = find(f, inputs, options, checked);
    if (found.diagnosis.verdict == GradcheckVerdict::kink || found.holds_beside)
        found.diagnosis = diagnose_ops(f, inputs, options, found.diagnosis);
    return result_of(found, std::move(checked));
}

}  // namespace wengert
