#pragma once

#include <string>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

/// Tensors by name, in an order that means something to whoever lists them.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Copies the values of `from` into the tensors of the same names in `to`; floats of any dtype are converted. Throws
/// ValueError, before anything is copied, unless both have the same names, each once, with the same shapes, and
/// integers where the other has integers. The error lists all that is missing, unexpected or different.
void assign(const NamedTensors& to, const NamedTensors& from);

}  // namespace wengert
