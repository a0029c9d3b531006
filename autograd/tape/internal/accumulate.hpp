#pragma once

#include <wengert/autograd/tensor/tensor.hpp>

namespace wengert {

/// a + b of one shape and dtype, differentiable: how contributions to a cotangent are summed when the backward pass is
/// itself recorded.
Tensor accumulate(const Tensor& a, const Tensor& b);

}  // namespace wengert
