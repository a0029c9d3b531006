#include <fmt/format.h>

#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

// contiguous

Tensor contiguous(const Input& x) {
    static_assert(is_listed<Contiguous>, "the op is missing in its family's list");
    const Tensor& from = tensor_of(x, Contiguous::name);
    return from.is_contiguous() ? from : apply(Contiguous{}, x);
}

std::vector<Sample> Contiguous::samples() {
    return {
        {"transposed", {sample_values({3, 4}, -1, 1, 1)}, [](const auto& in) { return contiguous(transpose(in[0])); }}};
}

// put_slice

Tensor put_slice(const Input& x, const Shape& shape, int axis, std::int64_t begin, std::int64_t end) {
    static_assert(is_listed<PutSlice>, "the op is missing in its family's list");
    return located(PutSlice::name, {x}, [&] {
        const int at = normalize_axis(axis, shape.rank());
        return apply(PutSlice{shape, at, begin, end}, x);
    });
}

Shape PutSlice::shape(const Inputs& in) const {
    require_countable(to);
    if (begin < 0 || begin > end || end > to[axis])
        throw ShapeError(fmt::format("[{}, {}) is outside axis {} of {}", begin, end, axis, to_string(to)));
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

std::vector<Sample> PutSlice::samples() {
    return {{"[2, 3] into [2, 5]", {sample_values({2, 3}, -1, 1, 1)}, [](const auto& in) {
                 return put_slice(in[0], {2, 5}, 1, 1, 4);
             }}};
}

// overlap_add

Tensor overlap_add(const Input& windows, int axis, std::int64_t length, std::int64_t step) {
    static_assert(is_listed<OverlapAdd>, "the op is missing in its family's list");
    return located(OverlapAdd::name, {windows}, [&] {
        const int at = normalize_axis(axis, windows.tensor().rank() - 1);
        return apply(OverlapAdd{at, length, step}, windows);
    });
}

Shape OverlapAdd::shape(const Inputs& in) const {
    if (step < 1) throw ValueError(fmt::format("a step of {} is no length", step));
    Shape result = in[0].shape();
    const std::int64_t count = result[axis], size = result[result.rank() - 1];
    if (size < 1 || size > length || count != 1 + (length - size) / step)
        throw ShapeError(fmt::format("{} are not the windows of an axis {} of {} in steps of {}", to_string(result),
                                     axis, length, step));
    result.erase(result.rank() - 1);
    result[axis] = length;
    require_countable(result);
    return result;
}

void OverlapAdd::forward(const Inputs& in, const Destination& out) const {
    fill(out.tensor, 0);
    const int last = in[0].rank() - 1;
    const std::int64_t size = in[0].shape()[last];
    const Tensor windows = Unfold{axis, size, step}.view(out.tensor);
    // The windows of one position share no element: each pass adds one of each.
    for (std::int64_t i = 0; i < size; ++i) write(Select{last, i}.view(in[0]), {Select{last, i}.view(windows), true});
}

void OverlapAdd::vjp(Backward& back) const {
    const Shape& shape = back.input_shape(0);
    back.add(0, unfold(back.cotangent(), axis, shape[shape.rank() - 1], step));
}

std::vector<Sample> OverlapAdd::samples() {
    return {{"[2, 5, 3] to [2, 7]",
             {sample_values({2, 5, 3}, -1, 1, 1)},
             [](const auto& in) { return overlap_add(in[0], 1, 7, 1); }},
            {"[2, 2, 2] to [6, 2], with a gap", {sample_values({2, 2, 2}, -1, 1, 2)}, [](const auto& in) {
                 return overlap_add(in[0], 0, 6, 3);
             }}};
}

// convert

Tensor convert(const Input& x, Dtype dtype) {
    static_assert(is_listed<Convert>, "the op is missing in its family's list");
    const Tensor& from = tensor_of(x, Convert::name);
    if (from.dtype() == dtype) return from;
    return located(Convert::name, {x}, [&] {
        if (!is_floating(dtype))
            throw DtypeError(
                fmt::format("float32 or float64 are differentiable, {} is not: see cast()", to_string(dtype)));
        return is_stored_only(from.dtype()) ? cast(from, dtype) : apply(Convert{from.dtype(), dtype}, x);
    });
}

std::vector<Sample> Convert::samples() {
    return {{"[2, 3], float64 as it is", {sample_values({2, 3}, -1, 1, 1)}, [](const auto& in) {
                 return apply(Convert{in[0].dtype(), in[0].dtype()}, Input(in[0]));
             }}};
}

}  // namespace wengert
