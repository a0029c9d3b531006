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

/// The class of a request.
int size_class(std::size_t bytes) {
    if (bytes <= small_limit)
        return static_cast<int>(std::max<std::size_t>(1, (bytes + alignment - 1) / alignment)) - 1;
    const int doubling = std::bit_width(bytes - 1) - 1;  // 2^doubling < bytes <= 2^(doubling + 1)
    const std::size_t step = std::size_t{1} << (doubling - 3);
    const std::size_t steps = (bytes + step - 1) / step;  // 9 .. 16
    return small_classes + (doubling - 10) * steps_per_doubling + static_cast<int>(steps) - 9;
}

/// From this class on, a block of up to twice the size serves if there is none of its own: the large tensors of one
/// step are few, and rarely of one size.
constexpr int first_exchangeable = small_classes + steps_per_doubling * (20 - 10);

/// In front of a block above the small limit: the class that it was made for.
struct alignas(alignment) Header {
    int made_for;
};
bool has_header(int size_class) { return size_class >= small_classes; }

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

/// Where the memory of a block begins, as the system gave it.
void* memory_of(void* block, int size_class) {
    return has_header(size_class) ? static_cast<std::byte*>(block) - sizeof(Header) : block;
}

void empty_cache() {
    for (int index = 0; index < class_count; ++index) {
        FreeBlock*& list = cache.free_lists[index];
        while (list != nullptr) std::free(memory_of(std::exchange(list, list->next), index));
    }
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

void* from_system(int size_class) {
    if (cache.life == Cache::Life::untouched) empty_cache_at_thread_exit();
    const std::size_t bytes = class_bytes(size_class) + (has_header(size_class) ? sizeof(Header) : 0);
    void* memory = std::aligned_alloc(alignment, bytes);
    if (memory == nullptr) {
        empty_cache();
        memory = std::aligned_alloc(alignment, bytes);
        if (memory == nullptr) throw std::bad_alloc();
    }
    ++cache.statistics.system_allocations;
    if (!has_header(size_class)) return memory;
    return new (memory) Header{size_class} + 1;
}

/// A cached block for a request of a class: of that class, or of a larger one if it may be exchanged. The class of the
/// block, -1 if there is none.
int cached_class(int wanted) {
    const int end = wanted < first_exchangeable ? wanted + 1 : std::min(wanted + steps_per_doubling, class_count);
    for (int index = wanted; index < end; ++index)
        if (cache.free_lists[index] != nullptr) return index;
    return -1;
}

}  // namespace

AllocatorStatistics allocator_statistics() { return cache.statistics; }
void reset_peak_live_bytes() { cache.statistics.peak_live_bytes = cache.statistics.live_bytes; }
void release_cached_memory() { empty_cache(); }

void* allocate(std::size_t bytes) {
    if (bytes > std::size_t{1} << largest_doubling) throw std::bad_alloc();
    const int wanted = size_class(bytes);
    const int cached = cached_class(wanted);
    AllocatorStatistics& statistics = cache.statistics;
    void* block = nullptr;
    if (cached >= 0) {
        block = cache.free_lists[cached];
        cache.free_lists[cached] = cache.free_lists[cached]->next;
        statistics.cached_bytes -= static_cast<std::int64_t>(class_bytes(cached));
    } else {
        block = from_system(wanted);
    }
    const std::size_t taken = class_bytes(cached >= 0 ? cached : wanted);
    statistics.live_bytes += static_cast<std::int64_t>(taken);
    statistics.peak_live_bytes = std::max(statistics.peak_live_bytes, statistics.live_bytes);
    ASAN_POISON_MEMORY_REGION(block, taken);
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
    int index = size_class(bytes);
    if (has_header(index)) index = (static_cast<Header*>(block) - 1)->made_for;
    const std::size_t taken = class_bytes(index);
    cache.statistics.live_bytes -= static_cast<std::int64_t>(taken);
    ASAN_UNPOISON_MEMORY_REGION(block, taken);
    if (cache.life == Cache::Life::untouched) empty_cache_at_thread_exit();
    if (cache.life == Cache::Life::retired) return std::free(memory_of(block, index));
    cache.free_lists[index] = new (block) FreeBlock{cache.free_lists[index]};
    ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(block) + sizeof(FreeBlock), taken - sizeof(FreeBlock));
    cache.statistics.cached_bytes += static_cast<std::int64_t>(taken);
}

}  // namespace wengert
