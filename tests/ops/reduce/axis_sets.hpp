#pragma once

#include <utility>
#include <vector>
#include <wengert/ops/reduce/reduction_axes.hpp>

#include "ops/brute_force.hpp"

/// Sets of axes to reduce over, as the bits of a number.
namespace brute_force {

/// The shape with the axes of a set of length 1, and without them.
inline std::pair<Shape, Shape> without(const Shape& shape, int set) {
    Shape kept = shape, reduced;
    for (int axis = 0; axis < shape.rank(); ++axis) {
        if (set >> axis & 1)
            kept[axis] = 1;
        else
            reduced.push_back(shape[axis]);
    }
    return {kept, reduced};
}

/// The axes of a set from the last to the first, every other one counted from the end.
inline ReductionAxes axes_of(int set, int rank) {
    ReductionAxes axes;
    for (int axis = rank - 1; axis >= 0; --axis)
        if (set >> axis & 1) axes.add(axis % 2 == 0 ? axis - rank : axis);
    return axes;
}

/// The rows of a tensor along a set of axes, each in row-major order.
inline std::vector<Values> rows_of(const Tensor& x, int set) {
    const Shape& shape = x.shape();
    Shape inner = shape;
    for (int axis = 0; axis < shape.rank(); ++axis)
        if (!(set >> axis & 1)) inner[axis] = 1;
    std::vector<Values> rows;
    for_each_index(without(shape, set).first, [&](const Shape& outer) {
        Values row;
        for_each_index(inner, [&](Shape index) {
            for (int axis = 0; axis < shape.rank(); ++axis) index[axis] += outer[axis];
            row.push_back(element(x, index));
        });
        rows.push_back(row);
    });
    return rows;
}

}  // namespace brute_force
