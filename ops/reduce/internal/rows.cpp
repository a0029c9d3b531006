#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>

namespace wengert {
namespace {

/// The rows of one operand. Strides and lengths are in elements.
struct Rows {
    std::byte* base = nullptr;
    std::int64_t element = 0;  ///< bytes
    bool is_written = false;
    Shape axes, strides;  ///< of a row, joined where memory allows it
    std::int64_t length = 1;
    std::int64_t pitch = 0;   ///< from row to row in a buffer
    std::int64_t buffer = 0;  ///< where it begins in a part's memory, in bytes

    bool is_dense() const { return length <= 1 || (axes.rank() == 1 && strides[0] == 1); }
};

/// Steps in bytes from element to element of a table of `bytes` wide elements, along its two axes.
struct Steps {
    std::int64_t outer, inner;
};

template <std::int64_t bytes>
void copy_table(const std::byte* from, Steps from_steps, std::byte* to, Steps to_steps, std::int64_t outer,
                std::int64_t inner) {
    for (std::int64_t o = 0; o < outer; ++o) {
        const std::byte* f = from + o * from_steps.outer;
        std::byte* t = to + o * to_steps.outer;
        for (std::int64_t i = 0; i < inner; ++i) {
            std::memcpy(t, f, bytes);
            f += from_steps.inner;
            t += to_steps.inner;
        }
    }
}

/// Copies `count` rows, `step` apart, to the buffer or, if `back`, from it. Rows that lie across each other are taken
/// side by side, so that whole cache lines are used.
template <std::int64_t bytes, bool back>
void copy_rows(const Rows& rows, std::byte* place, std::int64_t step, std::int64_t count, std::byte* buffer) {
    const std::int64_t n = rows.axes.back(), stride = rows.strides.back();
    const bool is_across = std::abs(step) < std::abs(stride);
    Steps place_steps{step * bytes, stride * bytes}, buffer_steps{rows.pitch * bytes, bytes};
    std::int64_t outer = count, inner = n;
    if (is_across) {
        std::swap(place_steps.outer, place_steps.inner);
        std::swap(buffer_steps.outer, buffer_steps.inner);
        std::swap(outer, inner);
    }
    for_each_outer_position(rows.axes, std::array{rows.strides}, [&](const std::array<std::int64_t, 1>& offset) {
        if constexpr (back)
            copy_table<bytes>(buffer, buffer_steps, place + offset[0] * bytes, place_steps, outer, inner);
        else
            copy_table<bytes>(place + offset[0] * bytes, place_steps, buffer, buffer_steps, outer, inner);
        buffer += n * bytes;
    });
}

template <bool back>
void copy_rows(const Rows& rows, std::byte* place, std::int64_t step, std::int64_t count, std::byte* buffer) {
    if (rows.element == 8)
        copy_rows<8, back>(rows, place, step, count, buffer);
    else if (rows.element == 4)
        copy_rows<4, back>(rows, place, step, count, buffer);
    else
        copy_rows<1, back>(rows, place, step, count, buffer);
}

class Walk {
  public:
    Walk(const ReductionAxes& axes, std::span<const RowOperand> operands) : count_(operands.size()) {
        const Tensor& first = *operands[0].tensor;
        const auto reduced = axes.flags(first.rank());
        for (int axis = 0; axis < first.rank(); ++axis)
            if (!reduced[axis]) outer_.push_back(first.shape()[axis]);
        steps_.fill(outer_);
        for (Shape& steps : steps_) std::ranges::fill(steps, 0);
        for (std::size_t k = 0; k < count_; ++k) {
            const Tensor& x = *operands[k].tensor;
            Rows& rows = rows_[k];
            rows.base = static_cast<std::byte*>(x.raw());
            rows.element = static_cast<std::int64_t>(size_of(x.dtype()));
            rows.is_written = operands[k].is_written;
            std::array<Shape, 1> strides;
            for (int axis = 0, outer = 0; axis < first.rank(); ++axis) {
                if (reduced[axis]) {
                    rows.axes.push_back(x.shape()[axis]);
                    strides[0].push_back(x.strides()[axis]);
                } else {
                    steps_[k][outer++] = x.strides()[axis];
                }
            }
            rows.length = operands[k].length;
            simplify(rows.axes, strides);
            rows.strides = strides[0];
        }
        numel_ = outer_.numel();
        simplify(outer_, steps_);
        plan_buffers();
    }

    std::int64_t count() const { return numel_; }
    std::int64_t work() const {
        std::int64_t longest = 1;
        for (const Rows& rows : rows_) longest = std::max(longest, rows.length);
        return numel_ * longest;
    }
    /// What run() needs, in bytes.
    std::int64_t buffer_size() const { return buffer_size_; }

    /// Walks rows [begin, end).
    void run(std::int64_t begin, std::int64_t end, std::byte* buffer, RowBody body, const void* context) const {
        while (begin < end) {
            // Rows along the last axis are evenly spaced.
            const Shape index = unravel(begin, outer_);
            std::int64_t count = std::min(end - begin, outer_.back() - index.back());
            if (buffer_size_ > 0) count = std::min(count, most_gathered_);
            RowBlock block{begin, count, {}, {}};
            std::array<std::byte*, most_row_operands> place{};
            for (std::size_t k = 0; k < count_; ++k) {
                const Rows& rows = rows_[k];
                std::int64_t offset = 0;
                for (int axis = 0; axis < outer_.rank(); ++axis) offset += index[axis] * steps_[k][axis];
                place[k] = rows.base + offset * rows.element;
                block.start[k] = rows.is_dense() ? place[k] : buffer + rows.buffer;
                block.step[k] = (rows.is_dense() ? steps_[k].back() : rows.pitch) * rows.element;
                if (!rows.is_dense() && !rows.is_written)
                    copy_rows<false>(rows, place[k], steps_[k].back(), count, block.start[k]);
            }
            body(context, block);
            for (std::size_t k = 0; k < count_; ++k)
                if (!rows_[k].is_dense() && rows_[k].is_written)
                    copy_rows<true>(rows_[k], place[k], steps_[k].back(), count, block.start[k]);
            begin += count;
        }
    }

  private:
    /// Buffers hold as many rows as share a cache line, half of them if they are so long that they would leave the
    /// cache, and as many short ones as are worth a call.
    void plan_buffers() {
        constexpr std::int64_t line = 16, fits = 1 << 16, worth_a_call = 2048;
        for (std::size_t k = 0; k < count_; ++k) {
            const std::int64_t length = rows_[k].length;
            if (rows_[k].is_dense()) continue;
            const bool is_across = std::abs(steps_[k].back()) < std::abs(rows_[k].strides.back());
            const std::int64_t side_by_side = is_across ? std::clamp(fits / length, line / 2, line) : 1;
            most_gathered_ = std::max({most_gathered_, side_by_side, worth_a_call / length});
        }
        most_gathered_ = std::min(most_gathered_, outer_.back());
        for (std::size_t k = 0; k < count_; ++k) {
            Rows& rows = rows_[k];
            if (rows.is_dense()) continue;
            rows.pitch = (rows.length + 2 * line - 1) / line * line;  // rows do not share a cache line ...
            if (rows.pitch % (32 * line) == 0) rows.pitch += line;    // ... nor all one set of the cache
            rows.buffer = buffer_size_;
            buffer_size_ += most_gathered_ * rows.pitch * rows.element;
        }
    }

    std::size_t count_;
    std::array<Rows, most_row_operands> rows_;
    Shape outer_;  // the axes that number the rows, joined where memory allows it
    std::array<Shape, most_row_operands> steps_;
    std::int64_t numel_ = 0, most_gathered_ = 1, buffer_size_ = 0;
};

/// The most frequent walk, which needs no plan: the rows of each operand stand one after another. False if they do not.
bool walk_in_order(const ReductionAxes& axes, std::span<const RowOperand> operands, RowBody body, const void* context) {
    const Shape& shape = operands[0].tensor->shape();
    const auto reduced = axes.flags(shape.rank());
    std::int64_t count = 1, longest = 1;
    for (int axis = 0; axis < shape.rank(); ++axis) {
        if (axis > 0 && reduced[axis - 1] && !reduced[axis]) return false;
        if (!reduced[axis]) count *= shape[axis];
    }
    RowBlock all{0, count, {}, {}};
    for (std::size_t k = 0; k < operands.size(); ++k) {
        const Tensor& x = *operands[k].tensor;
        if (!x.is_contiguous()) return false;
        longest = std::max(longest, operands[k].length);
        all.start[k] = static_cast<std::byte*>(x.raw());
        all.step[k] = operands[k].length * static_cast<std::int64_t>(size_of(x.dtype()));
    }
    parallel_ranges(count, 1, count * longest, [&](std::int64_t begin, std::int64_t end) {
        RowBlock block = all;
        block.first = begin;
        block.count = end - begin;
        for (std::size_t k = 0; k < operands.size(); ++k) block.start[k] += begin * block.step[k];
        body(context, block);
    });
    return true;
}

}  // namespace

void walk_rows(const ReductionAxes& axes, std::span<const RowOperand> operands, RowBody body, const void* context) {
    if (walk_in_order(axes, operands, body, context)) return;
    const Walk walk(axes, operands);
    if (walk.count() == 0) return;
    const std::int64_t parts = parallel_parts(walk.count(), 1, walk.work());
    Tensor buffers;  // one for each part, made here, where no memory is an error like any other
    if (walk.buffer_size() > 0) buffers = Tensor::empty({parts, walk.buffer_size() / 8}, Dtype::float64);
    parallel_ranges(parts, 1, walk.work(), [&](std::int64_t first_part, std::int64_t last_part) {
        for (std::int64_t part = first_part; part < last_part; ++part) {
            std::byte* const buffer =
                buffers.defined() ? static_cast<std::byte*>(buffers.raw()) + part * walk.buffer_size() : nullptr;
            walk.run(walk.count() * part / parts, walk.count() * (part + 1) / parts, buffer, body, context);
        }
    });
}

}  // namespace wengert
