#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <wengert/autograd/check/gradcheck.hpp>

namespace wengert {

struct Diagnosis {
    GradcheckVerdict verdict;
    std::string why;
    bool at_jump = false;  ///< the value at the point may belong to neither side
};

/// How far two slopes at a point are apart that a smooth function has alike, at one length of the step.
struct Gap {
    double step, size;
};
/// The last of three gaps, the longest step first, that stay the same, however short the step: where the function has
/// a kink. The gaps of a smooth one fall with the step, and rounding drives them apart.
std::optional<std::size_t> find_lasting(std::span<const Gap> gaps, double rounding);

/// Why an analytic derivative disagrees with the differences of a function: of along(t), the value at the distance t
/// from the point. The step sweeps over eight lengths around `step`. `rounding` is what one value rounds to.
Diagnosis diagnose(const std::function<double(double)>& along, double analytic, double step, double rounding);
/// Whether the function has one derivative at a point where an analytic one agrees with the differences of both sides
/// together: the mean of the slopes of a kink does.
Diagnosis diagnose_agreement(const std::function<double(double)>& along, double analytic, double step, double rounding);

}  // namespace wengert
