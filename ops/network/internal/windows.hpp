#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <wengert/autograd/tensor/tensor.hpp>
#include <wengert/ops/network/size2d.hpp>

/// What convolutions and pools share: numbers that say how windows lie on the last axes.
namespace wengert::windows {

/// No number of an option is greater, so that no sum of two products overflows.
inline constexpr std::int64_t largest = 0x7fffffff;

inline void require_between(std::string_view what, std::int64_t low, std::int64_t high,
                            std::initializer_list<std::int64_t> numbers) {
    for (const std::int64_t n : numbers)
        if (n < low || n > high) throw ValueError(fmt::format("{} is {}, outside [{}, {}]", what, n, low, high));
}

/// Over how many elements of an axis a kernel reaches, from its first to its last.
inline std::int64_t reach(std::int64_t kernel, std::int64_t dilation) { return dilation * (kernel - 1) + 1; }
/// How many windows that reach so far fit an axis with its padding.
inline std::int64_t count_fitting(std::int64_t length, std::int64_t reach, std::int64_t stride, std::int64_t padding) {
    const std::int64_t room = length + 2 * padding - reach;
    return room < 0 ? 0 : room / stride + 1;
}

inline std::int64_t divided_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// A size as the caller knows it: "3 x 5", or "5" along one axis. And what windows go over.
inline std::string text_of(Size2d size, int axes) {
    return axes == 2 ? fmt::format("{} x {}", size.height, size.width) : fmt::format("{}", size.width);
}
inline std::string_view kind_of(int axes) { return axes == 2 ? "images" : "sequences"; }

/// Of a kernel that is larger than images with their padding, or empty.
inline std::string misfit(Size2d kernel, Size2d dilation, Size2d image, int axes) {
    if (kernel.area() == 0) return fmt::format("a kernel of {} is empty", text_of(kernel, axes));
    return fmt::format("a kernel of {}{} does not fit {} of {} with their padding", text_of(kernel, axes),
                       dilation == Size2d(1) ? "" : " with dilation " + text_of(dilation, axes), kind_of(axes),
                       text_of(image, axes));
}

/// The last two axes as a size, or the last one, as that of an image of height 1; and a shape with others in their
/// place.
inline Size2d size_of(const Shape& shape, int axes) { return {axes == 2 ? shape[shape.rank() - 2] : 1, shape.back()}; }
inline Shape resized(Shape shape, Size2d size, int axes) {
    if (axes == 2) shape[shape.rank() - 2] = size.height;
    shape[shape.rank() - 1] = size.width;
    return shape;
}

}  // namespace wengert::windows
