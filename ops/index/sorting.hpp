#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Order along an axis. Equal elements keep theirs; a NaN is larger than every number, as in NumPy. Throw ShapeError
/// for an axis that x does not have.
namespace wengert {

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
    Tensor values, indices;
};
TopK topk(const Input& x, std::int64_t k, int axis = -1, bool largest = true);

/// The value below which a share q of the elements over an axis lies, on a line between the two nearest ones, as
/// NumPy's: [.., n, ..] -> [.., ..], or [.., 1, ..] with keepdim. The median is that of q = 1/2. NaN if an element is.
/// Derivative: ct, shared between the two. x is float32 or float64. Throws ValueError for q outside [0, 1], ShapeError
/// for an axis of length 0.
Tensor quantile(const Input& x, double q, int axis = -1, bool keepdim = false);
Tensor median(const Input& x, int axis = -1, bool keepdim = false);

/// Rows of the op reference.
inline constexpr OpDoc composed_orders[] = {
    {"sort(x, axis = -1, descending = false)", "[.., n, ..] -> the same", "the elements in their order",
     "ct where they came from"},
    {"topk(x, k, axis = -1, largest = true)", "[.., n, ..] -> [.., k, ..], int64 [.., k, ..]",
     "the k largest elements, or smallest, and their positions", "ct where they came from; none"},
    {"quantile(x, q, axis = -1, keepdim = false), median(x, axis = -1, keepdim = false)", "[.., n, ..] -> [.., ..]",
     "what a share q of the elements is below", "ct, shared between the two nearest"}};

// clang-format off
using SortingOps = OpList<
    ArgSort>;
// clang-format on
template <class Op>
requires is_in<Op, SortingOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
