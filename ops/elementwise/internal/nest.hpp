#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <wengert/autograd/tensor/tensor.hpp>

namespace wengert {

/// A loop nest over the axes of a space, with the steps of each operand along them, in elements: 0 along the axes over
/// which an operand is broadcast, or over which its elements are sums. Steps are not negative.
class Nest {
  public:
    static constexpr int most_operands = 65;
    using Numbers = std::array<std::int64_t, most_operands>;

    /// The steps are to be set for each operand.
    Nest(const Shape& space, int operands) : shape_(space), operands_(operands) {}
    void set(int operand, const Shape& strides);
    /// The strides of `x`, whose shape broadcasts to the space.
    void set(int operand, const Tensor& x);

    /// Puts the axis with the shortest steps last, so that the inner loop runs along memory, drops axes of length 1 and
    /// joins axes where it can. One axis at least is left.
    void arrange();

    const Shape& shape() const { return shape_; }
    int rank() const { return shape_.rank(); }
    int operands() const { return operands_; }
    const Numbers& steps(int axis) const { return steps_[static_cast<std::size_t>(axis)]; }
    std::int64_t step(int axis, int operand) const { return steps(axis)[static_cast<std::size_t>(operand)]; }
    void set_step(int axis, int operand, std::int64_t step) {
        steps_[static_cast<std::size_t>(axis)][static_cast<std::size_t>(operand)] = step;
    }
    void set_length(int axis, std::int64_t length) { shape_[axis] = length; }

    /// An axis on which each operand of [first, last) with a step moves, so that threads who share it never write one
    /// element; -1 if there is none. `written` tells which of them count.
    template <class Written>
    int shared_axis(int first, int last, const Written& written) const {
        int axis = -1;
        for (int a = 0; a < rank(); ++a) {
            bool clean = true;
            for (int k = first; k < last; ++k) clean &= !written(k) || step(a, k) != 0;
            if (clean && (axis < 0 || shape_[a] > 8 * shape_[axis])) axis = a;
        }
        return axis;
    }

    /// The last two axes: rows of n elements, with an offset, a step from row to row and one from element to element
    /// for each operand. One row, if there is one axis.
    struct Table {
        const std::int64_t *offsets, *row_steps, *steps;
        std::int64_t rows, n;
    };
    using TableBody = void (*)(const void* context, const Table& table);
    /// Calls `body` for each table. Threads share `axis`; with -1 the calling thread does all.
    void run_tables(int axis, TableBody body, const void* context) const;
    template <class Body>
    void run_tables(int axis, const Body& body) const {
        run_tables(
            axis, [](const void* context, const Table& table) { (*static_cast<const Body*>(context))(table); }, &body);
    }
    /// The same row by row: body(offsets, steps, n).
    template <class Body>
    void run(int axis, const Body& body) const {
        run_tables(axis, [&](const Table& table) {
            Numbers offsets;
            std::copy_n(table.offsets, operands_, offsets.begin());
            for (std::int64_t r = 0; r < table.rows; ++r) {
                body(offsets.data(), table.steps, table.n);
                for (int k = 0; k < operands_; ++k) offsets[static_cast<std::size_t>(k)] += table.row_steps[k];
            }
        });
    }

  private:
    bool has_shorter_steps(int axis, int than) const;
    bool joins_next(int axis) const;
    void run_part(int axis, std::int64_t begin, std::int64_t end, TableBody body, const void* context) const;

    Shape shape_;
    int operands_;
    std::array<Numbers, Shape::max_rank> steps_;
};

/// Whether `x` fills the space with elements side by side.
inline bool is_run(const Tensor& x, const Shape& space) { return x.shape() == space && x.is_contiguous(); }

/// The strides of `x` in a nest over `space`, to which its shape broadcasts.
Shape strides_in(const Tensor& x, const Shape& space);

}  // namespace wengert
