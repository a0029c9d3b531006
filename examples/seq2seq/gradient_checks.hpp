#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>

namespace wengert::program {

enum class Verdict { passed, failed, not_differentiable };

/// A row of the table: an op, a formula, a layer or a node of a model, in first or second order.
struct GradientCheck {
    std::string subject;
    int order;           ///< 0 for what is not differentiable
    double worst_error;  ///< the largest over all samples, relative to the derivatives where these exceed 1
    Verdict verdict;
    std::string message;                                ///< why it failed, with the sample that did
    std::string input = {};                             ///< the worst sample, or the operand; empty: all inputs
    GradcheckVerdict found = GradcheckVerdict::passed;  ///< of gradcheck()
    std::vector<GradcheckInput> inputs = {};            ///< each operand, of each sample; empty: there is `input` alone

    GradientCheck(std::string subject, int order, const GradcheckResult& result);
    GradientCheck(std::string subject, int order, double worst_error, Verdict verdict, std::string message);
};

using GradientCheckReport = std::function<void(const GradientCheck&)>;

/// Checks everything in all_sampled() with all its samples, or the ops that bear a name and the functions of that name;
/// ValueError if there is none. An op without derivative passes by refusing to give one.
void check_ops(const GradientCheckReport& report, std::string_view name = {});

/// Checks formulas of several ops as map() and map_sum() fuse them, the layers, and the whole model's loss by every
/// parameter, in float64.
void check_layers(const GradientCheckReport& report);

/// Checks the reference system node by node, at the values that its loss gives them.
void check_nodes(const GradientCheckReport& report);

struct GradcheckFlags {
    std::string op;  ///< checks the ops and functions of this name alone
    /// Prints {"checks": [{"op", "input", "order", "error", "verdict"}, ..]} instead of a table: a row for each operand
    /// of each sample.
    bool json = false;
};
/// Runs all checks and prints them; whether all have passed.
bool run_gradient_checks(const GradcheckFlags& flags = {});

}  // namespace wengert::program
