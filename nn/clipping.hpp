#pragma once

#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

/// Limits the Euclidean norm of all gradients together: multiplies them by min(1, max_norm / (norm + 1e-6)), as PyTorch
/// does, and returns the norm that they had (Pascanu et al. 2013, On the difficulty of training recurrent neural
/// networks). Elements that another handle refers to stay as they are, and the scaled copy takes their place in
/// `gradients`. The norm is summed in double, in the same order for any number of threads. If it is not finite, the
/// gradients stay as they are, so that Optimizer::step() can name the parameter. Throws ValueError if max_norm is
/// negative or NaN or a gradient is undefined, DtypeError unless all gradients are float32 or float64.
double clip_gradient_norm(std::vector<Tensor>& gradients, double max_norm);

}  // namespace wengert
