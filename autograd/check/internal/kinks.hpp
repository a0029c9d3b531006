#pragma once

#include <wengert/autograd/check/internal/finite_differences.hpp>

namespace wengert {

/// As compare_with_differences(), but judged by what is beside the point, too. A rule that holds there, and gives here
/// a derivative between those, is not wrong where the function has no derivative: that is a kink. One that is wrong
/// there is wrong, kink or not. A check that passes costs no more.
Finding compare_beside_kinks(const Differentiated& map, const std::vector<Tensor>& inputs,
                             const GradcheckOptions& options, std::vector<GradcheckInput>& checked);

}  // namespace wengert
