#pragma once

#include <functional>
#include <string>
#include <wengert/autograd/check/gradcheck.hpp>

namespace wengert {

struct Diagnosis {
    GradcheckVerdict verdict;
    std::string why;
};

/// Why an analytic derivative disagrees with the differences of a function: of along(t), the value at the distance t
/// from the point. The step sweeps over eight lengths around `step`. `rounding` is what one value rounds to.
Diagnosis diagnose(const std::function<double(double)>& along, double analytic, double step, double rounding);

}  // namespace wengert
