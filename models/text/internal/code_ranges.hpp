#pragma once

#include <algorithm>
#include <span>

namespace wengert {

/// Code points that follow one another, both ends included.
struct CodeRange {
    char32_t first, last;
};

inline bool in_any(std::span<const CodeRange> ranges, char32_t code) {
    return std::ranges::any_of(ranges, [&](const CodeRange& r) { return r.first <= code && code <= r.last; });
}

}  // namespace wengert
