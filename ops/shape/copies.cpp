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

}  // namespace wengert
