#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

/// The rows of tensors. Along a set of axes a tensor is one row, with its elements in row-major order; the other axes
/// number the rows, in row-major order too. Row i of x [B, T, H] along axis 1 is x[i / H, :, i % H].
namespace wengert {

inline constexpr std::size_t most_row_operands = 4;

/// A tensor whose rows are walked. A row of one that is not written is only read, so that it may be stretched.
struct RowOperand {
    const Tensor* tensor;
    bool is_written;
    std::int64_t length;  ///< of a row
};

/// Rows `first`, .., `first + count - 1` of each operand. Each row is contiguous; start and step are in bytes.
struct RowBlock {
    std::int64_t first, count;
    std::array<std::byte*, most_row_operands> start;
    std::array<std::int64_t, most_row_operands> step;
};

/// Calls body(context, block) for blocks of rows, which the threads share. Rows that are not contiguous are gathered
/// before the call and, if written, scattered after it. The operands have as many axes and as many rows; their rows may
/// differ in length. Compiled once for all types and kernels; for_each_row() below is what kernels call.
using RowBody = void (*)(const void* context, const RowBlock& block);
void walk_rows(const ReductionAxes& axes, std::span<const RowOperand> operands, RowBody body, const void* context);

/// Calls f(row, x...) for each row of the operands along `axes`, in parallel: `row` is its number, and each x a
/// std::span of its elements. T are the element types, const for what is only read:
///
///     for_each_row<const T, T>(axes, {&in[0], &out.tensor}, [](std::int64_t, std::span<const T> x, std::span<T> y) {
///         std::partial_sum(x.begin(), x.end(), y.begin());  // a cumulative sum along any axis
///     });
///
/// A written row arrives unset, unless the operand is also read under another entry and stands in order. A result of
/// one element a row needs no operand: `row` is its place in a new tensor. f must not throw.
template <class... T, class F>
void for_each_row(const ReductionAxes& axes, const std::array<const Tensor*, sizeof...(T)>& tensors, const F& f) {
    static_assert(sizeof...(T) >= 1 && sizeof...(T) <= most_row_operands);
    [&]<std::size_t... k>(std::index_sequence<k...>) {
        (static_cast<void>(tensors[k]->template data<std::remove_const_t<T>>()), ...);  // the types are these
        const std::array operands{RowOperand{tensors[k], !std::is_const_v<T>, axes.count(tensors[k]->shape())}...};
        struct Context {
            const F& f;
            const std::array<RowOperand, sizeof...(T)>& operands;
        };
        const Context context{f, operands};
        const auto body = [](const void* erased, const RowBlock& block) {
            const auto& [g, rows] = *static_cast<const Context*>(erased);
            for (std::int64_t i = 0; i < block.count; ++i)
                g(block.first + i, std::span(reinterpret_cast<T*>(block.start[k] + i * block.step[k]),
                                             static_cast<std::size_t>(rows[k].length))...);
        };
        walk_rows(axes, operands, body, &context);
    }
    (std::index_sequence_for<T...>{});
}

/// Calls store(row, total) for each row of x along `axes`, in parallel. A total is part(elements, 0) of the row. If x
/// is one long row, the threads share pieces of it, each `part(elements, place of the first)`, and join(left, right)
/// makes one of two. How a row is cut depends on its length alone, so that the total is the same for any number of
/// threads.
template <class T, class Part, class Join, class Store>
void reduce_rows(const ReductionAxes& axes, const Tensor& x, const Part& part, const Join& join, const Store& store) {
    constexpr std::int64_t piece = 1 << 15;
    const std::int64_t n = x.numel(), pieces = (n + piece - 1) / piece;
    if (pieces <= 1 || axes.count(x.shape()) < n)
        return for_each_row<const T>(axes, {&x},
                                     [&](std::int64_t row, std::span<const T> all) { store(row, part(all, 0)); });
    const Tensor dense = packed(x);
    const std::span<const T> all(dense.data<T>(), static_cast<std::size_t>(n));
    struct Total {  // each apart, which a vector's bools are not
        decltype(part(all, 0)) of;
    };
    std::vector<Total> totals(static_cast<std::size_t>(pieces));
    parallel_ranges(pieces, 1, n, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const auto first = static_cast<std::size_t>(i * piece);
            totals[static_cast<std::size_t>(i)].of =
                part(all.subspan(first, std::min<std::size_t>(piece, all.size() - first)), i * piece);
        }
    });
    auto total = totals.front().of;
    for (std::size_t i = 1; i < totals.size(); ++i) total = join(total, totals[i].of);
    store(0, total);
}

}  // namespace wengert
