#pragma once

#include <cstdint>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// The positions at which a function draws random numbers: noted when it runs first, and given out again, in the same
/// order, when it runs once more. A source of random numbers that is a position in a sequence asks take(), and the
/// second run gets the numbers of the first, whatever was drawn since.
class Draws {
  public:
    /// The position at which `count` numbers are to be drawn by a source that is at `position`, which moves on; it
    /// stays while draws are repeated. Throws TapeError if there are more of them than at first.
    static std::uint64_t take(std::uint64_t& position, std::uint64_t count);

    /// While it lives, draws of this thread are noted in a list.
    class Note;
    /// While it lives, they are taken from a list.
    class Repeat;
    /// While it lives, this thread draws at the positions that it says: for kernels, whose op took its numbers before.
    class Apart;
    /// Whether a function runs once more.
    static bool is_repeating() {
        const Draws* draws = innermost_;
        while (draws != nullptr && draws->repeated_ == nullptr) draws = draws->outer_;
        return draws != nullptr;
    }

  private:
    Draws(std::vector<std::uint64_t>* noted, const std::vector<std::uint64_t>* repeated)
        : noted_(noted), repeated_(repeated), outer_(innermost_) {
        innermost_ = this;
    }
    ~Draws() { innermost_ = outer_; }
    Draws(const Draws&) = delete;
    Draws& operator=(const Draws&) = delete;

    constinit static inline thread_local Draws* innermost_ = nullptr;
    std::vector<std::uint64_t>* const noted_;           // one of them
    const std::vector<std::uint64_t>* const repeated_;  // is null
    std::size_t next_ = 0;
    Draws* const outer_;
};

class Draws::Note : Draws {
  public:
    /// Appends to `positions`, which must outlive this.
    explicit Note(std::vector<std::uint64_t>& positions) : Draws(&positions, nullptr) {}
};

class Draws::Repeat : Draws {
  public:
    /// Reads `positions`, which must outlive this.
    explicit Repeat(const std::vector<std::uint64_t>& positions) : Draws(nullptr, &positions) {}
    /// Whether all have been taken.
    bool is_done() const { return next_ == repeated_->size(); }
};

class Draws::Apart {
  public:
    Apart() : outer_(std::exchange(innermost_, nullptr)) {}
    ~Apart() { innermost_ = outer_; }
    Apart(const Apart&) = delete;
    Apart& operator=(const Apart&) = delete;

  private:
    Draws* const outer_;
};

}  // namespace wengert
