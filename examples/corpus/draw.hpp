#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <stdexcept>

namespace wengert::english_chinese {

/// Source of choices that is the same on every platform: a 64-bit linear congruential generator (Knuth's MMIX
/// constants) of which the high bits are used. The standard library's distributions differ between vendors.
class Draw {
  public:
    explicit Draw(std::uint64_t seed) : state_(seed) {}

    /// A number in [0, count); `count` must be positive and below 2^32.
    std::size_t below(std::size_t count) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>(((state_ >> 32) * count) >> 32);
    }

    /// True in `wins` of `of` cases.
    bool chance(std::size_t wins, std::size_t of) { return below(of) < wins; }

    /// One element of a non-empty table.
    template <typename Table>
    const auto& from(const Table& table) {
        return *(std::begin(table) + static_cast<std::ptrdiff_t>(below(std::size(table))));
    }

    /// One element of those in a table that satisfy the predicate; std::logic_error if none does.
    template <typename Table, typename Predicate>
    const auto& from(const Table& table, Predicate accepts) {
        const auto count = std::count_if(std::begin(table), std::end(table), accepts);
        if (count == 0) throw std::logic_error("built-in corpus: no word of the lexicon fits");
        std::size_t skipped = below(static_cast<std::size_t>(count));
        return *std::find_if(std::begin(table), std::end(table),
                             [&](const auto& entry) { return accepts(entry) && skipped-- == 0; });
    }

  private:
    std::uint64_t state_;
};

}  // namespace wengert::english_chinese
