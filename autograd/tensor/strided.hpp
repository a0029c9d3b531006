#pragma once

#include <algorithm>
#include <array>
#include <wengert/autograd/tensor/tensor.hpp>

/// What kernels may assume of strides. They count elements, along axes of any order.
/// - None is negative: a view op that reversed an axis would have to copy. A kernel that orders axes by their steps
///   (arrange() in nest.hpp, may_interleave() below) relies on it.
/// - An operand that is only read may have strides of 0, where it is stretched.
/// - What is written has no stride of 0 along an axis longer than 1: no two of its elements stand at one place, so that
///   threads may share them.
/// - Strides of axes of length 1, and of tensors without elements, say nothing.
namespace WENGERT_EXPORT wengert {

/// Where a kernel puts its result: into `tensor`, or, if `accumulate`, on top of what is there.
struct Destination {
    Tensor tensor;            ///< where to write, strided or not
    bool accumulate = false;  ///< whether to add to what is there
};

/// Copies or adds `source` into a destination of the same shape, whatever the strides; types are converted. Counts as a
/// write to the destination, as fill() does. Throws ShapeError for another shape, ValueError for a number that an
/// integer dtype cannot hold, and DtypeError if it adds to a dtype that is stored only.
void write(const Tensor& source, const Destination& destination);

/// The tensor itself if it is contiguous, else a contiguous copy of its elements; not recorded.
Tensor packed(const Tensor& x);

/// Sets every element of a strided view. Throws ValueError for a number that its dtype cannot hold.
void fill(const Tensor& destination, double value);

/// Whether one pass may write two targets element by element: they are the same, or share no element.
bool may_interleave(const Destination& a, const Destination& b);

/// Drops axes of length one and joins neighbours that are one run of memory in all operands, so that the inner loop is
/// as long as it can be. At least one axis is left.
template <std::size_t N>
void simplify(Shape& shape, std::array<Shape, N>& strides) {
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        if (shape[axis] == 1) {
            shape.erase(axis);
            for (Shape& s : strides) s.erase(axis);
        }
    }
    for (int axis = shape.rank() - 2; axis >= 0; --axis) {
        const bool joins = std::all_of(strides.begin(), strides.end(),
                                       [&](const Shape& s) { return s[axis] == s[axis + 1] * shape[axis + 1]; });
        if (!joins) continue;
        shape[axis] *= shape[axis + 1];
        shape.erase(axis + 1);
        for (Shape& s : strides) {
            s[axis] = s[axis + 1];
            s.erase(axis + 1);
        }
    }
    if (shape.rank() == 0) {
        shape.push_back(1);
        for (Shape& s : strides) s.push_back(1);
    }
}

/// Calls `f(offsets)` for each position of the axes of `shape` before the last, with one offset in elements for every
/// operand. The innermost axis is left to f.
template <std::size_t N, class F>
void for_each_outer_position(const Shape& shape, const std::array<Shape, N>& strides, F&& f) {
    if (shape.numel() == 0) return;
    const int outer = shape.rank() - 1;
    std::array<std::int64_t, N> offsets{};
    std::array<std::int64_t, Shape::max_rank> index{};
    while (true) {
        f(offsets);
        int axis = outer - 1;
        for (; axis >= 0; --axis) {
            for (std::size_t k = 0; k < N; ++k) offsets[k] += strides[k][axis];
            if (++index[axis] < shape[axis]) break;
            for (std::size_t k = 0; k < N; ++k) offsets[k] -= strides[k][axis] * shape[axis];
            index[axis] = 0;
        }
        if (axis < 0) return;
    }
}

}  // namespace wengert
