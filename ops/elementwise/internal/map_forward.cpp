#include <cmath>
#include <vector>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/elementwise/internal/map_rows.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>

namespace wengert {
namespace {

/// The forward kernel over rows of a nest whose operand 0 is the result, and whose others are the formula's operands.
template <class T, class Room>
struct ForwardRows {
    const Formula& formula;
    const void* f;
    std::array<const T*, Room::operands> in;
    T* out;
    std::int64_t result_step;  ///< from one result to the next
    bool accumulate;

    const RowKernels<T>& kernels() const { return formula.kernels<T>(); }

    void operator()(const std::int64_t* offset, const std::int64_t* stride, std::int64_t n) const {
        const std::int64_t out_stride = stride[0];
        T* const to = out + offset[0];
        if (formula.summed && out_stride == 0) {
            *to += static_cast<T>(sum(offset, stride, n));
            return;
        }
        // Adding to a row that is no sum is rare, and not worth a kernel.
        const bool through_buffer = RowBuffer<T>::gathers(out_stride) || (accumulate && !formula.summed);
        for_each_piece(offset, stride, n, through_buffer,
                       [&](const T* const* rows, const std::int64_t* step, std::int64_t i, std::int64_t length) {
                           if (through_buffer)
                               store_through_buffer(rows, step, to + i * out_stride, out_stride, length);
                           else
                               store(rows, step, to + i, result_step, length);
                       });
    }

    /// The sum of a row, in double but for short runs, so that long rows stay exact.
    double sum(const std::int64_t* offset, const std::int64_t* stride, std::int64_t n) const {
        double total = 0;
        for_each_piece(offset, stride, n, false,
                       [&](const T* const* rows, const std::int64_t* step, std::int64_t, std::int64_t length) {
                           total += sum(rows, step, length);
                       });
        return total;
    }

    void store(const T* const* rows, const std::int64_t* step, T* to, std::int64_t to_result, std::int64_t n) const {
        const std::int64_t full = n / kernels().width * kernels().width;
        if (full > 0) kernels().forward(f, rows, step, to, to_result, full);
        if (full == n) return;
        RowRest<T, Room> rest;
        alignas(64) T last[Room::results][most_lanes<T>];
        if (formula.summed) load_part(to + full, last[0], n - full);
        kernels().forward(f, rest.read(formula.operands, rows, step, full, n - full), step, last[0], most_lanes<T>,
                          kernels().width);
        for (int r = 0; r < formula.results; ++r) copy_part(last[r], to + r * to_result + full, n - full);
    }

  private:
    /// Calls body(rows, step, i, length) for the elements [i, i + length) of a row, as kernels want them: all at once,
    /// or in pieces if some must be gathered.
    template <class Body>
    void for_each_piece(const std::int64_t* offset, const std::int64_t* stride, std::int64_t n, bool in_pieces,
                        const Body& body) const {
        const int operands = formula.operands;
        for (int k = 0; k < operands; ++k) in_pieces |= RowBuffer<T>::gathers(stride[k + 1]);
        const std::int64_t piece = in_pieces ? RowBuffer<T>::piece : n;
        RowBuffer<T> buffers[Room::operands];
        const T* rows[Room::operands];
        std::int64_t step[Room::operands];
        for (std::int64_t i = 0; i < n; i += piece) {
            const std::int64_t length = std::min(piece, n - i);
            for (int k = 0; k < operands; ++k) {
                const std::int64_t s = stride[k + 1];
                rows[k] = buffers[k].read(in[static_cast<std::size_t>(k)] + offset[k + 1] + i * s, s, length);
                step[k] = s == 0 ? 0 : 1;
            }
            body(rows, step, i, length);
        }
    }

    double sum(const T* const* rows, const std::int64_t* step, std::int64_t n) const {
        const std::int64_t full = n / kernels().width * kernels().width;
        double total = full > 0 ? kernels().sum(f, rows, step, full) : 0;
        if (full == n) return total;
        RowRest<T, Room> rest;
        alignas(64) T last[most_lanes<T>] = {};
        kernels().forward(f, rest.read(formula.operands, rows, step, full, n - full), step, last, 0, kernels().width);
        for (std::int64_t j = 0; j < n - full; ++j) total += static_cast<double>(last[j]);
        return total;
    }

    void store_through_buffer(const T* const* rows, const std::int64_t* step, T* to, std::int64_t stride,
                              std::int64_t n) const {
        RowBuffer<T> buffers[Room::results];
        if (formula.summed) std::fill_n(buffers[0].data(), n, T{0});
        store(rows, step, buffers[0].data(), RowBuffer<T>::piece, n);
        const bool adds = accumulate || formula.summed;
        for (int r = 0; r < formula.results; ++r) {
            const T* const from = buffers[r].data();
            T* const result = to + r * result_step;
            for (std::int64_t j = 0; j < n; ++j) result[j * stride] = adds ? result[j * stride] + from[j] : from[j];
        }
    }
};

int result_axis(const Nest& nest) {
    return nest.shared_axis(0, 1, [](int) { return true; });
}

constexpr std::int64_t block_rows = 128;

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
    if (count <= 2 * block_rows) return nest.run(result_axis(nest), rows);
    const std::int64_t n = nest.shape()[longest], others = count / n;
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
            part.run(-1, [&](const std::int64_t* offset, const std::int64_t* stride, std::int64_t length) {
                std::array<std::int64_t, Nest::most_operands> at;
                for (int k = 0; k < nest.operands(); ++k)
                    at[static_cast<std::size_t>(k)] = offset[k] + begin * nest.step(0, k);
                sum += rows.sum(at.data(), stride, length);
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
            rows.store(in_rows, step, rows.out + begin, 0, end - begin);
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
    nest.run(result_axis(nest), rows);
}

void BoundFormula::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        with_room_for(formula, [&](auto room) { this->forward_as<decltype(type), decltype(room)>(in, out); });
    });
}

}  // namespace wengert
