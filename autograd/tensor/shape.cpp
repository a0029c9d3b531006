#include <fmt/ranges.h>

#include <algorithm>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/tensor/shape.hpp>

namespace wengert {

Shape::Shape(std::span<const std::int64_t> dims) {
    if (dims.size() > max_rank)
        throw ShapeError(fmt::format("a tensor has at most {} axes, not {}", max_rank, dims.size()));
    for (const std::int64_t d : dims) dims_[rank_++] = d;
}

void Shape::throw_axis(int axis) const {
    throw ShapeError(fmt::format("there is no axis {} in {}", axis, to_string(*this)));
}

void Shape::push_back(std::int64_t dim) { insert(rank_, dim); }

void Shape::insert(int axis, std::int64_t dim) {
    if (axis < 0 || axis > rank_) throw_axis(axis);
    if (rank_ == max_rank) throw ShapeError(fmt::format("a tensor has at most {} axes", max_rank));
    std::copy_backward(begin() + axis, end(), end() + 1);
    dims_[axis] = dim;
    ++rank_;
}

void Shape::erase(int axis) {
    if (axis < 0 || axis >= rank_) throw_axis(axis);
    std::copy(begin() + axis + 1, end(), begin() + axis);
    --rank_;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", ")); }

void require_countable(const Shape& shape) {
    constexpr std::uint64_t most = std::uint64_t{1} << 59;
    std::uint64_t elements = 1;
    for (const std::int64_t d : shape) {
        if (d == 0) continue;
        // Whoever refuses a negative length names the product, too.
        const std::uint64_t length = d < 0 ? 0 - static_cast<std::uint64_t>(d) : static_cast<std::uint64_t>(d);
        if (__builtin_mul_overflow(elements, length, &elements) || elements > most)
            throw ShapeError("a tensor " + to_string(shape) + " has more elements than can be counted");
    }
}

Shape contiguous_strides(const Shape& shape) {
    Shape strides = shape;
    std::int64_t stride = 1;
    for (int i = shape.rank() - 1; i >= 0; --i) {
        strides[i] = stride;
        stride *= shape[i];
    }
    return strides;
}

Shape unravel(std::int64_t number, const Shape& shape) {
    Shape index = shape;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        index[axis] = number % shape[axis];
        number /= shape[axis];
    }
    return index;
}

Shape broadcast(const Shape& a, const Shape& b) {
    if (a == b) return a;
    Shape result = a.rank() >= b.rank() ? a : b;
    for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
        const std::int64_t m = a[a.rank() - i], n = b[b.rank() - i];
        if (m != n && m != 1 && n != 1)
            throw ShapeError(
                fmt::format("shapes do not broadcast: {} and {} ({} != {})", to_string(a), to_string(b), m, n));
        result[result.rank() - i] = m == 1 ? n : m;
    }
    return result;
}

bool stretches_to(const Shape& shape, const Shape& to) {
    if (shape.rank() > to.rank()) return false;
    for (int axis = 0; axis < to.rank(); ++axis) {
        const int own = axis - (to.rank() - shape.rank());
        if (to[axis] < 0 || (own >= 0 && shape[own] != 1 && shape[own] != to[axis])) return false;
    }
    return true;
}

static int counted_from_front(int axis, int rank, const char* of) {
    if (axis < -rank || axis >= rank)
        throw ShapeError(fmt::format("axis {} does not exist in a {} of {} axes", axis, of, rank));
    return axis < 0 ? axis + rank : axis;
}
int normalize_axis(int axis, int rank) { return counted_from_front(axis, rank, "tensor"); }
int normalize_new_axis(int axis, int rank) { return counted_from_front(axis, rank, "result"); }

}  // namespace wengert
