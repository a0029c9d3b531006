#include <algorithm>
#include <cmath>
#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/elementwise/internal/map_rows.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>

namespace wengert {
namespace {

/// The backward kernel over rows of a nest: operand 0 is the cotangent, then come the targets, then the operands.
template <class T, class Room>
struct BackwardRows {
    const Formula& formula;
    const void* f;
    const T* cotangent;
    std::int64_t result_step;                 ///< from one result's cotangent to the next
    std::array<bool, Room::results> is_zero;  ///< nothing was contributed to this result, and its cotangent is not set
    std::array<const T*, Room::operands> in;
    std::array<T*, Room::operands> to;  ///< null: nothing waits for this one
    std::array<bool, Room::operands> accumulate;

    int first_target() const { return 1; }
    int first_operand() const { return 1 + formula.operands; }

    void operator()(const std::int64_t* offset, const std::int64_t* stride, std::int64_t n) const {
        const int operands = formula.operands, results = formula.results;
        const std::int64_t width = formula.kernels<T>().width, collected = 64 * width;
        bool gathers = false, collects = false;
        for (int k = 0; k <= 2 * operands; ++k) gathers |= RowBuffer<T>::gathers(stride[k]);
        for (int k = 0; k < operands; ++k) collects |= to[static_cast<std::size_t>(k)] != nullptr && stride[1 + k] == 0;
        // A register that collects a row is emptied now and then, so that long rows stay exact.
        const std::int64_t piece = gathers ? RowBuffer<T>::piece : collects ? collected : n;
        RowBuffer<T> in_buffers[Room::operands], out_buffers[Room::operands], ct_buffers[Room::results];
        const T *rows[Room::operands], *cts[Room::results];
        std::int64_t step[Room::operands], ct_step[Room::results];
        RowTarget<T> targets[Room::operands];
        double totals[Room::operands];
        for (int k = 0; k < operands; ++k) totals[k] = 0;
        for (std::int64_t i = 0; i < n; i += piece) {
            const std::int64_t length = std::min(piece, n - i);
            for (int k = 0; k < operands; ++k) {
                const auto at = static_cast<std::size_t>(k);
                const std::int64_t s = stride[first_operand() + k], out_stride = stride[1 + k];
                rows[k] = in_buffers[k].read(in[at] + offset[first_operand() + k] + i * s, s, length);
                step[k] = s == 0 ? 0 : 1;
                if (to[at] == nullptr) continue;
                targets[k].step = out_stride == 0 ? 0 : 1;
                if (out_stride == 1) {
                    targets[k].to = to[at] + offset[1 + k] + i;
                    targets[k].accumulate = accumulate[at];
                } else {
                    targets[k].to = out_buffers[k].data();
                    targets[k].accumulate = out_stride == 0;
                    if (out_stride == 0) std::fill_n(targets[k].to, width, T{0});
                }
            }
            for (int r = 0; r < results; ++r) {
                cts[r] = nullptr;
                ct_step[r] = 0;
                if (is_zero[static_cast<std::size_t>(r)]) continue;
                const T* const from = cotangent + offset[0] + r * result_step + i * stride[0];
                cts[r] = ct_buffers[r].read(from, stride[0], length);
                ct_step[r] = stride[0] == 0 ? 0 : 1;
            }
            add(rows, step, cts, ct_step, targets, length);
            for (int k = 0; k < operands; ++k) {
                const auto at = static_cast<std::size_t>(k);
                const std::int64_t out_stride = stride[1 + k];
                if (to[at] == nullptr || out_stride == 1) continue;
                T* const out = to[at] + offset[1 + k] + i * out_stride;
                const T* const from = out_buffers[k].data();
                if (out_stride == 0) {
                    for (std::int64_t j = 0; j < width; ++j) totals[k] += static_cast<double>(from[j]);
                    if (i + length == n) *out += static_cast<T>(totals[k]);
                } else {
                    for (std::int64_t j = 0; j < length; ++j)
                        out[j * out_stride] = accumulate[at] ? out[j * out_stride] + from[j] : from[j];
                }
            }
        }
    }

    /// For a row of n elements, as kernels want them.
    void add(const T* const* rows, const std::int64_t* step, const T* const* cts, const std::int64_t* ct_step,
             const RowTarget<T>* targets, std::int64_t n) const {
        const RowKernels<T>& kernels = formula.kernels<T>();
        const std::int64_t full = n / kernels.width * kernels.width;
        if (full > 0) kernels.backward(f, rows, step, cts, ct_step, targets, full);
        if (full == n) return;
        RowRest<T, Room> rest;
        alignas(64) T last_cts[Room::results][most_lanes<T>];
        const T* ct_rows[Room::results];
        // What lies beyond the row's end has the cotangent 0.
        for (int r = 0; r < formula.results; ++r) {
            ct_rows[r] = nullptr;
            if (cts[r] == nullptr) continue;
            std::array<T, most_lanes<T>> repeated;
            if (ct_step[r] == 0) repeated.fill(*cts[r]);
            load_part(ct_step[r] == 0 ? repeated.data() : cts[r] + full, last_cts[r], n - full);
            ct_rows[r] = last_cts[r];
        }
        alignas(64) T buffers[Room::operands][most_lanes<T>];
        RowTarget<T> into[Room::operands];
        for (int k = 0; k < formula.operands; ++k)
            if (targets[k].to != nullptr) into[k].to = buffers[k];
        kernels.backward(f, rest.read(formula.operands, rows, step, full, n - full), step, ct_rows, ct_step, into,
                         kernels.width);
        for (int k = 0; k < formula.operands; ++k) {
            if (targets[k].to == nullptr) continue;
            T* const out = targets[k].to + full * targets[k].step;
            if (targets[k].accumulate)
                for (std::int64_t j = 0; j < n - full; ++j) out[j] += buffers[k][j];
            else
                copy_part(buffers[k], out, n - full);
        }
    }
};

/// A shape with the axes on which an operand of a nest stands still of length 1.
Shape without_repeats(const Nest& nest, int operand) {
    Shape shape = nest.shape();
    for (int axis = 0; axis < shape.rank(); ++axis)
        if (nest.step(axis, operand) == 0) shape[axis] = 1;
    return shape;
}

Shape steps_of(const Nest& nest, int operand) {
    Shape strides = nest.shape();
    for (int axis = 0; axis < strides.rank(); ++axis) strides[axis] = nest.step(axis, operand);
    return strides;
}

/// A part of a nest along one axis. What stands still along that axis other parts add to as well: if it keeps sums,
/// this part sums it for itself until `add_sums`.
template <class T, class Room>
struct Part {
    Nest nest;
    BackwardRows<T, Room> rows;
    std::array<Destination, Room::operands> targets = {};
    std::array<Tensor, Room::operands> shared = {};  ///< defined where the part has a sum of its own as target

    Part(const Nest& whole, const BackwardRows<T, Room>& all, std::span<const Destination> whole_targets, int axis,
         std::int64_t begin, std::int64_t end, bool keeps_sums)
        : nest(whole), rows(all) {
        nest.set_length(axis, end - begin);
        rows.cotangent += begin * nest.step(axis, 0);
        for (int k = 0; k < rows.formula.operands; ++k) {
            const auto at = static_cast<std::size_t>(k);
            const int target = rows.first_target() + k;
            rows.in[at] += begin * nest.step(axis, rows.first_operand() + k);
            if (rows.to[at] == nullptr) continue;
            rows.to[at] += begin * nest.step(axis, target);
            targets[at] = whole_targets[at];
            if (!keeps_sums || nest.step(axis, target) != 0) continue;
            const Tensor sum = zeros(without_repeats(nest, target), dtype_of<T>);
            const Tensor& all_parts = targets[at].tensor;
            // In a part of a part it does not begin where the target begins.
            const std::int64_t offset = rows.to[at] - static_cast<const T*>(all_parts.raw()) + all_parts.offset();
            shared[at] = all_parts.view(sum.shape(), steps_of(nest, target), offset);
            targets[at] = {sum, true};
            rows.to[at] = static_cast<T*>(sum.raw());
            nest.set(target, sum);
        }
    }

    void add_sums() const {
        for (std::size_t k = 0; k < shared.size(); ++k)
            if (shared[k].defined()) write(targets[k].tensor, {shared[k], true});
    }
};

/// Threads share the outermost axis.
template <class T, class Room>
void run_in_parts(const Nest& nest, const BackwardRows<T, Room>& rows, std::span<const Destination> targets,
                  std::int64_t parts) {
    const std::int64_t n = nest.shape()[0];
    std::vector<Part<T, Room>, CachedAllocator<Part<T, Room>>> shares;
    shares.reserve(static_cast<std::size_t>(parts));
    for (std::int64_t p = 0; p < parts; ++p)
        shares.emplace_back(nest, rows, targets, 0, n * p / parts, n * (p + 1) / parts, p > 0);
    parallel_ranges(parts, 1, nest.shape().numel(), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) {
            const Part<T, Room>& part = shares[static_cast<std::size_t>(p)];
            part.nest.run(-1, part.rows);
        }
    });
    for (const Part<T, Room>& part : shares) part.add_sums();
}

template <class T, class Room>
void run_nest(const Nest& nest, const BackwardRows<T, Room>& rows, std::span<const Destination> targets) {
    const int operands = rows.formula.operands;
    std::int64_t common = 0;  // elements of targets that are the same for the whole outermost axis
    const auto is_written = [&](int operand) { return rows.to[static_cast<std::size_t>(operand - 1)] != nullptr; };
    for (int k = 0; k < operands; ++k)
        if (is_written(1 + k) && nest.step(0, 1 + k) == 0)
            common += targets[static_cast<std::size_t>(k)].tensor.numel();
    const int last = nest.rank() - 1, axis = nest.shared_axis(1, 1 + operands, is_written);
    const std::int64_t elements = nest.shape().numel(), parts = parallel_parts(nest.shape()[0], 1, elements);
    // Threads that take a piece of each row read memory badly.
    if (parts > 1 && last > 0 && (axis < 0 || axis == last) && 16 * parts * common < elements)
        run_in_parts(nest, rows, targets, parts);
    else
        nest.run(axis, rows);
}

/// The outer axis along which most rows are added to one of the targets' rows, if they are too many to be added one
/// after another in T; -1 if there is none.
template <class T, class Room>
int axis_of_many_rows(const Nest& nest, const BackwardRows<T, Room>& rows) {
    constexpr std::int64_t many = 2048;
    for (int k = 0; k < rows.formula.operands; ++k) {
        if (rows.to[static_cast<std::size_t>(k)] == nullptr) continue;
        std::int64_t count = 1;
        int longest = -1;
        for (int axis = 0; axis < nest.rank() - 1; ++axis) {
            if (nest.step(axis, rows.first_target() + k) != 0) continue;
            count *= nest.shape()[axis];
            if (longest < 0 || nest.shape()[axis] > nest.shape()[longest]) longest = axis;
        }
        if (count > many) return longest;
    }
    return -1;
}

/// Cuts such an axis into blocks, each of which sums into tensors of its own before these are added.
template <class T, class Room>
void run_in_blocks(const Nest& nest, const BackwardRows<T, Room>& rows, std::span<const Destination> targets) {
    const int axis = axis_of_many_rows(nest, rows);
    if (axis < 0) return run_nest(nest, rows, targets);
    const std::int64_t n = nest.shape()[axis];
    const auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
    const std::int64_t length =
        std::clamp<std::int64_t>(std::max<std::int64_t>(root, 512), 1, std::max<std::int64_t>(n / 2, 1));
    for (std::int64_t begin = 0; begin < n; begin += length) {
        const Part<T, Room> block(nest, rows, targets, axis, begin, std::min(begin + length, n), true);
        run_in_blocks(block.nest, block.rows, std::span<const Destination>(block.targets));
        block.add_sums();
    }
}

}  // namespace

template <class T, class Room>
void BoundFormula::kernel_vjp(Backward& back, const Shape& space, std::span<const Destination> targets,
                              std::span<const bool> wanted) const {
    static constexpr T none = 0;
    const Tensor& cotangent = back.cotangent();
    const int operands = formula.operands;
    Shape ct_strides = cotangent.strides();
    BackwardRows<T, Room> rows{formula, f, static_cast<const T*>(cotangent.raw()), 0, {}, {}, {}, {}};
    if (formula.results > 1) {
        for (std::size_t r = 0; r < static_cast<std::size_t>(formula.results); ++r)
            rows.is_zero[r] = back.is_unset(static_cast<std::int64_t>(r));
        rows.result_step = ct_strides[0];
        ct_strides.erase(0);
    }
    bool plain = !formula.summed && formula.results == 1 && cotangent.is_contiguous();
    for (int k = 0; k < operands; ++k) {
        const auto at = static_cast<std::size_t>(k);
        rows.in[at] = &none;
        if (!formula.linear) {
            const Tensor& x = back.saved(at);
            rows.in[at] = static_cast<const T*>(x.raw());
            plain = plain && is_run(x, space);
        }
        if (!wanted[at]) continue;
        rows.to[at] = static_cast<T*>(targets[at].tensor.raw());
        rows.accumulate[at] = targets[at].accumulate;
        plain = plain && is_run(targets[at].tensor, space);
    }
    if (plain) {
        parallel_ranges(space.numel(), 64, space.numel(), [&](std::int64_t begin, std::int64_t end) {
            const T* in_rows[Room::operands];
            std::int64_t step[Room::operands];
            RowTarget<T> row_targets[Room::operands];
            alignas(64) static constexpr T zeros[most_lanes<T>] = {};
            for (int k = 0; k < operands; ++k) {
                const auto at = static_cast<std::size_t>(k);
                in_rows[k] = formula.linear ? zeros : rows.in[at] + begin;
                step[k] = formula.linear ? 0 : 1;
                if (wanted[at]) row_targets[k] = {rows.to[at] + begin, 1, rows.accumulate[at]};
            }
            const T* const ct = rows.cotangent + begin;
            static constexpr std::int64_t one = 1;
            rows.add(in_rows, step, &ct, &one, row_targets, end - begin);
        });
        return;
    }
    Nest nest(space, 1 + 2 * operands);
    nest.set(0, sums != nullptr ? sums->strides_in(cotangent, space) : ct_strides);
    for (int k = 0; k < operands; ++k) {
        const auto at = static_cast<std::size_t>(k);
        const int target = rows.first_target() + k, operand = rows.first_operand() + k;
        if (formula.linear)
            for (int axis = 0; axis < space.rank(); ++axis) nest.set_step(axis, operand, nest.step(axis, 0));
        else
            nest.set(operand, back.saved(at));
        if (wanted[at])
            nest.set(target, targets[at].tensor);
        else
            for (int axis = 0; axis < space.rank(); ++axis) nest.set_step(axis, target, nest.step(axis, operand));
    }
    nest.arrange();
    for (int k = 0; k < operands; ++k) {
        const auto at = static_cast<std::size_t>(k);
        const int target = rows.first_target() + k;
        bool repeats = false;
        for (int axis = 0; axis < nest.rank(); ++axis) {
            // A linear formula's derivatives are constants: what it reads does not matter.
            if (formula.linear) nest.set_step(axis, rows.first_operand() + k, 0);
            repeats |= nest.step(axis, target) == 0;
        }
        if (!wanted[at] || targets[at].accumulate || !repeats) continue;
        fill(targets[at].tensor, 0);  // sums over broadcast axes
        rows.accumulate[at] = true;
    }
    run_in_blocks(nest, rows, targets);
}

template <class Room>
void BoundFormula::vjp_of(Backward& back) const {
    std::array<Destination, Room::operands> targets;
    std::array<bool, Room::operands> wanted{};
    const auto operands = static_cast<std::size_t>(formula.operands);
    for (std::size_t k = 0; k < operands; ++k)
        if ((wanted[k] = back.needs(k))) targets[k] = back.target(k);
    // Two operands may be parts of one tensor. If their cotangents overlap, each must be complete before the next is
    // begun.
    bool together = true;
    for (std::size_t j = 0; j < operands; ++j)
        for (std::size_t k = 0; k < j; ++k)
            together &= !wanted[j] || !wanted[k] || may_interleave(targets[j], targets[k]);
    const Shape space = this->space(back);
    const auto run = [&](std::span<const bool> which) {
        visit_floating(back.cotangent().dtype(),
                       [&](auto type) { this->kernel_vjp<decltype(type), Room>(back, space, targets, which); });
    };
    if (together) return run(wanted);
    for (std::size_t k = 0; k < operands; ++k) {
        std::array<bool, Room::operands> alone{};
        alone[k] = wanted[k];
        if (alone[k]) run(alone);
    }
}

void BoundFormula::vjp(Backward& back) const {
    if (back.is_recorded()) {
        compose_vjp(back);
    } else if (formula.linear && formula.summed) {
        // The cotangent of what sum() sums is the sum's, stretched, which takes no memory of its own.
        const Tensor& ct = back.cotangent();
        const Shape& space = back.input_shape(0);
        back.add(0, ct.view(space, sums->strides_in(ct, space), ct.offset()));
    } else {
        with_room_for(formula, [&](auto room) { this->vjp_of<decltype(room)>(back); });
    }
}

}  // namespace wengert
