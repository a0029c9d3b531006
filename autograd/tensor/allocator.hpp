#pragma once

#include <cstddef>
#include <cstdint>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Counters of the calling thread's allocator. Bytes are those of the blocks handed out, rounded up to their size
/// class. What is cached, and asked of the system, includes the memory for large blocks, which all threads share.
struct AllocatorStatistics {
    std::int64_t live_bytes = 0;          ///< handed out and not yet returned
    std::int64_t peak_live_bytes = 0;     ///< the most that live_bytes has been since reset_peak_live_bytes()
    std::int64_t cached_bytes = 0;        ///< returned and kept for the next request
    std::int64_t system_allocations = 0;  ///< how often the system was asked for memory, ever
};

/// The counters as they are now.
AllocatorStatistics allocator_statistics();
/// Its live_bytes alone, without a lock.
std::int64_t live_bytes();
/// Lets peak_live_bytes begin again at live_bytes.
void reset_peak_live_bytes();

/// A block of at least `bytes` bytes, aligned to 64. Blocks of up to 256 KiB come from a cache of the calling
/// thread, without a lock or a system call once the cache is warm; larger ones come from large_blocks.hpp. They may be
/// returned by any thread. Throws std::bad_alloc.
void* allocate(std::size_t bytes);
/// Returns a block to where the next request finds it; `bytes` must be what allocate() was called with.
void deallocate(void* block, std::size_t bytes) noexcept;

/// Gives the calling thread's cached blocks, and unused memory for large blocks, back to the system.
void release_cached_memory();

/// Objects of classes derived from this live in the same memory.
struct Cached {
    /// Takes a block from allocate().
    static void* operator new(std::size_t bytes) { return allocate(bytes); }
    /// Returns it by deallocate().
    static void operator delete(void* object, std::size_t bytes) { deallocate(object, bytes); }
};

/// The same memory for standard containers.
template <class T>
struct CachedAllocator {
    /// As the standard asks of an allocator.
    using value_type = T;
    CachedAllocator() = default;
    /// All are alike, whatever they allocate.
    template <class U>
    CachedAllocator(const CachedAllocator<U>&) {}
    /// Memory for n objects. Throws std::bad_alloc.
    T* allocate(std::size_t n) { return static_cast<T*>(wengert::allocate(n * sizeof(T))); }
    /// Returns the memory of n objects.
    void deallocate(T* p, std::size_t n) noexcept { wengert::deallocate(p, n * sizeof(T)); }
    friend bool operator==(const CachedAllocator&, const CachedAllocator&) { return true; }
};

}  // namespace wengert
