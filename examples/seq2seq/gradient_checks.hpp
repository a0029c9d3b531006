#pragma once

#include <functional>
#include <string>

namespace wengert::program {

enum class Verdict { passed, failed, not_differentiable };

/// A row of the table: an op, a formula or a layer in first or second order.
struct GradientCheck {
    std::string subject;
    int order;           ///< 0 for what is not differentiable
    double worst_error;  ///< the largest over all samples, relative to the derivatives where these exceed 1
    Verdict verdict;
    std::string message;  ///< why it failed, with the sample that did
};

using GradientCheckReport = std::function<void(const GradientCheck&)>;

/// Checks every op of all_ops() with all its samples. An op without derivative passes by refusing to give one.
void check_ops(const GradientCheckReport& report);

/// Checks formulas of several ops as map() and map_sum() fuse them, the layers, and the whole model's loss by every
/// parameter, in float64.
void check_layers(const GradientCheckReport& report);

}  // namespace wengert::program
