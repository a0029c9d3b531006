#include <algorithm>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>

namespace wengert {

Shape strides_in(const Tensor& x, const Shape& space) {
    Shape strides = space;
    const int missing = space.rank() - x.rank();
    for (int axis = 0; axis < space.rank(); ++axis) {
        const bool stretched = axis < missing || (x.shape()[axis - missing] == 1 && space[axis] != 1);
        strides[axis] = stretched ? 0 : x.strides()[axis - missing];
    }
    return strides;
}

void Nest::set(int operand, const Shape& strides) {
    for (int axis = 0; axis < rank(); ++axis) set_step(axis, operand, strides[axis]);
}

void Nest::set(int operand, const Tensor& x) {
    const int missing = rank() - x.rank();
    for (int axis = 0; axis < rank(); ++axis) {
        const bool stretched = axis < missing || (x.shape()[axis - missing] == 1 && shape_[axis] != 1);
        set_step(axis, operand, stretched ? 0 : x.strides()[axis - missing]);
    }
}

/// Judged by the first operand whose steps differ.
bool Nest::has_shorter_steps(int axis, int than) const {
    for (int k = 0; k < operands_; ++k) {
        const std::int64_t a = step(axis, k), b = step(than, k);
        if (a == 0 || b == 0 || a == b) continue;
        return a < b;
    }
    return false;
}

bool Nest::joins_next(int axis) const {
    for (int k = 0; k < operands_; ++k)
        if (step(axis, k) != step(axis + 1, k) * shape_[axis + 1]) return false;
    return true;
}

void Nest::arrange() {
    const auto exchange = [this](int a, int b) {
        std::swap(shape_[a], shape_[b]);
        Numbers &x = steps_[static_cast<std::size_t>(a)], &y = steps_[static_cast<std::size_t>(b)];
        std::swap_ranges(x.begin(), x.begin() + operands_, y.begin());
    };
    const auto copy = [this](int from, int to) {
        std::copy_n(steps(from).begin(), operands_, steps_[static_cast<std::size_t>(to)].begin());
    };
    for (int last = rank() - 1; last > 0; --last)
        for (int axis = 0; axis < last; ++axis)
            if (has_shorter_steps(axis, axis + 1)) exchange(axis, axis + 1);
    Shape kept;
    for (int axis = 0; axis < rank(); ++axis) {
        if (shape_[axis] == 1) continue;
        if (kept.rank() != axis) copy(axis, kept.rank());
        kept.push_back(shape_[axis]);
    }
    shape_ = kept;
    for (int axis = rank() - 2; axis >= 0; --axis) {
        if (!joins_next(axis)) continue;
        shape_[axis] *= shape_[axis + 1];
        for (int later = axis + 1; later < rank(); ++later) {
            copy(later, later - 1);
            if (later > axis + 1) shape_[later - 1] = shape_[later];
        }
        shape_.erase(rank() - 1);
    }
    if (rank() > 0) return;
    shape_.push_back(1);
    for (int k = 0; k < operands_; ++k) set_step(0, k, 1);
}

void Nest::run_part(int axis, std::int64_t begin, std::int64_t end, TableBody body, const void* context) const {
    Shape shape = shape_;
    Numbers offsets;
    for (int k = 0; k < operands_; ++k) offsets[static_cast<std::size_t>(k)] = axis < 0 ? 0 : begin * step(axis, k);
    if (axis >= 0) shape[axis] = end - begin;
    if (shape.numel() == 0) return;
    const int inner = rank() - 1, outer = std::max(inner - 1, 0);
    const Table table{offsets.data(), steps(outer).data(), steps(inner).data(), inner == 0 ? 1 : shape[outer],
                      shape[inner]};
    std::array<std::int64_t, Shape::max_rank> index{};
    while (true) {
        body(context, table);
        int a = outer - 1;
        for (; a >= 0; --a) {
            const std::int64_t* const moves = steps(a).data();
            for (int k = 0; k < operands_; ++k) offsets[static_cast<std::size_t>(k)] += moves[k];
            if (++index[static_cast<std::size_t>(a)] < shape[a]) break;
            for (int k = 0; k < operands_; ++k) offsets[static_cast<std::size_t>(k)] -= moves[k] * shape[a];
            index[static_cast<std::size_t>(a)] = 0;
        }
        if (a < 0) return;
    }
}

void Nest::run_tables(int axis, TableBody body, const void* context) const {
    if (axis < 0) return run_part(axis, 0, 1, body, context);
    const bool inner = axis == rank() - 1;
    parallel_ranges(shape_[axis], inner ? 64 : 1, shape_.numel(),
                    [&](std::int64_t begin, std::int64_t end) { run_part(axis, begin, end, body, context); });
}

}  // namespace wengert
