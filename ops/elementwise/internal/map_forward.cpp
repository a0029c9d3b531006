#include <algorithm>
#include <cmath>
#include <vector>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/elementwise/internal/map_rows.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>

namespace wengert {
namespace {

/// The forward kernel over tables of a nest whose operand 0 is the result, and whose others are the formula's operands.
template <class T, class Room>
struct ForwardRows {
    const Formula& formula;
    const void* f;
    std::array<const T*, Room::operands> in;
    T* out;
    std::int64_t result_step;  ///< from one result to the next
    bool accumulate;

    const RowKernels<T>& kernels() const { return formula.kernels<T>(); }

    void operator()(const Nest::Table& table) const {
        T* const to = out + table.offsets[0];
        const std::int64_t row_step = table.row_steps[0], step = table.steps[0];
        if (formula.summed && step == 0)
            return for_each_sum(table, [&](std::int64_t r, double sum) { to[r * row_step] += static_cast<T>(sum); });
        // Adding to a row that is no sum is rare, and not worth a kernel.
        const bool through_buffer = RowBuffer<T>::gathers(step) || (accumulate && !formula.summed);
        const std::int64_t together = !formula.summed ? table.rows : row_step == 0 ? most_summed_rows : 1;
        for_each_piece(table, through_buffer, together, [&](const OperandRows<T>& x, std::int64_t row, std::int64_t i) {
            T* const at = to + row * row_step + i * step;
            if (through_buffer)
                store_through_buffer(x, at, step);
            else
                kernels().forward(f, x, at, row_step, result_step);
        });
    }

    /// Calls body(row, sum) for the sum of each row, in double but for short runs, so that long rows stay exact.
    template <class Body>
    void for_each_sum(const Nest::Table& table, const Body& body) const {
        constexpr std::int64_t rows = 64;
        double totals[rows], total = 0;
        for_each_piece(table, false, rows, [&](const OperandRows<T>& x, std::int64_t row, std::int64_t i) {
            kernels().sum(f, x, totals);
            if (x.n == table.n) {
                for (std::int64_t r = 0; r < x.rows; ++r) body(row + r, totals[r]);
            } else {
                total = i == 0 ? totals[0] : total + totals[0];
                if (i + x.n == table.n) body(row, total);
            }
        });
    }

  private:
    /// Calls body(x, row, i) for the elements from i on of the rows from `row` on, as kernels want them: up to
    /// `most_rows` at once, or pieces of one if some must be gathered.
    template <class Body>
    void for_each_piece(const Nest::Table& table, bool in_pieces, std::int64_t most_rows, const Body& body) const {
        const int operands = formula.operands;
        for (int k = 0; k < operands; ++k) in_pieces |= RowBuffer<T>::gathers(table.steps[k + 1]);
        if (in_pieces) most_rows = 1;
        const std::int64_t piece = in_pieces ? RowBuffer<T>::piece : table.n;
        RowBuffer<T> buffers[Room::operands];
        const T* rows[Room::operands];
        std::int64_t step[Room::operands];
        for (std::int64_t row = 0; row < table.rows; row += most_rows) {
            for (std::int64_t i = 0; i < table.n; i += piece) {
                const std::int64_t length = std::min(piece, table.n - i);
                for (int k = 0; k < operands; ++k) {
                    const std::int64_t s = table.steps[k + 1];
                    rows[k] =
                        in[static_cast<std::size_t>(k)] + table.offsets[k + 1] + row * table.row_steps[k + 1] + i * s;
                    if (RowBuffer<T>::gathers(s)) rows[k] = buffers[k].read(rows[k], s, length);
                    step[k] = s == 0 ? 0 : 1;
                }
                body({rows, table.row_steps + 1, step, std::min(most_rows, table.rows - row), length}, row, i);
            }
        }
    }

    void store_through_buffer(const OperandRows<T>& x, T* to, std::int64_t stride) const {
        RowBuffer<T> buffers[Room::results];
        if (formula.summed) std::fill_n(buffers[0].data(), x.n, T{0});
        kernels().forward(f, x, buffers[0].data(), 0, RowBuffer<T>::piece);
        const bool adds = accumulate || formula.summed;
        for (int r = 0; r < formula.results; ++r) {
            const T* const from = buffers[r].data();
            T* const result = to + r * result_step;
            for (std::int64_t j = 0; j < x.n; ++j) result[j * stride] = adds ? result[j * stride] + from[j] : from[j];
        }
    }
};

int result_axis(const Nest& nest) {
    return nest.shared_axis(0, 1, [](int) { return true; });
}

constexpr std::int64_t block_rows = 128;

template <class T, class Room>
void sum_in_blocks(Nest nest, ForwardRows<T, Room> rows, const Tensor& out);

/// The same by threads that share an axis which is summed, each with sums of its own.
template <class T, class Room>
void sum_in_parts(const Nest& nest, const ForwardRows<T, Room>& rows, const Tensor& out, int axis, std::int64_t parts) {
    std::vector<Tensor> sums;
    for (std::int64_t p = 0; p < parts; ++p) sums.push_back(zeros(out.shape(), out.dtype()));
    const std::int64_t n = nest.shape()[axis];
    parallel_ranges(parts, 1, nest.shape().numel(), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t p = first; p < last; ++p) {
            const std::int64_t begin = n * p / parts;
            const Tensor& sum = sums[static_cast<std::size_t>(p)];
            Nest part = nest;
            part.set_length(axis, n * (p + 1) / parts - begin);
            ForwardRows<T, Room> of_part = rows;
            of_part.out = static_cast<T*>(sum.raw());
            for (int k = 0; k < rows.formula.operands; ++k)
                of_part.in[static_cast<std::size_t>(k)] += begin * nest.step(axis, k + 1);
            sum_in_blocks(part, of_part, sum);
        }
    });
    for (const Tensor& sum : sums) write(sum, {out, true});
}

/// Adds rows to `out`, where rows.out points, in blocks whose sums are added, so that long sums stay exact, whatever
/// the axes that they run along.
template <class T, class Room>
void sum_in_blocks(Nest nest, ForwardRows<T, Room> rows, const Tensor& out) {
    std::int64_t count = 1;  // of rows that go into one of the result's
    int longest = -1;
    for (int axis = 0; axis < nest.rank() - 1; ++axis) {
        if (nest.step(axis, 0) != 0) continue;
        count *= nest.shape()[axis];
        if (longest < 0 || nest.shape()[axis] > nest.shape()[longest]) longest = axis;
    }
    if (count <= 2 * block_rows) return nest.run_tables(result_axis(nest), rows);
    const std::int64_t n = nest.shape()[longest], others = count / n, elements = nest.shape().numel();
    // Threads that share the result would meet after each block, and read short pieces of rows.
    const std::int64_t parts = parallel_parts(n, 1, elements);
    if (parts > 1 && 16 * parts * out.numel() < elements) return sum_in_parts(nest, rows, out, longest, parts);
    // Blocks grow with the length, so that neither they nor their sums are many.
    const auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
    const std::int64_t length = std::clamp<std::int64_t>(std::max(block_rows / others, root), 1, n - 1);
    const Tensor partial = Tensor::empty(out.shape(), out.dtype());
    rows.out = static_cast<T*>(partial.raw());
    for (std::int64_t begin = 0; begin < n; begin += length) {
        nest.set_length(longest, std::min(length, n - begin));
        fill(partial, 0);
        sum_in_blocks(nest, rows, partial);
        write(partial, {out, true});
        for (int k = 0; k < rows.formula.operands; ++k)
            rows.in[static_cast<std::size_t>(k)] += nest.shape()[longest] * nest.step(longest, k + 1);
    }
}

/// Whether sum_in_blocks() makes blocks.
bool has_many_rows(const Nest& nest) {
    std::int64_t count = 1;
    for (int axis = 0; axis < nest.rank() - 1; ++axis)
        if (nest.step(axis, 0) == 0) count *= nest.shape()[axis];
    return count > 2 * block_rows;
}

/// A sum over everything. It is cut into parts by its length alone, so that it is the same for any number of threads.
template <class T, class Room>
void sum_all(const Nest& nest, const ForwardRows<T, Room>& rows, T& total) {
    constexpr std::int64_t least_part = 1 << 15, most_parts = 64;
    const std::int64_t n = nest.shape()[0], elements = nest.shape().numel();
    const std::int64_t parts = std::clamp<std::int64_t>(elements / least_part, 1, std::min(n, most_parts));
    std::array<double, most_parts> sums{};
    parallel_ranges(parts, 1, elements, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t p = first; p < last; ++p) {
            const std::int64_t begin = n * p / parts;
            Nest part = nest;
            part.set_length(0, n * (p + 1) / parts - begin);
            double sum = 0;
            ForwardRows<T, Room> of_part = rows;
            for (std::size_t k = 0; k < static_cast<std::size_t>(rows.formula.operands); ++k)
                of_part.in[k] += begin * nest.step(0, static_cast<int>(k) + 1);
            part.run_tables(-1, [&](const Nest::Table& table) {
                of_part.for_each_sum(table, [&](std::int64_t, double of_row) { sum += of_row; });
            });
            sums[static_cast<std::size_t>(p)] = sum;
        }
    });
    double sum = 0;
    for (std::int64_t p = 0; p < parts; ++p) sum += sums[static_cast<std::size_t>(p)];
    total += static_cast<T>(sum);
}

}  // namespace

template <class T, class Room>
void BoundFormula::forward_as(const Inputs& in, const Destination& out) const {
    ForwardRows<T, Room> rows{formula, f, {}, static_cast<T*>(out.tensor.raw()), 0, out.accumulate};
    const bool several = formula.results > 1;
    Shape space = out.tensor.shape(), strides = out.tensor.strides();
    if (formula.summed) space = this->space(in);
    if (several) {
        rows.result_step = strides[0];
        space.erase(0);
        strides.erase(0);
    }
    bool plain = !formula.summed && !several && !out.accumulate && out.tensor.is_contiguous();
    for (int k = 0; k < formula.operands; ++k) {
        const Tensor& x = in[static_cast<std::size_t>(k)];
        rows.in[static_cast<std::size_t>(k)] = static_cast<const T*>(x.raw());
        plain = plain && is_run(x, space);
    }
    if (plain) {
        parallel_ranges(space.numel(), 64, space.numel(), [&](std::int64_t begin, std::int64_t end) {
            const T* in_rows[Room::operands];
            std::int64_t step[Room::operands];
            for (int k = 0; k < formula.operands; ++k) {
                in_rows[k] = rows.in[static_cast<std::size_t>(k)] + begin;
                step[k] = 1;
            }
            rows.kernels().forward(f, {in_rows, step, step, 1, end - begin}, rows.out + begin, 0, 0);
        });
        return;
    }
    Nest nest(space, formula.operands + 1);
    nest.set(0, sums != nullptr ? sums->strides_in(out.tensor, space) : strides);
    for (int k = 0; k < formula.operands; ++k) nest.set(k + 1, in[static_cast<std::size_t>(k)]);
    nest.arrange();
    if (formula.summed) {
        if (!out.accumulate) fill(out.tensor, 0);
        if (space.numel() == 0) return;
        if (out.tensor.numel() == 1) return sum_all(nest, rows, *rows.out);
        if (out.tensor.is_contiguous() || !has_many_rows(nest)) return sum_in_blocks(nest, rows, out.tensor);
        const Tensor dense = Tensor::empty(out.tensor.shape(), out.tensor.dtype());
        forward(in, {dense});
        return write(dense, {out.tensor, true});
    }
    nest.run_tables(result_axis(nest), rows);
}

void BoundFormula::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        with_room_for(formula, [&](auto room) { this->forward_as<decltype(type), decltype(room)>(in, out); });
    });
}

}  // namespace wengert
