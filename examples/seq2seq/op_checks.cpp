#include <fmt/format.h>

#include <algorithm>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/all_ops.hpp>

#include "gradient_checks.hpp"

namespace wengert::program {
namespace {

GradientCheck check_order(std::string_view name, const std::vector<Sample>& samples, int order) {
    GradientCheck row{std::string(name), order, 0, Verdict::passed, {}};
    if (samples.empty()) row = {std::string(name), order, 0, Verdict::failed, "there are no samples"};
    for (const Sample& sample : samples) {
        const GradcheckResult result = gradcheck(sample.f, sample.inputs, {.order = order});
        for (const auto& [input, error, verdict] : result.inputs)
            row.inputs.push_back({fmt::format("{}: {}", sample.label, input), error, verdict});
        if (result.worst_error > row.worst_error && row.verdict == Verdict::passed) row.input = sample.label;
        row.worst_error = std::max(row.worst_error, result.worst_error);
        if (result.passed || row.verdict == Verdict::failed) continue;
        row.verdict = Verdict::failed;
        row.message = fmt::format("{}: {}", sample.label, result.message);
        row.input = sample.label;
        row.found = result.verdict;
    }
    return row;
}

/// An error instead of a silent zero is what an op without derivative owes.
GradientCheck check_refusal(std::string_view name, const std::vector<Sample>& samples) {
    GradientCheck row{std::string(name), 0, 0, Verdict::not_differentiable, {}};
    for (const Sample& sample : samples) {
        Tape tape;
        for (const Tensor& input : sample.inputs)
            if (is_floating(input.dtype())) tape.watch(input);
        const Tensor result = sample.f(sample.inputs);
        try {
            tape.gradient(result, sample.inputs.front(), {.cotangent = ones(result.shape(), result.dtype())});
            row.verdict = Verdict::failed;
            row.message = fmt::format("{}: a gradient is given through an op without derivative", sample.label);
        } catch (const NotDifferentiableError&) {
        }
    }
    return row;
}

}  // namespace

void check_ops(const GradientCheckReport& report, std::string_view name) {
    bool is_known = name.empty();
    for (const OpEntry& op : all_sampled()) {
        if (!name.empty() && op.name != name && std::ranges::count(called_functions(op.doc), name) == 0) continue;
        is_known = true;
        const std::vector<Sample> samples = op.samples();
        if (!op.differentiable) {
            report(check_refusal(op.name, samples));
            continue;
        }
        for (const int order : {1, 2}) report(check_order(op.name, samples, order));
    }
    if (is_known) return;
    for (const OpFamily& family : op_families())
        for (const OpEntry& function : family.composed)
            if (std::ranges::count(called_functions(function.doc), name) != 0)
                throw ValueError(fmt::format("{} has no derivative to check", name));
    throw ValueError(fmt::format("there is no op {}; docs/ops.md has all", name));
}

}  // namespace wengert::program
