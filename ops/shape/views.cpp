#include <fmt/format.h>

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The strides that show a tensor under another shape without a copy, if there are any: each run of axes that the new
/// shape splits or joins must be one run of memory.
std::optional<Shape> reshaped_strides(const Tensor& x, const Shape& to) {
    if (x.is_contiguous()) return contiguous_strides(to);
    if (x.numel() == 0) return std::nullopt;
    Shape old_shape, old_strides;
    for (int axis = 0; axis < x.rank(); ++axis) {
        if (x.shape()[axis] == 1) continue;
        old_shape.push_back(x.shape()[axis]);
        old_strides.push_back(x.strides()[axis]);
    }
    Shape strides = to;
    int old_axis = old_shape.rank() - 1, axis = to.rank() - 1;
    while (axis >= 0) {
        if (to[axis] == 1) {
            strides[axis--] = 1;
            continue;
        }
        if (old_axis < 0) return std::nullopt;
        std::int64_t run = old_shape[old_axis], wanted = 1, stride = old_strides[old_axis];
        // Join old axes until the new axes fit in.
        int first = old_axis;
        while (axis >= 0 && wanted < run) {
            strides[axis] = stride * wanted;
            wanted *= to[axis--];
            while (wanted > run && first > 0) {
                if (old_strides[first - 1] != old_strides[first] * old_shape[first]) return std::nullopt;
                run *= old_shape[--first];
            }
            if (wanted > run) return std::nullopt;
        }
        old_axis = first - 1;
    }
    return strides;
}

Shape inverse(const Shape& order) {
    Shape result = order;
    for (int i = 0; i < order.rank(); ++i) result[static_cast<int>(order[i])] = i;
    return result;
}

}  // namespace

// reshape, unsqueeze, squeeze

Tensor reshape(const Input& x, const Shape& shape) {
    static_assert(is_listed<Reshape>, "the op is missing in its family's list");
    return located(Reshape::name, {x}, [&] {
        const Tensor& from = x.tensor();
        require_countable(shape);
        Shape to = shape;
        int open = -1;
        std::int64_t known = 1;
        for (int axis = 0; axis < to.rank(); ++axis) {
            if (to[axis] != -1) {
                known *= to[axis];
                continue;
            }
            if (open >= 0) throw ShapeError(fmt::format("{} leaves more than one length open", to_string(to)));
            open = axis;
        }
        if (open >= 0 && known > 0 && from.numel() % known == 0) to[open] = from.numel() / known;
        const bool fits = to.numel() == from.numel() && std::ranges::all_of(to, [](auto d) { return d >= 0; });
        const Tensor in_order = fits && !reshaped_strides(from, to) ? contiguous(x) : from;
        return apply(Reshape{to}, {&in_order}, x.where());
    });
}

Tensor Reshape::view(const Tensor& x) const {
    if (to.numel() != x.numel() || std::ranges::any_of(to, [](auto d) { return d < 0; }))
        throw ShapeError(
            fmt::format("{} has {} elements and cannot become {}", to_string(x.shape()), x.numel(), to_string(to)));
    return x.view(to, reshaped_strides(x, to).value(), x.offset());
}

bool Reshape::can_view(const Tensor& x) const { return reshaped_strides(x, to).has_value(); }

std::vector<Sample> Reshape::samples() {
    return {{"[3, 4] to [2, 6]",
             {sample_values({3, 4}, -1, 1, 1)},
             [](const auto& in) {
                 return reshape(in[0], {2, 6});
             }},
            {"[0, 2] to [2, 0, 1]",
             {sample_values({0, 2}, -1, 1, 2)},
             [](const auto& in) {
                 return reshape(in[0], {2, 0, 1});
             }},
            {"transposed, copied",
             {sample_values({3, 4}, -1, 1, 3)},
             [](const auto& in) { return reshape(transpose(in[0]), {-1}); }},
            {"a slice, shared", {sample_values({3, 4}, -1, 1, 4)}, [](const auto& in) {
                 return reshape(slice(in[0], 1, 1, 3), {3, 1, 2});
             }}};
}

Tensor unsqueeze(const Input& x, int axis) {
    return located("unsqueeze", {x}, [&] {
        Shape shape = x.tensor().shape();
        shape.insert(normalize_new_axis(axis, shape.rank() + 1), 1);
        return reshape(x, shape);
    });
}

Tensor squeeze(const Input& x, int axis) {
    return located("squeeze", {x}, [&] {
        Shape shape = x.tensor().shape();
        const int at = normalize_axis(axis, shape.rank());
        if (shape[at] != 1)
            throw ShapeError(fmt::format("axis {} of {} has length {}, not 1", axis, to_string(shape), shape[at]));
        shape.erase(at);
        return reshape(x, shape);
    });
}

Tensor squeeze(const Input& x) {
    return located("squeeze", {x}, [&] {
        Shape shape;
        for (const std::int64_t length : x.tensor().shape())
            if (length != 1) shape.push_back(length);
        return reshape(x, shape);
    });
}

// permute, transpose

Tensor permute(const Input& x, const Shape& order) {
    static_assert(is_listed<Permute>, "the op is missing in its family's list");
    const int rank = tensor_of(x, Permute::name).rank();
    Shape counted = order;
    for (std::int64_t& axis : counted)
        if (axis < 0 && axis >= -rank) axis += rank;
    return apply(Permute{counted}, x);
}

Tensor Permute::view(const Tensor& x) const {
    std::array<bool, Shape::max_rank> seen{};
    bool valid = order.rank() == x.rank();
    for (int i = 0; valid && i < order.rank(); ++i) {
        valid = order[i] >= 0 && order[i] < x.rank() && !seen[order[i]];
        if (valid) seen[order[i]] = true;
    }
    if (!valid)
        throw ShapeError(fmt::format("{} is no order of the axes of {}", to_string(order), to_string(x.shape())));
    Shape shape = x.shape(), strides = x.strides();
    for (int i = 0; i < order.rank(); ++i) {
        shape[i] = x.shape()[static_cast<int>(order[i])];
        strides[i] = x.strides()[static_cast<int>(order[i])];
    }
    return x.view(shape, strides, x.offset());
}

Tensor Permute::adjoint(const Tensor& cotangent, const Shape&) const { return permute(cotangent, inverse(order)); }

std::vector<Sample> Permute::samples() {
    return {{"[2, 3, 4] to [4, 2, 3]",
             {sample_values({2, 3, 4}, -1, 1, 1)},
             [](const auto& in) {
                 return permute(in[0], {2, 0, 1});
             }},
            {"[2, 0]", {sample_values({2, 0}, -1, 1, 2)}, [](const auto& in) { return transpose(in[0]); }}};
}

Tensor transpose(const Input& x, int axis_a, int axis_b) {
    return located("transpose", {x}, [&] {
        Shape order = x.tensor().shape();
        const int a = normalize_axis(axis_a, order.rank()), b = normalize_axis(axis_b, order.rank());
        for (int i = 0; i < order.rank(); ++i) order[i] = i;
        std::swap(order[a], order[b]);
        return permute(x, order);
    });
}

// expand

Tensor expand(const Input& x, const Shape& shape) {
    static_assert(is_listed<Expand>, "the op is missing in its family's list");
    const Tensor& from = tensor_of(x, Expand::name);
    return from.shape() == shape ? from : apply(Expand{shape}, x);
}

Tensor Expand::view(const Tensor& x) const {
    if (!stretches_to(x.shape(), to))
        throw ShapeError(fmt::format("{} does not stretch to {}", to_string(x.shape()), to_string(to)));
    Shape strides = to;
    const int missing = to.rank() - x.rank();
    for (int axis = 0; axis < to.rank(); ++axis) {
        const bool stretched = axis < missing || x.shape()[axis - missing] != to[axis];
        strides[axis] = stretched ? 0 : x.strides()[axis - missing];
    }
    return x.view(to, strides, x.offset());
}

Tensor Expand::adjoint(const Tensor& cotangent, const Shape& shape) const { return sum_to(cotangent, shape); }

std::vector<Sample> Expand::samples() {
    return {{"[3, 1] to [2, 3, 4]",
             {sample_values({3, 1}, -1, 1, 1)},
             [](const auto& in) {
                 return expand(in[0], {2, 3, 4});
             }},
            {"[1] to [0]", {sample_values({1}, -1, 1, 2)}, [](const auto& in) { return expand(in[0], {0}); }},
            {"[] to [5]", {sample_values({}, -1, 1, 3)}, [](const auto& in) { return expand(in[0], {5}); }}};
}

// slice, chunk

Tensor slice(const Input& x, int axis, std::int64_t begin, std::int64_t end) {
    static_assert(is_listed<Slice>, "the op is missing in its family's list");
    const int at = axis_of(x, axis, Slice::name);
    const std::int64_t n = x.tensor().shape()[at];
    return apply(Slice{at, begin < 0 ? begin + n : begin, end < 0 ? end + n : end}, x);
}

Tensor Slice::view(const Tensor& x) const {
    if (begin < 0 || begin > end || end > x.shape()[axis])
        throw ShapeError(fmt::format("[{}, {}) is outside axis {} of {}", begin, end, axis, to_string(x.shape())));
    Shape shape = x.shape();
    shape[axis] = end - begin;
    return x.view(shape, x.strides(), x.offset() + begin * x.strides()[axis]);
}

Tensor Slice::adjoint(const Tensor& cotangent, const Shape& shape) const {
    return put_slice(cotangent, shape, axis, begin, end);
}

std::vector<Sample> Slice::samples() {
    return {{"[3, 5], columns 1 to 4",
             {sample_values({3, 5}, -1, 1, 1)},
             [](const auto& in) { return slice(in[0], 1, 1, 4); }},
            {"overlapping slices",
             {sample_values({5}, -1, 1, 2)},
             [](const auto& in) { return slice(in[0], 0, 0, 3) * slice(in[0], 0, 1, 4) * slice(in[0], 0, -3, 5); }},
            {"empty", {sample_values({3, 2}, -1, 1, 3)}, [](const auto& in) { return slice(in[0], 0, 1, 1); }}};
}

std::vector<Tensor> chunk(const Input& x, int n, int axis) {
    return located("chunk", {x}, [&] {
        const Shape& shape = x.tensor().shape();
        const int at = normalize_axis(axis, shape.rank());
        if (n < 1) throw ValueError(fmt::format("n is {}, less than 1", n));
        const std::int64_t length = shape[at], part = length / n + (length % n != 0);
        std::vector<Tensor> parts;
        for (int i = 0; i < n && (part == 0 || i * part < length); ++i)
            parts.push_back(slice(x, at, i * part, std::min((i + 1) * part, length)));
        return parts;
    });
}

// select

Tensor select(const Input& x, int axis, std::int64_t index) {
    static_assert(is_listed<Select>, "the op is missing in its family's list");
    const int at = axis_of(x, axis, Select::name);
    return apply(Select{at, index < 0 ? index + x.tensor().shape()[at] : index}, x);
}
Tensor select(const Tensor& x, const Position& i) { return select(Input(x, i.where), 0, i.value); }

Tensor Select::view(const Tensor& x) const {
    if (index < 0 || index >= x.shape()[axis])
        throw ShapeError(fmt::format("position {} is outside axis {} of {}", index, axis, to_string(x.shape())));
    Shape shape = x.shape(), strides = x.strides();
    shape.erase(axis);
    strides.erase(axis);
    return x.view(shape, strides, x.offset() + index * x.strides()[axis]);
}

Tensor Select::adjoint(const Tensor& cotangent, const Shape& shape) const {
    return put_slice(unsqueeze(cotangent, axis), shape, axis, index, index + 1);
}

std::vector<Sample> Select::samples() {
    return {
        {"[2, 3, 4], axis 1", {sample_values({2, 3, 4}, -1, 1, 1)}, [](const auto& in) { return select(in[0], 1, 2); }},
        {"[3], last", {sample_values({3}, -1, 1, 2)}, [](const auto& in) { return select(in[0], 0, -1); }}};
}

// unfold

Tensor unfold(const Input& x, int axis, std::int64_t size, std::int64_t step) {
    static_assert(is_listed<Unfold>, "the op is missing in its family's list");
    return apply(Unfold{axis_of(x, axis, Unfold::name), size, step}, x);
}

Tensor Unfold::view(const Tensor& x) const {
    if (size < 1 || step < 1)
        throw ValueError(fmt::format("a window of {} and a step of {} are no lengths", size, step));
    const std::int64_t n = x.shape()[axis];
    if (size > n)
        throw ShapeError(fmt::format("a window of {} is longer than axis {} of {}", size, axis, to_string(x.shape())));
    Shape shape = x.shape(), strides = x.strides();
    shape[axis] = 1 + (n - size) / step;
    if (shape[axis] > 1) strides[axis] *= step;
    shape.push_back(size);
    strides.push_back(x.strides()[axis]);
    return x.view(shape, strides, x.offset());
}

Tensor Unfold::adjoint(const Tensor& cotangent, const Shape& shape) const {
    return overlap_add(cotangent, axis, shape[axis], step);
}

std::vector<Sample> Unfold::samples() {
    const auto windows = [](int axis, std::int64_t size, std::int64_t step) {
        return [=](const std::vector<Tensor>& in) { return unfold(in[0], axis, size, step); };
    };
    return {{"[2, 7], windows of 3", {sample_values({2, 7}, -1, 1, 1)}, windows(1, 3, 1)},
            {"[7, 2], windows of 2, every third", {sample_values({7, 2}, -1, 1, 2)}, windows(0, 2, 3)},
            {"[4], the whole", {sample_values({4}, -1, 1, 3)}, windows(-1, 4, 2)},
            {"[0, 3]", {sample_values({0, 3}, -1, 1, 4)}, windows(1, 2, 1)}};
}

}  // namespace wengert
