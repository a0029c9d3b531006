#pragma once

#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/elementwise/internal/map_rows.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>

namespace wengert {

/// The dual kernel of a formula over many rows: adds cotangent * df/dx_k to each target, in one pass.
template <class F, class T, int N>
struct MapBackward {
    struct Operands {
        const T* cotangent;
        std::array<const T*, N> in{};
        std::array<T*, N> to{};  ///< null: nothing waits for this one
        std::array<bool, N> accumulate{};
    };
    /// One for the cotangent, each operand and each target, in this order.
    using Numbers = std::array<std::int64_t, 1 + 2 * N>;

    /// Over n elements of each that stand `strides` apart.
    static void run(const F& f, std::int64_t n, const Numbers& strides, const Operands& operands) {
        wengert::run(n, strides, Rows{f, operands});
    }

    /// Over a loop nest. `targets` are the tensors that operands.to points into.
    static void run(const F& f, const Nest<1 + 2 * N>& nest, const Operands& operands,
                    const std::array<Destination, N>& targets) {
        std::uint64_t written = 0;
        std::int64_t common = 0;  // elements of targets that are the same for the whole outermost axis
        for (int k = 0; k < N; ++k) {
            if (operands.to[k] == nullptr) continue;
            written |= std::uint64_t{1} << (1 + N + k);
            if (nest.strides[1 + N + k][0] == 0) common += targets[k].tensor.numel();
        }
        const int last = nest.shape.rank() - 1, axis = shared_axis(nest, written);
        const std::int64_t parts = parallel_parts(nest.shape[0], 1, nest.shape.numel());
        // Threads that take a piece of each row read memory badly.
        if (parts > 1 && last > 0 && (axis < 0 || axis == last) && 16 * parts * common < nest.shape.numel())
            run_in_parts(f, nest, operands, targets, parts);
        else
            wengert::run(nest, written, Rows{f, operands});
    }

  private:
    /// Threads share the outermost axis. What all of them would add to, each sums for itself before it is added.
    static void run_in_parts(const F& f, const Nest<1 + 2 * N>& nest, const Operands& operands,
                             const std::array<Destination, N>& targets, std::int64_t parts) {
        struct Part {
            Nest<1 + 2 * N> nest;
            Operands operands;
            std::array<Tensor, N> sums = {};
        };
        std::vector<Part, CachedAllocator<Part>> shares(static_cast<std::size_t>(parts), {nest, operands});
        for (std::int64_t p = 0; p < parts; ++p) {
            Part& part = shares[static_cast<std::size_t>(p)];
            const std::int64_t begin = nest.shape[0] * p / parts;
            part.nest.shape[0] = nest.shape[0] * (p + 1) / parts - begin;
            part.operands.cotangent += begin * nest.strides[0][0];
            for (int k = 0; k < N; ++k) {
                part.operands.in[k] += begin * nest.strides[1 + k][0];
                if (operands.to[k] == nullptr) continue;
                Shape& strides = part.nest.strides[1 + N + k];
                part.operands.to[k] += begin * strides[0];
                if (p == 0 || strides[0] != 0) continue;
                Tensor& sum = part.sums[k] = zeros(without_repeats(part.nest.shape, strides), dtype_of<T>);
                part.operands.to[k] = static_cast<T*>(sum.raw());
                strides = strides_in(sum, part.nest.shape);
            }
        }
        parallel_ranges(parts, 1, nest.shape.numel(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin; p < end; ++p) {
                const Part& part = shares[static_cast<std::size_t>(p)];
                wengert::run(part.nest, 0, Rows{f, part.operands});
            }
        });
        for (const Part& part : shares) {
            for (int k = 0; k < N; ++k) {
                if (!part.sums[k].defined()) continue;
                const Tensor& target = targets[k].tensor;
                write(part.sums[k],
                      {target.view(part.sums[k].shape(), nest.strides[1 + N + k], target.offset()), true});
            }
        }
    }

    /// A nest's shape with the axes on which an operand stands still of length 1.
    static Shape without_repeats(Shape shape, const Shape& strides) {
        for (int axis = 0; axis < shape.rank(); ++axis)
            if (strides[axis] == 0) shape[axis] = 1;
        return shape;
    }

    /// The kernel for one row, which the loops call.
    struct Rows {
        const F& f;
        const Operands& operands;

        void operator()(const Numbers& offset, const Numbers& strides, std::int64_t n) const {
            using Kernel = MapRows<F, T, N>;
            constexpr std::int64_t collected = 64 * Kernel::width;
            std::array<RowBuffer<T>, N> in_buffers, out_buffers;
            RowBuffer<T> ct_buffer;
            bool gathers = false, collects = false;
            for (const std::int64_t stride : strides) gathers |= RowBuffer<T>::gathers(stride);
            for (int k = 0; k < N; ++k) collects |= operands.to[k] != nullptr && strides[1 + N + k] == 0;
            // A register that collects a row is emptied now and then, so that long rows stay exact.
            const std::int64_t piece = gathers ? RowBuffer<T>::piece : collects ? collected : n;
            typename Kernel::Pointers in_row;
            typename Kernel::Steps step;
            std::array<double, N> totals{};
            for (std::int64_t i = 0; i < n; i += piece) {
                const std::int64_t length = std::min(piece, n - i);
                const std::int64_t ct_stride = strides[0];
                typename Kernel::Targets row;
                for (int k = 0; k < N; ++k) {
                    const std::int64_t stride = strides[1 + k];
                    in_row[k] = in_buffers[k].read(operands.in[k] + offset[1 + k] + i * stride, stride, length);
                    step[k] = stride == 0 ? 0 : 1;
                    if (operands.to[k] == nullptr) continue;
                    const std::int64_t out_stride = strides[1 + N + k];
                    row.step[k] = out_stride == 0 ? 0 : 1;
                    if (out_stride == 1) {
                        row.to[k] = operands.to[k] + offset[1 + N + k] + i;
                        row.accumulate[k] = operands.accumulate[k];
                    } else {
                        row.to[k] = out_buffers[k].data();
                        row.accumulate[k] = out_stride == 0;
                        if (out_stride == 0) std::fill_n(row.to[k], Kernel::width, T{0});
                    }
                }
                const T* const ct = operands.cotangent + offset[0] + i * ct_stride;
                Kernel::backward(f, in_row, step, ct_buffer.read(ct, ct_stride, length), ct_stride == 0 ? 0 : 1, row,
                                 length);
                for (int k = 0; k < N; ++k) {
                    const std::int64_t out_stride = strides[1 + N + k];
                    if (operands.to[k] == nullptr || out_stride == 1) continue;
                    T* const out = operands.to[k] + offset[1 + N + k] + i * out_stride;
                    const T* const from = out_buffers[k].data();
                    if (out_stride == 0) {
                        for (std::int64_t j = 0; j < Kernel::width; ++j) totals[k] += static_cast<double>(from[j]);
                        if (i + length == n) *out += static_cast<T>(totals[k]);
                    } else {
                        for (std::int64_t j = 0; j < length; ++j)
                            out[j * out_stride] = operands.accumulate[k] ? out[j * out_stride] + from[j] : from[j];
                    }
                }
            }
        }
    };
};

}  // namespace wengert
