#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <initializer_list>
#include <string>
#include <wengert/autograd/tensor/strided.hpp>

namespace WENGERT_EXPORT wengert {

/// The axes that a reduction runs over: sum(x, 1), sum(x, {0, -1}), sum(x, all_axes). Negative ones count from the end.
class ReductionAxes {
  public:
    ReductionAxes() = default;
    /// One axis.
    ReductionAxes(int axis) : ReductionAxes({axis}) {}
    /// A bool is no axis: sum(x, true) would be a sum over axis 1. Write sum(x, all_axes, true) for keepdim.
    template <std::same_as<bool> Bool>
    ReductionAxes(Bool) = delete;
    /// Several axes. Throws ShapeError for more than a tensor can have.
    ReductionAxes(std::initializer_list<int> axes) : count_(static_cast<int>(axes.size())) {
        if (count_ > Shape::max_rank) throw ShapeError("more axes to reduce than a tensor can have");
        std::copy(axes.begin(), axes.end(), axes_.begin());
    }
    /// Every axis, however many a tensor has.
    static ReductionAxes all() {
        ReductionAxes axes;
        axes.all_ = true;
        return axes;
    }
    /// The same axes; the result keeps them with length 1.
    ReductionAxes keeping_dims(bool keep = true) const {
        ReductionAxes axes = *this;
        axes.keepdim_ |= keep;
        return axes;
    }

    /// One axis more. Throws ShapeError if there are as many as a tensor can have.
    void add(int axis) {
        if (count_ == Shape::max_rank) throw ShapeError("more axes to reduce than a tensor can have");
        axes_[count_++] = axis;
    }
    /// Whether any axis is reduced.
    bool any() const { return all_ || count_ > 0; }
    /// One flag for each axis of a tensor. Throws ShapeError for an axis that it does not have, or that is given twice.
    /// So do the functions below.
    std::array<bool, Shape::max_rank> flags(int rank) const {
        std::array<bool, Shape::max_rank> reduced{};
        for (int i = 0; i < count_; ++i) {
            bool& flag = reduced[normalize_axis(axes_[i], rank)];
            if (flag) throw ShapeError("axis " + std::to_string(axes_[i]) + " to reduce is given twice");
            flag = true;
        }
        for (int axis = 0; axis < rank; ++axis) reduced[axis] |= all_;
        return reduced;
    }
    /// Throws ShapeError if a reduced axis has length 0: for reductions that have no value of nothing.
    void require_elements(const Shape& space) const {
        const auto refuse = [&](int axis, std::int64_t length) {
            if (length == 0)
                throw ShapeError("axis " + std::to_string(axis) + " of " + to_string(space) + " has length 0");
        };
        for (int i = 0; i < count_; ++i) refuse(axes_[i], space[normalize_axis(axes_[i], space.rank())]);
        for (int axis = 0; all_ && axis < space.rank(); ++axis) refuse(axis, space[axis]);
    }
    /// `space` with the reduced axes of length 1.
    Shape kept(Shape space) const {
        const auto reduced = flags(space.rank());
        for (int axis = 0; axis < space.rank(); ++axis)
            if (reduced[axis]) space[axis] = 1;
        return space;
    }
    /// The result's shape: without the reduced axes, or, if dims are kept, with length 1.
    Shape reduced(const Shape& space) const {
        if (keepdim_) return kept(space);
        const auto reduced = flags(space.rank());
        Shape result;
        for (int axis = 0; axis < space.rank(); ++axis)
            if (!reduced[axis]) result.push_back(space[axis]);
        return result;
    }
    /// The strides of a result `x` in a loop nest over `space`: 0 along the reduced axes.
    Shape strides_in(const Tensor& x, const Shape& space) const {
        const auto reduced = flags(space.rank());
        Shape strides = space;
        for (int axis = 0, own = 0; axis < space.rank(); ++axis) {
            strides[axis] = reduced[axis] ? 0 : x.strides()[own];
            own += !reduced[axis] || keepdim_;
        }
        return strides;
    }
    /// How many elements go into one of the result's.
    std::int64_t count(const Shape& space) const {
        const auto reduced = flags(space.rank());
        std::int64_t n = 1;
        for (int axis = 0; axis < space.rank(); ++axis) n *= reduced[axis] ? space[axis] : 1;
        return n;
    }

  private:
    std::array<int, Shape::max_rank> axes_{};
    int count_ = 0;
    bool all_ = false;
    bool keepdim_ = false;
};

/// Every axis: sum(x, all_axes).
inline const ReductionAxes all_axes = ReductionAxes::all();

}  // namespace wengert
