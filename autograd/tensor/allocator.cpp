#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <utility>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/internal/large_blocks.hpp>
#include <wengert/autograd/tensor/internal/poison.hpp>
#include <wengert/autograd/tensor/internal/system_memory.hpp>

namespace wengert {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t small_limit = 1024;  // below: a class every 64 bytes; above: eight classes in every doubling
constexpr std::size_t large_limit = std::size_t{1} << 18;  // above: large_blocks
constexpr int steps_per_doubling = 8;
constexpr int small_classes = small_limit / alignment;
constexpr int class_count =
    small_classes + steps_per_doubling * (std::countr_zero(large_limit) - std::countr_zero(small_limit));
/// What a thread's cache may hold beyond the most that it has handed out: blocks that other threads have made.
constexpr std::int64_t most_foreign_bytes = std::int64_t{64} << 20;

/// The class of a request.
int size_class(std::size_t bytes) {
    if (bytes <= small_limit)
        return static_cast<int>(std::max<std::size_t>(1, (bytes + alignment - 1) / alignment)) - 1;
    const int doubling = std::bit_width(bytes - 1) - 1;  // 2^doubling < bytes <= 2^(doubling + 1)
    const std::size_t step = std::size_t{1} << (doubling - 3);
    const std::size_t steps = (bytes + step - 1) / step;  // 9 .. 16
    return small_classes + (doubling - 10) * steps_per_doubling + static_cast<int>(steps) - 9;
}

std::size_t class_bytes(int index) {
    if (index < small_classes) return (static_cast<std::size_t>(index) + 1) * alignment;
    const int doubling = 10 + (index - small_classes) / steps_per_doubling;
    const auto steps = static_cast<std::size_t>((index - small_classes) % steps_per_doubling + 9);
    return steps << (doubling - 3);
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
    for (int index = 0; index < class_count; ++index)
        for (FreeBlock*& list = cache.free_lists[static_cast<std::size_t>(index)]; list != nullptr;)
            system_memory::deallocate(std::exchange(list, list->next), class_bytes(index));
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
    void* block = system_memory::allocate(alignment, bytes);
    if (block == nullptr) {
        release_cached_memory();
        block = system_memory::allocate(alignment, bytes);
        if (block == nullptr) throw std::bad_alloc();
    }
    ++cache.statistics.system_allocations;
    return block;
}

void count_live(std::int64_t bytes) {
    AllocatorStatistics& statistics = cache.statistics;
    statistics.live_bytes += bytes;
    statistics.peak_live_bytes = std::max(statistics.peak_live_bytes, statistics.live_bytes);
}

}  // namespace

AllocatorStatistics allocator_statistics() {
    AllocatorStatistics statistics = cache.statistics;
    statistics.cached_bytes += large_blocks::free_bytes();
    statistics.system_allocations += large_blocks::system_allocations();
    return statistics;
}
std::int64_t live_bytes() { return cache.statistics.live_bytes; }
void reset_peak_live_bytes() { cache.statistics.peak_live_bytes = cache.statistics.live_bytes; }
void release_cached_memory() {
    empty_cache();
    large_blocks::release();
}

void* allocate(std::size_t bytes) {
    if (bytes > large_limit) {
        void* const block = large_blocks::allocate(bytes);
        count_live(static_cast<std::int64_t>(large_blocks::taken_bytes(block)));
        return block;
    }
    const int index = size_class(bytes);
    FreeBlock*& list = cache.free_lists[index];
    const std::size_t taken = class_bytes(index);
    void* block = list;
    if (block != nullptr) {
        list = list->next;
        __builtin_prefetch(list);  // by the next request
        cache.statistics.cached_bytes -= static_cast<std::int64_t>(taken);
    } else {
        block = from_system(taken);
    }
    count_live(static_cast<std::int64_t>(taken));
    ASAN_POISON_MEMORY_REGION(block, taken);
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
    if (bytes > large_limit) {
        count_live(-static_cast<std::int64_t>(large_blocks::taken_bytes(block)));
        return large_blocks::deallocate(block);
    }
    const int index = size_class(bytes);
    const std::size_t taken = class_bytes(index);
    count_live(-static_cast<std::int64_t>(taken));
    ASAN_UNPOISON_MEMORY_REGION(block, taken);
    if (cache.life == Cache::Life::untouched) empty_cache_at_thread_exit();
    AllocatorStatistics& statistics = cache.statistics;
    if (cache.life == Cache::Life::retired || statistics.cached_bytes > statistics.peak_live_bytes + most_foreign_bytes)
        return system_memory::deallocate(block, taken);
    cache.free_lists[index] = new (block) FreeBlock{cache.free_lists[index]};
    ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(block) + sizeof(FreeBlock), taken - sizeof(FreeBlock));
    statistics.cached_bytes += static_cast<std::int64_t>(taken);
}

}  // namespace wengert
