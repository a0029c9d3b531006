#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <wengert/autograd/tensor/internal/large_blocks.hpp>
#include <wengert/autograd/tensor/internal/poison.hpp>
#include <wengert/autograd/tensor/internal/system_memory.hpp>

namespace wengert::large_blocks {
namespace {

constexpr std::size_t page = std::size_t{4} << 10, huge_page = std::size_t{2} << 20;
/// A rest of fewer bytes stays with the block that it would be cut from.
constexpr std::size_t least_rest = std::size_t{16} << 10;
constexpr std::size_t most_bytes = std::size_t{1} << 47;  // more is a fault of the caller
constexpr std::size_t least_segment = std::size_t{32} << 20;

/// A block or a free piece, in front of its memory. Together they fill their segment.
struct alignas(64) Piece {
    std::size_t bytes;     // this header included
    Piece* before;         // the neighbour at the lower address; null at the segment's begin
    bool is_last = false;  // at the segment's end
    bool is_free = false;
    Piece *next = nullptr, *previous = nullptr;  // among the free ones of its size

    Piece* after() { return is_last ? nullptr : reinterpret_cast<Piece*>(reinterpret_cast<std::byte*>(this) + bytes); }
};

std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

/// Free pieces by size: eight lists in every doubling.
class Pieces {
  public:
    void insert(Piece* piece) {
        Piece*& first = lists_[list_of(piece->bytes)];
        piece->is_free = true;
        piece->previous = nullptr;
        piece->next = first;
        if (first != nullptr) first->previous = piece;
        first = piece;
        bytes_ += piece->bytes;
    }
    void remove(Piece* piece) {
        (piece->previous != nullptr ? piece->previous->next : lists_[list_of(piece->bytes)]) = piece->next;
        if (piece->next != nullptr) piece->next->previous = piece->previous;
        piece->is_free = false;
        bytes_ -= piece->bytes;
    }
    /// A piece of at least `bytes`: of the first list that has one, the smallest of those that are looked at; null if
    /// there is none.
    Piece* find(std::size_t bytes) const {
        // Headers are pages apart, so that a long list is not walked to its end, but before the system is asked.
        constexpr std::size_t most = 32;
        Piece* const piece = find(bytes, most);
        return piece != nullptr ? piece : find(bytes, std::size_t(-1));
    }
    /// The pieces that are a whole segment leave their lists and are handed to f.
    template <class F>
    void remove_segments(const F& f) {
        for (Piece* first : lists_) {
            for (Piece* piece = first; piece != nullptr;) {
                Piece* const next = piece->next;
                if (piece->before == nullptr && piece->is_last) {
                    remove(piece);
                    f(piece);
                }
                piece = next;
            }
        }
    }
    std::size_t bytes() const { return bytes_; }

  private:
    Piece* find(std::size_t bytes, std::size_t most) const {
        for (std::size_t list = list_of(bytes); list < lists_.size(); ++list) {
            Piece* best = nullptr;
            std::size_t looked_at = 0;
            for (Piece* piece = lists_[list]; piece != nullptr && looked_at < most; piece = piece->next, ++looked_at) {
                if (piece->bytes < bytes || (best != nullptr && piece->bytes >= best->bytes)) continue;
                best = piece;
                if (best->bytes - bytes < least_rest) break;  // nothing would be cut from it
            }
            if (best != nullptr) return best;
        }
        return nullptr;
    }
    static std::size_t list_of(std::size_t bytes) {
        const auto doubling = static_cast<std::size_t>(std::bit_width(bytes)) - 1;
        return doubling * 8 + (bytes >> (doubling - 3) & 7);
    }

    std::array<Piece*, 64 * 8> lists_{};
    std::size_t bytes_ = 0;
};

struct Heap {
    std::mutex mutex;
    Pieces free_pieces;
    std::size_t segment_bytes = 0;
    std::int64_t system_allocations = 0;
};
// Never destroyed, since tensors in static storage may outlive any object of this file.
Heap& heap() {
    static Heap* const heap = new Heap;
    return *heap;
}

void release(Heap& h) {
    h.free_pieces.remove_segments([&](Piece* segment) {
        h.segment_bytes -= segment->bytes;
        ASAN_UNPOISON_MEMORY_REGION(segment, segment->bytes);
        system_memory::deallocate(segment, segment->bytes);
    });
}

/// A segment of at least `bytes`, as one piece; the more there is already, the larger the segment.
Piece* new_segment(Heap& h, std::size_t bytes) {
    release(h);  // what is free is too small
    std::size_t size = round_up(std::max({bytes, least_segment, h.segment_bytes / 8}), huge_page);
    void* memory = system_memory::allocate(huge_page, size);
    if (memory == nullptr) {
        size = round_up(bytes, huge_page);
        memory = system_memory::allocate(huge_page, size);
        if (memory == nullptr) throw std::bad_alloc();
    }
    ::madvise(memory, size, MADV_HUGEPAGE);  // fewer misses of the address cache; no matter if the system refuses
    h.segment_bytes += size;
    ++h.system_allocations;
    return new (memory) Piece{.bytes = size, .before = nullptr, .is_last = true};
}

}  // namespace

void* allocate(std::size_t bytes) {
    if (bytes > most_bytes) throw std::bad_alloc();
    const std::size_t needed = round_up(bytes + sizeof(Piece), page);
    Heap& h = heap();
    const std::lock_guard lock(h.mutex);
    Piece* piece = h.free_pieces.find(needed);
    if (piece != nullptr)
        h.free_pieces.remove(piece);
    else
        piece = new_segment(h, needed);
    ASAN_UNPOISON_MEMORY_REGION(piece, piece->bytes);  // a new header may have to stand inside
    if (piece->bytes - needed >= least_rest) {
        Piece* const after = piece->after();
        auto* const rest = new (reinterpret_cast<std::byte*>(piece) + needed)
            Piece{.bytes = piece->bytes - needed, .before = piece, .is_last = piece->is_last};
        if (after != nullptr) after->before = rest;
        piece->bytes = needed;
        piece->is_last = false;
        h.free_pieces.insert(rest);
        ASAN_POISON_MEMORY_REGION(rest + 1, rest->bytes - sizeof(Piece));
    }
    ASAN_POISON_MEMORY_REGION(piece + 1, piece->bytes - sizeof(Piece));
    ASAN_UNPOISON_MEMORY_REGION(piece + 1, bytes);
    return piece + 1;
}

void deallocate(void* block) noexcept {
    Piece* piece = static_cast<Piece*>(block) - 1;
    Heap& h = heap();
    const std::lock_guard lock(h.mutex);
    const auto join = [](Piece* lower, Piece* upper) {
        lower->bytes += upper->bytes;
        lower->is_last = upper->is_last;
        if (Piece* const after = lower->after()) after->before = lower;
    };
    if (Piece* const after = piece->after(); after != nullptr && after->is_free) {
        h.free_pieces.remove(after);
        join(piece, after);
    }
    if (piece->before != nullptr && piece->before->is_free) {
        h.free_pieces.remove(piece->before);
        join(piece->before, piece);
        piece = piece->before;
    }
    h.free_pieces.insert(piece);
    ASAN_POISON_MEMORY_REGION(piece + 1, piece->bytes - sizeof(Piece));
}

std::size_t taken_bytes(const void* block) { return (static_cast<const Piece*>(block) - 1)->bytes; }

std::int64_t free_bytes() {
    Heap& h = heap();
    const std::lock_guard lock(h.mutex);
    return static_cast<std::int64_t>(h.free_pieces.bytes());
}

std::int64_t system_allocations() {
    Heap& h = heap();
    const std::lock_guard lock(h.mutex);
    return h.system_allocations;
}

void release() noexcept {
    Heap& h = heap();
    const std::lock_guard lock(h.mutex);
    release(h);
}

}  // namespace wengert::large_blocks
