#pragma once

#include <cstddef>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// The most bytes that tensors and tapes of all threads may have from the system together; 0, as in the beginning, is
/// no limit. What is beyond it is refused as if the system had no more, after unused memory was given back: a tensor is
/// an OutOfMemoryError. Memory that is in use already stays.
void set_memory_limit(std::size_t bytes);
std::size_t memory_limit();

/// What tensors and tapes of all threads have from the system, cached blocks included.
std::size_t system_bytes();

}  // namespace wengert
