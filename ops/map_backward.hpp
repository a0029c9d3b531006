#pragma once

#include <vector>
#include <wengert/autograd/allocator.hpp>
#include <wengert/ops/map_rows.hpp>
#include <wengert/ops/nest.hpp>

namespace wengert {

/// The dual kernel of a formula over a loop nest.
template <class F, class T, int N>
struct MapBackward {
    struct Operands {
        std::array<const T*, N> in;
        std::array<Destination, N> to;  ///< without a tensor: nothing waits for this one
    };

    /// Adds cotangent * df/dx_k to each target, in one pass. The nest's strides are those of the cotangent, the
    /// operands and the targets, in this order.
    static void run(const F& f, const Nest<1 + 2 * N>& nest, const T* cotangent, const Operands& operands) {
        std::uint64_t written = 0;
        std::int64_t common = 0;  // elements of targets that are the same for the whole outermost axis
        for (int k = 0; k < N; ++k) {
            if (!operands.to[k].tensor.defined()) continue;
            written |= std::uint64_t{1} << (1 + N + k);
            if (nest.strides[1 + N + k][0] == 0) common += operands.to[k].tensor.numel();
        }
        const int last = nest.shape.rank() - 1, axis = shared_axis(nest, written);
        const std::int64_t parts = parallel_parts(nest.shape[0], 1, nest.shape.numel());
        // Threads that take a piece of each row read memory badly.
        if (parts > 1 && last > 0 && (axis < 0 || axis == last) && 16 * parts * common < nest.shape.numel())
            run_in_parts(f, nest, cotangent, operands, parts);
        else
            run_whole(f, nest, cotangent, operands, written);
    }

  private:
    static void run_whole(const F& f, const Nest<1 + 2 * N>& nest, const T* cotangent, const Operands& operands,
                          std::uint64_t written) {
        wengert::run(nest, written, [&](const std::array<std::int64_t, 1 + 2 * N>& offset, std::int64_t n) {
            row(f, nest, cotangent, operands, offset, n);
        });
    }

    /// Threads share the outermost axis. What all of them would add to, each sums for itself before it is added.
    static void run_in_parts(const F& f, const Nest<1 + 2 * N>& nest, const T* cotangent, const Operands& operands,
                             std::int64_t parts) {
        struct Part {
            Nest<1 + 2 * N> nest;
            Operands operands;
            const T* cotangent;
        };
        std::vector<Part, CachedAllocator<Part>> shares(static_cast<std::size_t>(parts), {nest, operands, cotangent});
        for (std::int64_t p = 0; p < parts; ++p) {
            Part& part = shares[static_cast<std::size_t>(p)];
            const std::int64_t begin = nest.shape[0] * p / parts;
            part.nest.shape[0] = nest.shape[0] * (p + 1) / parts - begin;
            part.cotangent += begin * nest.strides[0][0];
            for (int k = 0; k < N; ++k) {
                part.operands.in[k] += begin * nest.strides[1 + k][0];
                Tensor& to = part.operands.to[k].tensor;
                if (!to.defined()) continue;
                Shape& strides = part.nest.strides[1 + N + k];
                Shape shape = part.nest.shape;
                for (int axis = 0; axis < shape.rank(); ++axis)
                    if (strides[axis] == 0) shape[axis] = 1;
                if (p > 0 && strides[0] == 0) {
                    to = zeros(shape, dtype_of<T>);
                    strides = strides_in(to, part.nest.shape);
                } else {
                    to = to.view(shape, strides, to.offset() + begin * strides[0]);
                }
            }
        }
        parallel_ranges(parts, 1, nest.shape.numel(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin; p < end; ++p) {
                const Part& part = shares[static_cast<std::size_t>(p)];
                run_whole(f, part.nest, part.cotangent, part.operands, 0);
            }
        });
        for (std::size_t p = 1; p < shares.size(); ++p)
            for (int k = 0; k < N; ++k)
                if (shares[0].operands.to[k].tensor.defined() && nest.strides[1 + N + k][0] == 0)
                    write(shares[p].operands.to[k].tensor, {shares[0].operands.to[k].tensor, true});
    }

    static void row(const F& f, const Nest<1 + 2 * N>& nest, const T* cotangent, const Operands& operands,
                    const std::array<std::int64_t, 1 + 2 * N>& offset, std::int64_t n) {
        using Rows = MapRows<F, T, N>;
        constexpr std::int64_t collected = 64 * Rows::width;
        std::array<RowBuffer<T>, N> in_buffers, out_buffers;
        RowBuffer<T> ct_buffer;
        bool gathers = false, collects = false;
        for (const Shape& s : nest.strides) gathers |= RowBuffer<T>::gathers(s.back());
        std::array<T*, N> to{};
        for (int k = 0; k < N; ++k) {
            if (!operands.to[k].tensor.defined()) continue;
            to[k] = static_cast<T*>(operands.to[k].tensor.raw()) + offset[1 + N + k];
            collects |= nest.strides[1 + N + k].back() == 0;
        }
        // A register that collects a row is emptied now and then, so that long rows stay exact.
        const std::int64_t piece = gathers ? RowBuffer<T>::piece : collects ? collected : n;
        typename Rows::Pointers in_row;
        typename Rows::Steps step;
        std::array<double, N> totals{};
        for (std::int64_t i = 0; i < n; i += piece) {
            const std::int64_t length = std::min(piece, n - i);
            const std::int64_t ct_stride = nest.strides[0].back();
            typename Rows::Targets row;
            for (int k = 0; k < N; ++k) {
                const std::int64_t stride = nest.strides[1 + k].back();
                in_row[k] = in_buffers[k].read(operands.in[k] + offset[1 + k] + i * stride, stride, length);
                step[k] = stride == 0 ? 0 : 1;
                if (to[k] == nullptr) continue;
                const std::int64_t out_stride = nest.strides[1 + N + k].back();
                row.step[k] = out_stride == 0 ? 0 : 1;
                if (out_stride == 1) {
                    row.to[k] = to[k] + i;
                    row.accumulate[k] = operands.to[k].accumulate;
                } else {
                    row.to[k] = out_buffers[k].data();
                    row.accumulate[k] = out_stride == 0;
                    if (out_stride == 0) std::fill_n(row.to[k], Rows::width, T{0});
                }
            }
            Rows::backward(f, in_row, step, ct_buffer.read(cotangent + offset[0] + i * ct_stride, ct_stride, length),
                           ct_stride == 0 ? 0 : 1, row, length);
            for (int k = 0; k < N; ++k) {
                const std::int64_t out_stride = nest.strides[1 + N + k].back();
                if (to[k] == nullptr || out_stride == 1) continue;
                T* const out = to[k] + i * out_stride;
                const T* const from = out_buffers[k].data();
                if (out_stride == 0) {
                    for (std::int64_t j = 0; j < Rows::width; ++j) totals[k] += static_cast<double>(from[j]);
                    if (i + length == n) *out += static_cast<T>(totals[k]);
                } else {
                    for (std::int64_t j = 0; j < length; ++j)
                        out[j * out_stride] = operands.to[k].accumulate ? out[j * out_stride] + from[j] : from[j];
                }
            }
        }
    }
};

}  // namespace wengert
