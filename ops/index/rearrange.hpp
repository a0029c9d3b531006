#pragma once

#include <optional>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

/// Arrangements that are composed of views and lookups, so that their derivatives are too. x may be of any dtype. They
/// throw ShapeError for an axis that x does not have.
namespace WENGERT_EXPORT wengert {

/// Every step-th element of a part of an axis, as NumPy's begin:end:step: the part is cut to the axis, an end that is
/// not given is the axis's own, and a negative position counts from the end. A negative step goes down from `begin`.
struct Steps {
    std::optional<std::int64_t> begin = {}, end = {};  ///< not given: the axis's own ends
    std::int64_t step = 1;                             ///< how far it is to the next element; not 0
};
/// [.., n, ..] -> [.., k, ..]; slice(x, 1, {.begin = 1, .step = 2}) has the columns 1, 3, .. A view if the step is
/// positive. Throws ValueError for a step of 0.
Tensor slice(const Input& x, int axis, const Steps& steps);

/// The elements in the reverse order along a set of axes: [..] -> the same. Throws ShapeError, too, for an axis that is
/// given twice.
Tensor flip(const Input& x, const ReductionAxes& axes = all_axes);

/// Each element `shift` places on along an axis, and those of the end at its beginning: [..] -> the same. A negative
/// shift goes the other way.
Tensor roll(const Input& x, std::int64_t shift, int axis);
/// The same along several axes, each by its own shift: roll(x, {1, -2}, {0, 1}). Throws ValueError unless there is a
/// shift for each axis.
Tensor roll(const Input& x, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes);

/// Each slice of an axis n times: [.., k, ..] -> [.., k n, ..]. Throws ValueError for n < 0.
Tensor repeat_interleave(const Input& x, std::int64_t n, int axis);
/// Slice i of an axis counts[i] times: [.., k, ..], int64 or int32 [k] -> [.., Σ counts, ..]. Derivative: none for the
/// counts. Throws ShapeError unless there is a count for each slice, DtypeError unless they are whole numbers,
/// ValueError for one below 0.
Tensor repeat_interleave(const Input& x, const Tensor& counts, int axis);

/// The whole tensor n times along an axis: [.., k, ..] -> [.., k n, ..]. Throws ValueError for n < 0.
Tensor tile(const Input& x, std::int64_t n, int axis);
/// The same along all axes, counts[i] times along axis i, as NumPy's tile(): tile(x, {2, 3}) of [m, n] is [2 m, 3 n].
/// Of counts and axes, the fewer get 1s in front: tile(x, {2, 1}) of [n] is [2, n]. Throws ValueError for a count below
/// 0.
Tensor tile(const Input& x, const Shape& counts);

/// What stands beyond the ends of an axis.
enum class PadMode {
    constant,
    edge,      ///< the element at the end: a a | a b c
    reflect,   ///< the others, without the end: c b | a b c
    circular,  ///< those of the other end: b c | a b c
};
struct PadOptions {
    PadMode mode = PadMode::constant;  ///< what stands there
    double value = 0;                  ///< of `constant`
};

/// An axis with `before` and `after` more elements: [.., n, ..] -> [.., before + n + after, ..]. Throws ValueError for
/// a negative number, and for more than the mode has: n - 1 to reflect, n to go on in a circle, none of an empty axis.
Tensor pad(const Input& x, int axis, std::int64_t before, std::int64_t after, const PadOptions& options = {});
/// How many elements there are more at the two ends of an axis.
struct PadWidths {
    std::int64_t before = 0, after = 0;  ///< the first one, and behind the last one
};
/// The same of each axis, from the first on, as NumPy's pad(): pad(x, {{1, 2}, {}}) of [m, n] is [1 + m + 2, n]. Throws
/// ShapeError unless there are widths for each axis.
Tensor pad(const Input& x, const std::vector<PadWidths>& widths, const PadOptions& options = {});

/// The lower or the upper triangle of matrices, and 0 elsewhere: [.., m, n] -> the same. Element [i, j] is kept where
/// j - i <= k, or where j - i >= k. x is float32 or float64. Throws ShapeError for fewer than two axes.
Tensor tril(const Input& x, std::int64_t k = 0);
Tensor triu(const Input& x, std::int64_t k = 0);

/// The elements [i, i + offset] of the matrices that two axes are, rows before columns, as the last axis: [.., m, n] ->
/// [.., k], k = min(m, n) for an offset of 0. Of a negative offset the diagonal is below that one, and one that no
/// matrix reaches is empty. Throws ShapeError for fewer than two axes, and for axes that are one.
Tensor diagonal(const Input& x, std::int64_t offset = 0, int row_axis = -2, int column_axis = -1);
/// The reverse, matrices with diagonals, and 0 elsewhere: [.., k] -> [.., n, n], n = k + |offset|, whose rows and
/// columns are these axes of the result. Throws ShapeError for [], and for axes that are one.
Tensor diag_embed(const Input& x, std::int64_t offset = 0, int row_axis = -2, int column_axis = -1);

/// An axis moved to another place, as NumPy's moveaxis(): a view.
Tensor movedim(const Input& x, int from, int to);

/// Axes from `first` to `last` as one: [.., a, b, ..] -> [.., a b, ..]. Throws ShapeError, too, if `last` is before
/// `first`.
Tensor flatten(const Input& x, int first = 0, int last = -1);

/// Parts of an axis of these lengths, views. Throws ShapeError unless they are 0 or more and add up to the axis.
std::vector<Tensor> split(const Input& x, const std::vector<std::int64_t>& lengths, int axis);
inline std::vector<Tensor> split(const Input& x, std::initializer_list<std::int64_t> lengths, int axis) {
    return split(x, std::vector(lengths), axis);
}
/// Parts of `length` elements, of which the last one may be shorter; one, if the axis is empty. Throws ValueError for a
/// length below 1.
std::vector<Tensor> split(const Input& x, std::int64_t length, int axis);

/// The slices of an axis, without it, views: the reverse of stack().
std::vector<Tensor> unbind(const Input& x, int axis);

/// The coordinates of a grid: n tensors [a], [b], .. -> n views [a, b, ..], of which the i-th changes along axis i.
/// Throws ShapeError unless each has one axis, and for more than six of them.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes,
                             const SourceLine& where = std::source_location::current());

}  // namespace wengert
