#pragma once

#include <vector>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Elements put or added to where positions say. gather() is the reverse, and scatter_add() its companion.
namespace WENGERT_EXPORT wengert {

/// x with values set at positions along an axis: y = x, but y[.., index[.., i, ..], ..] = values[.., i, ..], of the
/// largest i if a position is given twice. x [.., n, ..], index int64 and values [.., k, ..] -> [.., n, ..], of any
/// dtype. Derivative: ct, 0 at the positions; ct at the positions, 0 for a value that another one replaces. Throws what
/// gather() throws, ShapeError for values of another shape than the index, DtypeError for values of another dtype.
Tensor scatter(const Input& x, int axis, const Tensor& index, const Input& values);

struct Scatter {
    static constexpr std::string_view name = "scatter";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"scatter(x, axis, index, values)",
                               "[.., n, ..], int64 [.., k, ..], [.., k, ..] -> [.., n, ..]",
                               "x, with values set at positions index", "ct, 0 at the positions; ct at the positions"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 1;
    static constexpr std::array<std::string_view, 3> operands{"index", "x", "values"};
    int axis;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs& in) const { return in[1].dtype(); }
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// The slices of x at positions along its first axes, NumPy's x[i, j]: x [n, m, ..], int64 positions that broadcast to
/// [p..] -> [p.., ..]. A negative position counts from the end. Derivative: ct added at the positions. Throws
/// ShapeError for more positions than axes or none, and if they do not broadcast, DtypeError unless they are int64 or
/// int32, ValueError for one outside its axis.
Tensor index(const Input& x, const std::vector<Tensor>& positions);

/// x with values at positions along its first axes, counted as index() counts them, NumPy's x[i, j] = values: set, or
/// added if `accumulate`. values broadcast to [p.., ..]. Where a place is given twice, the last value is set, and all
/// are added. Derivative: that of scatter() or scatter_add(). Throws what index() throws, and ShapeError if the values
/// do not broadcast.
Tensor index_put(const Input& x, const std::vector<Tensor>& positions, const Input& values, bool accumulate = false);

/// Sums of the slices of each segment: values [k, ..], segments int64 [k] in any order -> [n, ..]; 0 for a segment
/// without slices. Derivative: ct[segments]. Throws ShapeError unless there is a segment for each slice, DtypeError for
/// integer values or segments that are no int64 or int32, ValueError for a segment outside [0, n) and for n < 0.
Tensor segment_sum(const Input& values, const Tensor& segments, std::int64_t n);

// clang-format off
using ScatterOps = OpList<
    Scatter>;
// clang-format on
template <class Op>
requires is_in<Op, ScatterOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
