#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Elements by their positions along an axis.
namespace WENGERT_EXPORT wengert {

/// y[.., i, ..] = x[.., index[.., i, ..], ..]: x [.., n, ..], index int64 [.., k, ..] -> [.., k, ..], as NumPy's
/// take_along_axis(). index has the shape of x but for the axis, or 1 along others, which stretches. PyTorch's gather()
/// differs there: an index that is shorter along another axis, also one of 1, reads the first slices of x alone, which
/// is gather(slice(x, ..), ..) here. x may be of any dtype. Derivative: scatter_add(). Throws ShapeError for an axis
/// that x does not have and for an index of another shape, DtypeError unless the index is int64 or int32, ValueError
/// for a position outside [0, n).
Tensor gather(const Input& x, int axis, const Tensor& index);

struct Gather {
    static constexpr std::string_view name = "gather";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"gather(x, axis, index)", "[.., n, ..], int64 [.., k, ..] -> [.., k, ..]",
                               "x[.., index[.., i, ..], ..]", "ct added at the positions"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 1;
    static constexpr std::array<std::string_view, 2> operands{"index", "x"};
    int axis;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs& in) const { return in[1].dtype(); }
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// x plus the values at positions along an axis: y = x, and y[.., index[.., i, ..], ..] += values[.., i, ..]. Values of
/// one position are summed in the order of i, for any number of threads, and the sum is added to x. x [.., n, ..],
/// index int64 and values [.., k, ..] -> [.., n, ..]. Derivative: ct; gather(ct, index). Throws what gather() throws,
/// ShapeError for values of another shape than the index, DtypeError unless x and values are float32 or float64 and
/// alike.
Tensor scatter_add(const Input& x, int axis, const Tensor& index, const Input& values);

/// What scatter_add() adds: zeros [.., n, ..] with values at positions.
struct ScatterAdd {
    static constexpr std::string_view name = "scatter_add";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"scatter_add(x, axis, index, values)",
                               "[.., n, ..], int64 [.., k, ..], [.., k, ..] -> [.., n, ..]",
                               "x, with values added at positions index", "ct; ct[.., index[.., i, ..], ..]"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 1;
    static constexpr std::array<std::string_view, 2> operands{"index", "values"};
    int axis;
    std::int64_t length;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs& in) const { return in[1].dtype(); }
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// The slices of x at positions along an axis: x [.., n, ..], positions int64 [k] -> [.., k, ..]. Derivative: ct added
/// at the positions. Throws what gather() throws, and ShapeError unless positions have one axis.
Tensor index_select(const Input& x, int axis, const Tensor& positions);

// clang-format off
using GatherOps = OpList<
    Gather,
    ScatterAdd>;
// clang-format on
template <class Op>
requires is_in<Op, GatherOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
