#include <fmt/format.h>

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/reduce/reductions.hpp>
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

Tensor reshape(const Input& x, const Shape& shape) {
    static_assert(is_listed<Reshape> && is_listed<Contiguous>, "an op is missing in AllOps (listed.hpp)");
    const Tensor& from = x.tensor();
    located("reshape", {&from}, x.where(), [&] { require_countable(shape); });
    Shape to = shape;
    int open = -1;
    std::int64_t known = 1;
    for (int axis = 0; axis < to.rank(); ++axis) {
        if (to[axis] == -1 && open < 0)
            open = axis;
        else
            known *= to[axis];
    }
    if (open >= 0 && known > 0 && from.numel() % known == 0) to[open] = from.numel() / known;
    const bool fits = to.numel() == from.numel() && std::ranges::all_of(to, [](auto d) { return d >= 0; });
    if (fits && !reshaped_strides(from, to)) {
        const Tensor copy = contiguous(x);
        return apply(Reshape{to}, {&copy}, x.where());
    }
    return apply(Reshape{to}, {&from}, x.where());
}

Tensor Reshape::view(const Tensor& x) const {
    if (to.numel() != x.numel() || std::ranges::any_of(to, [](auto d) { return d < 0; }))
        throw ShapeError(
            fmt::format("{} has {} elements and cannot become {}", to_string(x.shape()), x.numel(), to_string(to)));
    return x.view(to, reshaped_strides(x, to).value(), x.offset());
}

bool Reshape::can_view(const Tensor& x) const { return reshaped_strides(x, to).has_value(); }

Tensor permute(const Input& x, const Shape& order) {
    static_assert(is_listed<Permute>, "the op is missing in AllOps (listed.hpp)");
    return apply(Permute{order}, {&x.tensor()}, x.where());
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

Tensor transpose(const Input& x, int axis_a, int axis_b) {
    Shape order = x.tensor().shape();
    for (int i = 0; i < order.rank(); ++i) order[i] = i;
    std::swap(order[axis_of(x, axis_a, "transpose")], order[axis_of(x, axis_b, "transpose")]);
    return permute(x, order);
}

Tensor expand(const Input& x, const Shape& shape) {
    static_assert(is_listed<Expand>, "the op is missing in AllOps (listed.hpp)");
    if (x.tensor().shape() == shape) return x.tensor();
    return apply(Expand{shape}, {&x.tensor()}, x.where());
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

Tensor slice(const Input& x, int axis, std::int64_t begin, std::int64_t end) {
    static_assert(is_listed<Slice> && is_listed<PutSlice>, "an op is missing in AllOps (listed.hpp)");
    const int at = axis_of(x, axis, "slice");
    const std::int64_t n = x.tensor().shape()[at];
    return apply(Slice{at, begin < 0 ? begin + n : begin, end < 0 ? end + n : end}, {&x.tensor()}, x.where());
}

Tensor Slice::view(const Tensor& x) const {
    if (begin < 0 || begin > end || end > x.shape()[axis])
        throw ShapeError(fmt::format("[{}, {}) is outside axis {} of {}", begin, end, axis, to_string(x.shape())));
    Shape shape = x.shape();
    shape[axis] = end - begin;
    return x.view(shape, x.strides(), x.offset() + begin * x.strides()[axis]);
}

Tensor Slice::adjoint(const Tensor& cotangent, const Shape& shape) const {
    return apply(PutSlice{shape, axis, begin, end}, {&cotangent}, {});
}

Tensor select(const Input& x, int axis, std::int64_t index) {
    static_assert(is_listed<Select>, "the op is missing in AllOps (listed.hpp)");
    const int at = axis_of(x, axis, "select");
    return apply(Select{at, index < 0 ? index + x.tensor().shape()[at] : index}, {&x.tensor()}, x.where());
}

Tensor Select::view(const Tensor& x) const {
    if (index < 0 || index >= x.shape()[axis])
        throw ShapeError(fmt::format("position {} is outside axis {} of {}", index, axis, to_string(x.shape())));
    Shape shape = x.shape(), strides = x.strides();
    shape.erase(axis);
    strides.erase(axis);
    return x.view(shape, strides, x.offset() + index * x.strides()[axis]);
}

Tensor Select::adjoint(const Tensor& cotangent, const Shape& shape) const {
    const Tensor one = unsqueeze(cotangent, axis);
    return apply(PutSlice{shape, axis, index, index + 1}, {&one}, {});
}

Tensor unsqueeze(const Input& x, int axis) {
    const int at = axis_of(x, axis, "unsqueeze", 1);
    Shape shape = x.tensor().shape();
    located("unsqueeze", {&x.tensor()}, x.where(), [&] { shape.insert(at, 1); });
    return reshape(x, shape);
}

Tensor squeeze(const Input& x, int axis) {
    Shape shape = x.tensor().shape();
    const int at = axis_of(x, axis, "squeeze");
    located("squeeze", {&x.tensor()}, x.where(), [&] {
        if (shape[at] != 1)
            throw ShapeError(fmt::format("axis {} of {} has length {}, not 1", axis, to_string(shape), shape[at]));
    });
    shape.erase(at);
    return reshape(x, shape);
}

Tensor contiguous(const Input& x) {
    if (x.tensor().is_contiguous()) return x.tensor();
    return apply(Contiguous{}, {&x.tensor()}, x.where());
}

std::vector<Tensor> chunk(const Input& x, int n, int axis) {
    const Shape& shape = x.tensor().shape();
    const int at = axis_of(x, axis, "chunk");
    located("chunk", {&x.tensor()}, x.where(), [&] {
        if (n <= 0 || shape[at] % n != 0)
            throw ShapeError(
                fmt::format("axis {} of {} does not divide into {} equal parts", axis, to_string(shape), n));
    });
    const std::int64_t length = shape[at] / n;
    std::vector<Tensor> parts;
    for (int i = 0; i < n; ++i) parts.push_back(slice(x, at, i * length, (i + 1) * length));
    return parts;
}

Shape PutSlice::shape(const Inputs& in) const {
    Shape expected = to;
    expected[axis] = end - begin;
    if (in[0].shape() != expected)
        throw ShapeError(fmt::format("{} is not the part [{}, {}) of axis {} of {}", to_string(in[0].shape()), begin,
                                     end, axis, to_string(to)));
    return to;
}

void PutSlice::forward(const Inputs& in, const Destination& out) const {
    fill(out.tensor, 0);
    write(in[0], {Slice{axis, begin, end}.view(out.tensor)});
}

void PutSlice::vjp(Backward& back) const { back.add(0, slice(back.cotangent(), axis, begin, end)); }

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

std::vector<Sample> Permute::samples() {
    return {{"[2, 3, 4] to [4, 2, 3]",
             {sample_values({2, 3, 4}, -1, 1, 1)},
             [](const auto& in) {
                 return permute(in[0], {2, 0, 1});
             }},
            {"[2, 0]", {sample_values({2, 0}, -1, 1, 2)}, [](const auto& in) { return transpose(in[0]); }}};
}

std::vector<Sample> Expand::samples() {
    return {{"[3, 1] to [2, 3, 4]",
             {sample_values({3, 1}, -1, 1, 1)},
             [](const auto& in) {
                 return expand(in[0], {2, 3, 4});
             }},
            {"[1] to [0]", {sample_values({1}, -1, 1, 2)}, [](const auto& in) { return expand(in[0], {0}); }},
            {"[] to [5]", {sample_values({}, -1, 1, 3)}, [](const auto& in) { return expand(in[0], {5}); }}};
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

std::vector<Sample> Select::samples() {
    return {
        {"[2, 3, 4], axis 1", {sample_values({2, 3, 4}, -1, 1, 1)}, [](const auto& in) { return select(in[0], 1, 2); }},
        {"[3], last", {sample_values({3}, -1, 1, 2)}, [](const auto& in) { return select(in[0], 0, -1); }}};
}

std::vector<Sample> PutSlice::samples() {
    return {{"[2, 3] into [2, 5]", {sample_values({2, 3}, -1, 1, 1)}, [](const auto& in) {
                 return apply(PutSlice{{2, 5}, 1, 1, 4}, {&in[0]}, {});
             }}};
}

std::vector<Sample> Contiguous::samples() {
    return {
        {"transposed", {sample_values({3, 4}, -1, 1, 1)}, [](const auto& in) { return contiguous(transpose(in[0])); }}};
}

}  // namespace wengert
