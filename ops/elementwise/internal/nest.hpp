#pragma once

#include <array>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/strided.hpp>

namespace wengert {

/// A loop nest over the axes of `shape` with K operands, each with its strides: 0 along the axes over which it is
/// broadcast, or over which its elements are sums.
template <std::size_t K>
struct Nest {
    Shape shape;
    std::array<Shape, K> strides;
};

/// Whether `x` fills the space with elements side by side.
inline bool is_run(const Tensor& x, const Shape& space) { return x.shape() == space && x.is_contiguous(); }

/// The strides of `x` in a nest over `space`, to which its shape broadcasts.
inline Shape strides_in(const Tensor& x, const Shape& space) {
    Shape strides = space;
    const int missing = space.rank() - x.rank();
    for (int axis = 0; axis < space.rank(); ++axis) {
        const bool stretched = axis < missing || (x.shape()[axis - missing] == 1 && space[axis] != 1);
        strides[axis] = stretched ? 0 : x.strides()[axis - missing];
    }
    return strides;
}

/// Puts the axis with the shortest steps last, so that the inner loop runs along memory, and joins axes where it can.
template <std::size_t K>
void arrange(Nest<K>& nest) {
    const auto shorter = [&](int a, int b) {  // whether axis a has the shorter steps, judged by the first that differs
        for (const Shape& s : nest.strides) {
            if (s[a] == 0 || s[b] == 0 || s[a] == s[b]) continue;
            return s[a] < s[b];
        }
        return false;
    };
    for (int last = nest.shape.rank() - 1; last > 0; --last) {
        for (int axis = 0; axis < last; ++axis) {
            if (!shorter(axis, axis + 1)) continue;
            std::swap(nest.shape[axis], nest.shape[axis + 1]);
            for (Shape& s : nest.strides) std::swap(s[axis], s[axis + 1]);
        }
    }
    simplify(nest.shape, nest.strides);
}

/// An axis on which each of the operands with a bit in `written` moves, so that threads who share it never write one
/// element; -1 if there is none.
template <std::size_t K>
int shared_axis(const Nest<K>& nest, std::uint64_t written) {
    int axis = -1;
    for (int a = 0; a < nest.shape.rank(); ++a) {
        bool clean = true;
        for (std::size_t k = 0; k < K; ++k) clean &= !(written >> k & 1) || nest.strides[k][a] != 0;
        if (clean && (axis < 0 || nest.shape[a] > 8 * nest.shape[axis])) axis = a;
    }
    return axis;
}

/// Calls row(offsets, strides, n) for n elements of each operand that stand `strides` apart, in parts for the threads.
template <std::size_t K, class Row>
void run(std::int64_t n, const std::array<std::int64_t, K>& strides, const Row& row) {
    parallel_ranges(n, 64, n, [&](std::int64_t begin, std::int64_t end) {
        std::array<std::int64_t, K> offsets;
        for (std::size_t k = 0; k < K; ++k) offsets[k] = begin * strides[k];
        row(offsets, strides, end - begin);
    });
}

/// The same for each innermost run of a nest. Threads share it along shared_axis(), if there is one.
template <std::size_t K, class Row>
void run(const Nest<K>& nest, std::uint64_t written, const Row& row) {
    const int axis = shared_axis(nest, written);
    const auto part = [&](std::int64_t begin, std::int64_t end) {
        Shape shape = nest.shape;
        std::array<std::int64_t, K> first{};
        if (axis >= 0) {
            shape[axis] = end - begin;
            for (std::size_t k = 0; k < K; ++k) first[k] = begin * nest.strides[k][axis];
        }
        const std::int64_t n = shape.back();
        std::array<std::int64_t, K> strides;
        for (std::size_t k = 0; k < K; ++k) strides[k] = nest.strides[k].back();
        for_each_row(shape, nest.strides, [&](std::array<std::int64_t, K> offsets) {
            for (std::size_t k = 0; k < K; ++k) offsets[k] += first[k];
            row(offsets, strides, n);
        });
    };
    if (axis < 0) return part(0, 1);
    const bool inner = axis == nest.shape.rank() - 1;
    parallel_ranges(nest.shape[axis], inner ? 64 : 1, nest.shape.numel(), part);
}

}  // namespace wengert
