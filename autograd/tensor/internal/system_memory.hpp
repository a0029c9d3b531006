#pragma once

#include <cstddef>

/// The system's memory, counted, and within set_memory_limit().
namespace wengert::system_memory {

/// Null if the system has none, or the limit leaves none.
void* allocate(std::size_t alignment, std::size_t bytes) noexcept;
/// `bytes` is what allocate() was called with.
void deallocate(void* memory, std::size_t bytes) noexcept;

}  // namespace wengert::system_memory
