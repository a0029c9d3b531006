#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

/// Order along an axis. Equal elements keep theirs; a NaN is larger than every number, as in NumPy. Throw ShapeError
/// for an axis that x does not have.
namespace WENGERT_EXPORT wengert {

/// The positions of the elements of an axis in ascending, or descending, order: [.., n, ..] -> int64, the same. x may
/// be int64. Not differentiable.
Tensor argsort(const Input& x, int axis = -1, bool descending = false);

struct ArgSort {
    static constexpr std::string_view name = "argsort";
    static constexpr OpDoc doc{"argsort(x, axis = -1, descending = false)", "[.., n, ..] -> int64, the same",
                               "the positions of the elements in their order", "none"};
    int axis;
    bool descending;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const;
    static std::vector<Sample> samples();
};

/// The elements of an axis in ascending, or descending, order: [.., n, ..] -> the same. Derivative: ct where the
/// elements came from.
Tensor sort(const Input& x, int axis = -1, bool descending = false);

/// The k largest elements of an axis, or the k smallest, in their order, and where they stand: [.., n, ..] -> [.., k,
/// ..]. Derivative of the values: ct where they came from. Throws ValueError for k outside [0, n].
struct TopK {
    Tensor values, indices;  ///< the elements, and int64 positions along the axis
};
TopK topk(const Input& x, std::int64_t k, int axis = -1, bool largest = true);

/// The value below which a share q of the elements over axes lies, on a line between the two nearest ones, as NumPy's:
/// [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim. The median is that of q = 1/2. NaN if an element is.
/// Derivative: ct, shared between the two. Throws ValueError for q outside [0, 1], ShapeError for an axis of length 0,
/// or that x does not have, DtypeError unless x is float32 or float64.
Tensor quantile(const Input& x, double q, const ReductionAxes& axes = all_axes, bool keepdim = false);
Tensor median(const Input& x, const ReductionAxes& axes = all_axes, bool keepdim = false);

/// The largest element so far along an axis, and where the first such stands: [.., n, ..] -> the same. A NaN stays the
/// largest from its place on. PyTorch names the last of equal ones. Derivative of the values: ct added where they came
/// from. x may be int64.
TopK cummax(const Input& x, int axis);
/// The smallest element so far, in all else like cummax().
TopK cummin(const Input& x, int axis);

/// Where the largest, or the smallest, element so far stands.
struct RunningArgMax {
    static constexpr std::string_view name = "running_argmax";
    static constexpr OpDoc doc{"cummax(x, axis).indices, cummin(x, axis).indices", "[.., n, ..] -> int64, the same",
                               "the place of the first of the largest elements so far, or of the smallest", "none"};
    int axis;
    bool largest;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const;
    static std::vector<Sample> samples();
};

/// Where values go in rows that are sorted in ascending order, so that they stay so: before equal elements, or behind
/// them if `right`, as NumPy's: sorted [.., n], values [.., k] -> int64 [.., k], or sorted [n] and values of any shape.
/// Not differentiable. Throws ShapeError if the rows are not as many, DtypeError unless both have one dtype. That the
/// rows are sorted is not checked.
Tensor searchsorted(const Input& sorted, const Input& values, bool right = false);

struct SearchSorted {
    static constexpr std::string_view name = "searchsorted";
    static constexpr OpDoc doc{"searchsorted(sorted, values, right = false)", "[.., n], [.., k] -> int64 [.., k]",
                               "how many elements of a row are below a value, or not above it", "none"};
    static constexpr std::array<std::string_view, 2> operands{"sorted", "values"};
    bool right;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const;
    static std::vector<Sample> samples();
};

// clang-format off
using SortingOps = OpList<
    ArgSort,
    RunningArgMax,
    SearchSorted>;
// clang-format on
template <class Op>
requires is_in<Op, SortingOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
