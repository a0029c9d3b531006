#include <algorithm>
#include <array>
#include <cstring>
#include <wengert/autograd/tensor/internal/uncounted.hpp>
#include <wengert/autograd/tensor/parallel.hpp>

namespace wengert {
namespace {

/// Calls f(offsets, n) for each row of n elements, on several threads if the rows are more than one copies quickly. No
/// two rows may write one element.
template <std::size_t N, class F>
void share_rows(const Shape& shape, const std::array<Shape, N>& strides, const F& f) {
    constexpr std::int64_t elements_as_cheap_as_one = 8, cache_line = 16;
    const std::int64_t work = shape.numel() / elements_as_cheap_as_one;
    parallel_ranges(shape[0], shape.rank() == 1 ? cache_line : 1, work, [&](std::int64_t begin, std::int64_t end) {
        Shape part = shape;
        part[0] = end - begin;
        for_each_outer_position(part, strides, [&](std::array<std::int64_t, N> offsets) {
            for (std::size_t k = 0; k < N; ++k) offsets[k] += begin * strides[k][0];
            f(offsets, part.back());
        });
    });
}

/// What store_each() does by rows where elements stand side by side.
struct Copy {
    void operator()(auto& to, auto from) const { to = from; }
};

/// Calls store(to, from) for each pair of elements; where it may throw, by one thread.
template <class To, class From, bool may_throw, class Store>
void store_each(const Tensor& source, const Tensor& target, const Store& store) {
    Shape shape = target.shape();
    std::array<Shape, 2> strides{target.strides(), source.strides()};
    simplify(shape, strides);
    To* const to = static_cast<To*>(target.raw());
    const From* const from = static_cast<const From*>(source.raw());
    const std::int64_t to_step = strides[0].back(), from_step = strides[1].back();
    const auto row = [&](const std::array<std::int64_t, 2>& offset, std::int64_t n) {
        To* out = to + offset[0];
        const From* in = from + offset[1];
        if constexpr (std::is_same_v<Store, Copy>) {
            if (to_step == 1 && from_step == 1)
                return static_cast<void>(std::memcpy(out, in, static_cast<std::size_t>(n) * sizeof(To)));
            if (to_step == 1 && from_step == 0) return static_cast<void>(std::fill_n(out, n, *in));
        }
        if (to_step == 1 && from_step == 1)
            for (std::int64_t i = 0; i < n; ++i) store(out[i], in[i]);
        else
            for (std::int64_t i = 0; i < n; ++i) store(out[i * to_step], in[i * from_step]);
    };
    if constexpr (may_throw)
        for_each_outer_position(shape, strides, [&](const auto& offset) { row(offset, shape.back()); });
    else
        share_rows(shape, strides, row);
}

void copy(const Tensor& source, const Tensor& target) {
    visit_stored(target.dtype(),
                 [&](auto type) { store_each<decltype(type), decltype(type), false>(source, target, Copy()); });
}

void add(const Tensor& source, const Tensor& target) {
    visit_dtype(target.dtype(), [&](auto type) {
        using T = decltype(type);
        // The sum of two bools is whether one is true; integers wrap around.
        store_each<T, T, false>(source, target, [](T& o, T i) {
            if constexpr (std::integral<T> && !std::same_as<T, bool>)
                static_cast<void>(__builtin_add_overflow(o, i, &o));
            else
                o = static_cast<T>(o + i);
        });
    });
}

void convert_each(const Tensor& source, const Tensor& target) {
    visit_stored(target.dtype(), [&](auto to) {
        visit_stored(source.dtype(), [&](auto from) {
            using To = decltype(to);
            using From = decltype(from);
            if constexpr (!std::same_as<To, From>)
                store_each<To, From, may_refuse<To, From>>(source, target, [](To& o, From i) { o = convert<To>(i); });
        });
    });
}

/// Whether fewer steps along each axis than it is long, forward or backward, can lead over a distance. What the axes
/// after one can do is less than one of its steps.
bool steps_lead_over(const Shape& shape, const Shape& strides, int axis, std::int64_t distance) {
    if (axis == shape.rank()) return distance == 0;
    if (shape[axis] == 1) return steps_lead_over(shape, strides, axis + 1, distance);
    for (const std::int64_t steps : {distance / strides[axis], distance / strides[axis] + (distance < 0 ? -1 : 1)})
        if (std::abs(steps) < shape[axis] &&
            steps_lead_over(shape, strides, axis + 1, distance - steps * strides[axis]))
            return true;
    return false;
}

}  // namespace

namespace uncounted {

void write(const Tensor& source, const Destination& destination) {
    const Tensor& target = destination.tensor;
    if (source.shape() != target.shape())
        throw ShapeError("cannot write " + to_string(source.shape()) + " into " + to_string(target.shape()));
    if (source.dtype() == target.dtype()) return destination.accumulate ? add(source, target) : copy(source, target);
    if (!destination.accumulate) return convert_each(source, target);
    add(cast(source, target.dtype()), target);
}

void fill(const Tensor& destination, double value) {
    visit_stored(destination.dtype(), [&](auto type) {
        using T = decltype(type);
        const T element = convert<T>(value);
        Shape shape = destination.shape();
        std::array<Shape, 1> strides{destination.strides()};
        simplify(shape, strides);
        T* const to = static_cast<T*>(destination.raw());
        const std::int64_t step = strides[0].back();
        share_rows(shape, strides, [&](const std::array<std::int64_t, 1>& offset, std::int64_t n) {
            T* out = to + offset[0];
            if (step == 1)
                std::fill_n(out, n, element);
            else
                for (std::int64_t i = 0; i < n; ++i) out[i * step] = element;
        });
    });
}

}  // namespace uncounted

void write(const Tensor& source, const Destination& destination) {
    uncounted::write(source, destination);
    ++destination.tensor.state()->storage->version;
}

void fill(const Tensor& destination, double value) {
    uncounted::fill(destination, value);
    ++destination.state()->storage->version;
}

Tensor packed(const Tensor& x) {
    if (x.is_contiguous()) return x;
    const Tensor copy = Tensor::empty(x.shape(), x.dtype());
    uncounted::write(x, {copy});
    return copy;
}

bool may_interleave(const Destination& a, const Destination& b) {
    if (!a.tensor.shares_storage(b.tensor) || a.tensor.numel() == 0) return true;
    if (a.tensor.shape() != b.tensor.shape() || a.tensor.strides() != b.tensor.strides()) return false;
    const std::int64_t distance = a.tensor.offset() - b.tensor.offset();
    if (distance == 0) return true;
    // Slices of one tensor, with steps from the longest to the shortest: each spans less than one step of the axis
    // before.
    const Shape &shape = a.tensor.shape(), &strides = a.tensor.strides();
    std::int64_t span = 1;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        if (shape[axis] == 1) continue;
        if (strides[axis] < span) return false;
        span = strides[axis] * shape[axis];
    }
    return !steps_lead_over(shape, strides, 0, distance);
}

}  // namespace wengert
