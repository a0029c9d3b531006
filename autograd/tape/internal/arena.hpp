#pragma once

#include <cstddef>
#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>

namespace WENGERT_EXPORT wengert {

/// Memory that is given out bit by bit and returned all at once. Runs no destructors: whoever puts objects in does.
class Arena {
  public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() {
        for (const Chunk& chunk : chunks_) deallocate(chunk.begin, chunk.bytes);
    }

    /// Uninitialised memory for `n` objects of type T.
    template <class T>
    T* allocate_for(std::size_t n = 1) {
        return static_cast<T*>(take(n * sizeof(T), alignof(T)));
    }

  private:
    struct Chunk {
        std::byte* begin;
        std::size_t bytes;
    };
    static constexpr std::size_t chunk_bytes = 64 << 10;

    void* take(std::size_t bytes, std::size_t alignment) {
        std::size_t begin = (used_ + alignment - 1) / alignment * alignment;
        if (chunks_.empty() || begin + bytes > chunks_.back().bytes) {
            const std::size_t size = bytes > chunk_bytes ? bytes : chunk_bytes;
            if (chunks_.size() == chunks_.capacity())
                chunks_.reserve(2 * chunks_.size() + 1);  // so that nothing fails between the chunk and its owner
            chunks_.push_back({static_cast<std::byte*>(allocate(size)), size});
            begin = 0;
        }
        used_ = begin + bytes;
        return chunks_.back().begin + begin;
    }

    std::vector<Chunk, CachedAllocator<Chunk>> chunks_;
    std::size_t used_ = 0;
};

}  // namespace wengert
