#include <atomic>
#include <cstdlib>
#include <wengert/autograd/tensor/internal/system_memory.hpp>
#include <wengert/autograd/tensor/memory_limit.hpp>

namespace wengert {
namespace {

constinit std::atomic<std::size_t> limit = 0, taken = 0;

/// Counts bytes that are about to be taken. False, and not counted, if they are beyond the limit.
bool take(std::size_t bytes) {
    const std::size_t most = limit;
    std::size_t before = taken;
    do {
        if (most != 0 && (bytes > most || before > most - bytes)) return false;
    } while (!taken.compare_exchange_weak(before, before + bytes));
    return true;
}

}  // namespace

void set_memory_limit(std::size_t bytes) { limit = bytes; }
std::size_t memory_limit() { return limit; }
std::size_t system_bytes() { return taken; }

void* system_memory::allocate(std::size_t alignment, std::size_t bytes) noexcept {
    if (!take(bytes)) return nullptr;
    void* const memory = std::aligned_alloc(alignment, bytes);
    if (memory == nullptr) taken -= bytes;
    return memory;
}

void system_memory::deallocate(void* memory, std::size_t bytes) noexcept {
    std::free(memory);
    taken -= bytes;
}

}  // namespace wengert
