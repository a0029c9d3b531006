#pragma once

#include <concepts>
#include <cstdint>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// A height and a width, or one number for both: what is said of the two axes of images, of a kernel's too.
struct Size2d {
    std::int64_t height, width;  ///< in rows and columns

    /// The same for both.
    template <std::integral T>
    Size2d(T both) : height(both), width(both) {}
    /// Height before width.
    Size2d(std::int64_t h, std::int64_t w) : height(h), width(w) {}
    bool operator==(const Size2d&) const = default;
    /// How many elements it has.
    std::int64_t area() const { return height * width; }
};

}  // namespace wengert
