#pragma once

#include <array>
#include <string>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Ops that show a tensor's elements in another arrangement, of any dtype. All but a reshape of a tensor whose elements
/// do not stand in order share the elements, and so do their cotangents.
namespace WENGERT_EXPORT wengert {

/// The same elements in row-major order under another shape; one length may be -1 and follows from the others. A view
/// where the strides allow it, else a copy. Derivative: ct in x's shape. Throws ShapeError if the numbers of elements
/// differ, or more than one length is -1.
Tensor reshape(const Input& x, const Shape& shape);

struct Reshape {
    static constexpr std::string_view name = "reshape";
    static constexpr OpDoc doc{"reshape(x, shape)", "[..] -> shape; one length may be -1",
                               "the elements in row-major order, a view if the strides allow it", "ct in x's shape"};
    Shape to;
    Tensor view(const Tensor& x) const;
    bool can_view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const { return reshape(cotangent, shape); }
    static std::vector<Sample> samples();
};

/// A new axis of length 1 before `axis`; -1 puts it at the end: [B, H] -> [B, 1, H] for axis 1. A view. Derivative: ct
/// without the axis. Throws ShapeError if x has not the axes before it, or as many as a tensor can have.
Tensor unsqueeze(const Input& x, int axis);

/// The tensor without an axis of length 1: [B, 1, H] -> [B, H] for axis 1. A view. Derivative: ct with the axis. Throws
/// ShapeError if there is no such axis, or if it is longer.
Tensor squeeze(const Input& x, int axis);
/// The same of every axis of length 1: [1, B, 1] -> [B].
Tensor squeeze(const Input& x);

/// Axis i of the result is axis order[i] of x: permute(x, {0, 2, 1}) of [B, T, H] is [B, H, T]. A view. Derivative: ct
/// permuted back. Throws ShapeError if `order` is not each axis of x once; a negative one counts from the end.
Tensor permute(const Input& x, const Shape& order);

struct Permute {
    static constexpr std::string_view name = "permute";
    static constexpr OpDoc doc{"permute(x, order)", "axis i of the result is axis order[i]", "a view",
                               "ct permuted back"};
    Shape order;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    static std::vector<Sample> samples();
};

/// Two axes exchanged, by default the last two: [.., m, n] -> [.., n, m]. A view. Derivative: ct with the same axes
/// exchanged. Throws ShapeError for an axis that x does not have.
Tensor transpose(const Input& x, int axis_a = -2, int axis_b = -1);

/// Axes of length 1, or missing in front, stretched as broadcasting does: [3, 1] to [2, 3, 4]. A view; x itself if it
/// has the shape. Derivative: ct summed over what was stretched. Throws ShapeError if it does not fit.
Tensor expand(const Input& x, const Shape& shape);

struct Expand {
    static constexpr std::string_view name = "expand";
    static constexpr OpDoc doc{"expand(x, shape)", "axes of 1, or missing in front, -> shape",
                               "a view that repeats elements", "ct summed over what was stretched"};
    static constexpr bool overlapping = true;  // elements appear more than once
    Shape to;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    static std::vector<Sample> samples();
};

/// Elements [begin, end) of an axis; negative positions count from the end: [.., n, ..] -> [.., end - begin, ..]. A
/// view. Derivative: ct at the slice, 0 elsewhere. Throws ShapeError if the axis or the positions do not exist.
Tensor slice(const Input& x, int axis, std::int64_t begin, std::int64_t end);

struct Slice {
    static constexpr std::string_view name = "slice";
    static constexpr OpDoc doc{"slice(x, axis, begin, end)", "[.., n, ..] -> [.., end - begin, ..]",
                               "elements begin .. end - 1, a view", "ct at the slice, 0 elsewhere"};
    int axis;
    std::int64_t begin, end;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    std::optional<Interval> interval() const { return Interval{axis, begin, end}; }
    static std::vector<Sample> samples();
};

/// Slices of equal length along an axis: const auto [r, z, n] = chunk<3>(x) makes three [.., H] of [.., 3H]. An axis
/// that does not divide is taken apart as by PyTorch: the length is rounded up, the last slice is shorter, and there
/// may be fewer than n: three, of 2, 2 and 1, for 5 and n = 4. Derivative: that of slice(). Throws ValueError for n <
/// 1, ShapeError if the axis does not exist, or if chunk<n>() would have fewer than n.
template <int n>
std::array<Tensor, n> chunk(const Input& x, int axis = -1);
std::vector<Tensor> chunk(const Input& x, int n, int axis);

/// Position `index` of an axis, which goes: select(x, 1, t) of [B, T, H] is [B, H]. Negative ones count from the end. A
/// view. Derivative: ct at the position, 0 elsewhere. Throws ShapeError if the axis or the position does not exist.
Tensor select(const Input& x, int axis, std::int64_t index);
/// x[i]: along axis 0.
Tensor select(const Tensor& x, const Position& i);

struct Select {
    static constexpr std::string_view name = "select";
    static constexpr OpDoc doc{"select(x, axis, index), x[i]", "[.., n, ..] -> [.., ..]",
                               "the elements at a position of an axis, a view", "ct at the position, 0 elsewhere"};
    int axis;
    std::int64_t index;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    std::optional<Interval> interval() const { return Interval{axis, index, index + 1}; }
    static std::vector<Sample> samples();
};

/// The windows of `size` elements that begin at every step-th place of an axis; their elements are the last axis of the
/// result: [.., n, ..] -> [.., 1 + (n - size) / step, .., size], as PyTorch's Tensor.unfold(). A view. Derivative:
/// overlap_add(). Throws ShapeError if the axis does not exist or a window is longer, ValueError for a size or a step
/// below 1.
Tensor unfold(const Input& x, int axis, std::int64_t size, std::int64_t step);

struct Unfold {
    static constexpr std::string_view name = "unfold";
    static constexpr OpDoc doc{"unfold(x, axis, size, step)", "[.., n, ..] -> [.., 1 + (n - size) / step, .., size]",
                               "windows along an axis, a view", "ct added where the windows show it"};
    static constexpr bool overlapping = true;  // windows may share elements
    int axis;
    std::int64_t size, step;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    static std::vector<Sample> samples();
};

template <int n>
std::array<Tensor, n> chunk(const Input& x, int axis) {
    std::vector<Tensor> parts = chunk(x, n, axis);
    if (parts.size() != n)
        located("chunk", {x}, [&] {
            throw ShapeError("axis " + std::to_string(axis) + " of " + to_string(x.tensor().shape()) + " has only " +
                             std::to_string(parts.size()) + " parts, not " + std::to_string(n));
        });
    std::array<Tensor, n> result;
    std::ranges::move(parts, result.begin());
    return result;
}

// clang-format off
using ViewOps = OpList<
    Reshape,
    Permute,
    Expand,
    Slice,
    Select,
    Unfold>;
// clang-format on
template <class Op>
requires is_in<Op, ViewOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
