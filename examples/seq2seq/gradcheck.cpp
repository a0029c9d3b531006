#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradient_checks.hpp"

namespace wengert::program {
namespace {

std::string_view verdict_of(const GradientCheck& row) {
    switch (row.verdict) {
        case Verdict::passed:
            return "passed";
        case Verdict::failed:
            return row.found == GradcheckVerdict::passed ? "failed" : to_string(row.found);
        case Verdict::not_differentiable:
            return "not differentiable";
    }
    return "unknown";
}

void print(const GradientCheck& row) {
    const std::string subject = row.subject + (row.input.empty() ? "" : ", " + row.input);
    if (row.order == 0)
        fmt::print("{:<52} {:>5}  {:>11}", subject, "-", "-");
    else
        fmt::print("{:<52} {:>5}  {:>11.1e}", subject, row.order, row.worst_error);
    fmt::print("  {}{}\n", row.verdict == Verdict::failed ? "FAILED: " : "", verdict_of(row));
    if (row.verdict == Verdict::failed) fmt::print("    {}\n", row.message);
    std::fflush(stdout);
}

/// The row in JSON, once for each operand.
void add_rows(nlohmann::ordered_json& rows, const GradientCheck& row) {
    const auto add = [&](const std::string& input, double error, std::string_view verdict) {
        rows.push_back(
            {{"op", row.subject}, {"input", input}, {"order", row.order}, {"error", error}, {"verdict", verdict}});
    };
    if (row.inputs.empty()) add(row.input, row.worst_error, verdict_of(row));
    for (const GradcheckInput& input : row.inputs) add(input.name, input.worst_error, to_string(input.verdict));
}

}  // namespace

GradientCheck::GradientCheck(std::string subject, int order, const GradcheckResult& result)
    : GradientCheck(std::move(subject), order, result.worst_error, result.passed ? Verdict::passed : Verdict::failed,
                    result.message) {
    found = result.verdict;
    inputs = result.inputs;
}

GradientCheck::GradientCheck(std::string subject, int order, double worst_error, Verdict verdict, std::string message)
    : subject(std::move(subject)),
      order(order),
      worst_error(worst_error),
      verdict(verdict),
      message(std::move(message)) {}

bool run_gradient_checks(const GradcheckFlags& flags) {
    int checks = 0, failures = 0;
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    const auto report = [&](const GradientCheck& row) {
        if (!flags.json && checks == 0)
            fmt::print("{:<52} {:>5}  {:>11}  {}\n", "op, layer or node", "order", "worst error", "verdict");
        ++checks;
        failures += row.verdict == Verdict::failed;
        if (flags.json)
            add_rows(rows, row);
        else
            print(row);
    };
    check_ops(report, flags.op);
    if (flags.op.empty()) {
        check_layers(report);
        check_nodes(report);
    }
    if (flags.json)
        fmt::print("{}\n", nlohmann::ordered_json{{"checks", rows}}.dump(2));
    else
        fmt::print("{} checks, {} failed\n", checks, failures);
    return failures == 0;
}

}  // namespace wengert::program
