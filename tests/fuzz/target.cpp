// Mirrors no file: what fuzz targets share.

#include "target.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/tensor/memory_limit.hpp>

namespace {

/// Bytes of this thread's operator new, of which `most` is the most since it was set to `live`.
struct Heap {
    std::int64_t live = 0, most = 0;
};
thread_local Heap heap;

void* allocate_or_null(std::size_t bytes) {
    void* const memory = std::malloc(std::max<std::size_t>(bytes, 1));
    if (memory != nullptr) heap.live += static_cast<std::int64_t>(malloc_usable_size(memory));
    heap.most = std::max(heap.most, heap.live);
    return memory;
}

void* allocate_or_throw(std::size_t bytes) {
    void* const memory = allocate_or_null(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void give_back(void* memory) {
    if (memory != nullptr) heap.live -= static_cast<std::int64_t>(malloc_usable_size(memory));
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return allocate_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate_or_null(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return allocate_or_null(bytes); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }

namespace wengert::fuzz {
namespace {

/// A tensor beyond this is refused, so that a reader that asks for one does not take the machine's memory.
constexpr std::size_t most_tensor_bytes = std::size_t{32} << 20;

}  // namespace

void keep_promise(std::size_t input_bytes, const Bound& bound, const std::function<void()>& reader) {
    set_memory_limit(most_tensor_bytes);
    heap.most = heap.live;
    reset_peak_live_bytes();
    const std::int64_t heap_before = heap.live, tensors_before = live_bytes();
    try {
        reader();
    } catch (const OutOfMemoryError& error) {
        if (!bound.may_run_out) throw std::logic_error(fmt::format("an input asked for too much: {}", error.what()));
    } catch (const Error& error) {
        require(*error.what() != '\0', "an Error has no text");
    }
    const std::int64_t taken = heap.most - heap_before + allocator_statistics().peak_live_bytes - tensors_before;
    const std::size_t most = bound.each * input_bytes + bound.fixed;
    if (!bound.may_run_out && taken > static_cast<std::int64_t>(most))
        throw std::logic_error(
            fmt::format("an input of {} bytes took {} bytes of memory, more than {}", input_bytes, taken, most));
}

void require(bool holds, const char* sentence) {
    if (!holds) throw std::logic_error(sentence);
}

std::uint8_t Bytes::byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
}

std::int64_t Bytes::number() {
    using Limits = std::numeric_limits<std::int64_t>;
    constexpr std::array extremes{Limits::min(),
                                  Limits::min() + 1,
                                  Limits::max(),
                                  Limits::max() - 1,
                                  std::int64_t{1} << 62,
                                  std::int64_t{1} << 59,
                                  std::int64_t{1} << 32,
                                  std::int64_t{1} << 31,
                                  -(std::int64_t{1} << 32),
                                  -(std::int64_t{1} << 62),
                                  std::int64_t{3} << 30,
                                  std::int64_t{1} << 40};
    const std::uint8_t kind = byte();
    if (kind < 192) return kind < 160 ? kind % 16 : -(kind % 16);
    if (kind < 240) return extremes[kind % extremes.size()];
    std::int64_t number = 0;
    const std::size_t bytes = std::min(rest_.size(), sizeof number);
    std::memcpy(&number, rest_.data(), bytes);
    rest_.remove_prefix(bytes);
    return number;
}

std::string_view Bytes::until(char end) {
    const std::size_t at = rest_.find(end);
    const std::string_view part = rest_.substr(0, at);
    rest_.remove_prefix(at == rest_.npos ? rest_.size() : at + 1);
    return part;
}

MemoryFile::MemoryFile() : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error(fmt::format("memfd_create: {}", std::strerror(errno)));
    path_ = fmt::format("/proc/self/fd/{}", descriptor_);
}

MemoryFile::~MemoryFile() { close(descriptor_); }

const std::filesystem::path& MemoryFile::holds(std::string_view bytes) {
    if (ftruncate(descriptor_, 0) != 0 ||
        pwrite(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error(fmt::format("a file in memory: {}", std::strerror(errno)));
    return path_;
}

}  // namespace wengert::fuzz
