#pragma once

#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>

namespace wengert {

/// gradcheck() of f as a whole: where it has a kink, the ops that it is made of are not looked at one by one.
GradcheckResult gradcheck_whole(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                                const GradcheckOptions& options);

}  // namespace wengert
