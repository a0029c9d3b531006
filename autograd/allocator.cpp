#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>
// Under AddressSanitizer cached blocks and the rounding behind live ones are out of bounds.
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif
#include <wengert/autograd/allocator.hpp>

namespace wengert {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t small_limit = 1024;  // below: a class every 64 bytes; above: eight classes in every doubling
constexpr int steps_per_doubling = 8;
constexpr int small_classes = small_limit / alignment;
constexpr int largest_doubling = 47;
constexpr int class_count = small_classes + steps_per_doubling * (largest_doubling - 10);

struct SizeClass {
    int index;
    std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
    if (bytes <= small_limit) {
        const std::size_t units = std::max<std::size_t>(1, (bytes + alignment - 1) / alignment);
        return {static_cast<int>(units) - 1, units * alignment};
    }
    const int doubling = std::bit_width(bytes - 1) - 1;  // 2^doubling < bytes <= 2^(doubling + 1)
    const std::size_t step = std::size_t{1} << (doubling - 3);
    const std::size_t steps = (bytes + step - 1) / step;  // 9 .. 16
    const int index = small_classes + (doubling - 10) * steps_per_doubling + static_cast<int>(steps) - 9;
    return {index, steps * step};
}

struct FreeBlock {
    FreeBlock* next;
};

/// One thread's cache. Trivially destructible on purpose, so that tensors in static or thread storage may outlive the
/// thread's other objects; ThreadExit below empties it.
struct Cache {
    std::array<FreeBlock*, class_count> free_lists{};
    AllocatorStatistics statistics;
    enum class Life { untouched, in_use, retired } life = Life::untouched;
};
constinit thread_local Cache cache;

void empty_cache() {
    for (FreeBlock*& list : cache.free_lists)
        while (list != nullptr) std::free(std::exchange(list, list->next));
    cache.statistics.cached_bytes = 0;
}

struct ThreadExit {
    ThreadExit() { cache.life = Cache::Life::in_use; }
    ~ThreadExit() {
        empty_cache();
        cache.life = Cache::Life::retired;
    }
};
void empty_cache_at_thread_exit() { thread_local const ThreadExit thread_exit; }

void* from_system(std::size_t bytes) {
    if (cache.life == Cache::Life::untouched) empty_cache_at_thread_exit();
    void* block = std::aligned_alloc(alignment, bytes);
    if (block == nullptr) {
        empty_cache();
        block = std::aligned_alloc(alignment, bytes);
        if (block == nullptr) throw std::bad_alloc();
    }
    ++cache.statistics.system_allocations;
    return block;
}

}  // namespace

AllocatorStatistics allocator_statistics() { return cache.statistics; }
void reset_peak_live_bytes() { cache.statistics.peak_live_bytes = cache.statistics.live_bytes; }
void release_cached_memory() { empty_cache(); }

void* allocate(std::size_t bytes) {
    if (bytes > std::size_t{1} << largest_doubling) throw std::bad_alloc();
    const SizeClass size = size_class(bytes);
    AllocatorStatistics& statistics = cache.statistics;
    void* block = cache.free_lists[size.index];
    if (block != nullptr) {
        cache.free_lists[size.index] = cache.free_lists[size.index]->next;
        statistics.cached_bytes -= static_cast<std::int64_t>(size.bytes);
    } else {
        block = from_system(size.bytes);
    }
    statistics.live_bytes += static_cast<std::int64_t>(size.bytes);
    statistics.peak_live_bytes = std::max(statistics.peak_live_bytes, statistics.live_bytes);
    ASAN_POISON_MEMORY_REGION(block, size.bytes);
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
    const SizeClass size = size_class(bytes);
    cache.statistics.live_bytes -= static_cast<std::int64_t>(size.bytes);
    ASAN_UNPOISON_MEMORY_REGION(block, size.bytes);
    if (cache.life == Cache::Life::untouched) empty_cache_at_thread_exit();
    if (cache.life == Cache::Life::retired) return std::free(block);
    cache.free_lists[size.index] = new (block) FreeBlock{cache.free_lists[size.index]};
    ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(block) + sizeof(FreeBlock), size.bytes - sizeof(FreeBlock));
    cache.statistics.cached_bytes += static_cast<std::int64_t>(size.bytes);
}

}  // namespace wengert
