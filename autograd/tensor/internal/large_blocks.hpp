#pragma once

#include <cstddef>
#include <cstdint>

/// Memory for blocks of more than 256 KiB, shared by all threads. Blocks are cut from segments that the system gave,
/// from a small one of the free pieces that are large enough, and join their free neighbours when they return: the
/// large tensors of steps whose shapes differ use the same memory again. A lock is taken, for a time that is nothing
/// beside the work on such a block.
namespace wengert::large_blocks {

/// A block aligned to 64 bytes. Throws std::bad_alloc.
void* allocate(std::size_t bytes);
void deallocate(void* block) noexcept;

/// The bytes that a block takes from its segment.
std::size_t taken_bytes(const void* block);

/// Bytes that are in segments and not in blocks, and how often the system was asked for a segment, ever.
std::int64_t free_bytes();
std::int64_t system_allocations();

/// Gives the segments without blocks back to the system.
void release() noexcept;

}  // namespace wengert::large_blocks
