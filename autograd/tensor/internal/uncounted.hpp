#pragma once

#include <wengert/autograd/tensor/strided.hpp>

/// write() and fill() of strided.hpp for tensors that nobody has seen yet: they do not count as writes.
namespace wengert::uncounted {

void write(const Tensor& source, const Destination& destination);
void fill(const Tensor& destination, double value);

}  // namespace wengert::uncounted
