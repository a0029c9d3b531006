#include <fmt/format.h>

#include "gradient_checks.hpp"
#include "verbs.hpp"

namespace wengert::program {
namespace {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
            return "passed";
        case Verdict::failed:
            return "FAILED";
        case Verdict::not_differentiable:
            return "not differentiable";
    }
    return "unknown";
}

}  // namespace

bool gradcheck() {
    int checks = 0, failures = 0;
    fmt::print("{:<52} {:>5}  {:>11}  {}\n", "op or layer", "order", "worst error", "verdict");
    const auto print = [&](const GradientCheck& row) {
        ++checks;
        if (row.order == 0)
            fmt::print("{:<52} {:>5}  {:>11}", row.subject, "-", "-");
        else
            fmt::print("{:<52} {:>5}  {:>11.1e}", row.subject, row.order, row.worst_error);
        fmt::print("  {}\n", to_string(row.verdict));
        if (row.verdict == Verdict::failed) {
            ++failures;
            fmt::print("    {}\n", row.message);
        }
        std::fflush(stdout);
    };
    check_ops(print);
    check_layers(print);
    fmt::print("{} checks, {} failed\n", checks, failures);
    return failures == 0;
}

}  // namespace wengert::program
