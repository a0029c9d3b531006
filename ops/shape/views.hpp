#pragma once

#include <array>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Ops that show a tensor's elements in another arrangement. All but a reshape of a tensor whose elements do not stand
/// in order share the elements, and so do their cotangents.
namespace wengert {

/// The same elements in row-major order under another shape; one length may be -1 and follows from the others. A view
/// where the strides allow it, else a copy. Throws ShapeError if the numbers of elements differ.
Tensor reshape(const Input& x, const Shape& shape);
/// Axis i of the result is axis order[i] of x: permute(x, {0, 2, 1}).
Tensor permute(const Input& x, const Shape& order);
/// Two axes exchanged, by default the last two.
Tensor transpose(const Input& x, int axis_a = -2, int axis_b = -1);
/// Axes of length 1, or missing in front, stretched as broadcasting does: a view. Throws ShapeError if it does not fit.
Tensor expand(const Input& x, const Shape& shape);
/// Elements [begin, end) of an axis; negative positions count from the end. Throws ShapeError if they are outside.
Tensor slice(const Input& x, int axis, std::int64_t begin, std::int64_t end);
/// Position `index` of an axis, which goes: select(x, 1, t) of [B, T, H] is [B, H].
Tensor select(const Input& x, int axis, std::int64_t index);
/// A new axis of length 1 before `axis` (-1: at the end), and its removal.
Tensor unsqueeze(const Input& x, int axis);
Tensor squeeze(const Input& x, int axis);
/// x itself if its elements stand in row-major order without gaps, else a copy that does.
Tensor contiguous(const Input& x);

/// `n` slices of equal length along an axis: const auto [r, z, n] = chunk<3>(x).
template <int n>
std::array<Tensor, n> chunk(const Input& x, int axis = -1);
std::vector<Tensor> chunk(const Input& x, int n, int axis);

struct Reshape {
    static constexpr std::string_view name = "reshape";
    Shape to;
    Tensor view(const Tensor& x) const;
    bool can_view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const { return reshape(cotangent, shape); }
    static std::vector<Sample> samples();
};

struct Permute {
    static constexpr std::string_view name = "permute";
    Shape order;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    static std::vector<Sample> samples();
};

struct Expand {
    static constexpr std::string_view name = "expand";
    static constexpr bool overlapping = true;  // elements appear more than once
    Shape to;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    static std::vector<Sample> samples();
};

struct Slice {
    static constexpr std::string_view name = "slice";
    int axis;
    std::int64_t begin, end;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    std::optional<Interval> interval() const { return Interval{axis, begin, end}; }
    static std::vector<Sample> samples();
};

struct Select {
    static constexpr std::string_view name = "select";
    int axis;
    std::int64_t index;
    Tensor view(const Tensor& x) const;
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const;
    std::optional<Interval> interval() const { return Interval{axis, index, index + 1}; }
    static std::vector<Sample> samples();
};

/// Zeros of shape `to`, but for the elements [begin, end) of an axis, which are x: the reverse of slice.
struct PutSlice {
    static constexpr std::string_view name = "put_slice";
    static constexpr Saves saves = Saves::nothing;
    Shape to;
    int axis;
    std::int64_t begin, end;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

struct Contiguous {
    static constexpr std::string_view name = "contiguous";
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, back.cotangent()); }
    static std::vector<Sample> samples();
};

template <int n>
std::array<Tensor, n> chunk(const Input& x, int axis) {
    std::vector<Tensor> parts = chunk(x, n, axis);
    std::array<Tensor, n> result;
    std::ranges::move(parts, result.begin());
    return result;
}

}  // namespace wengert
