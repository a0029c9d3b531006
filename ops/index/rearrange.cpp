#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The slices of an axis at positions f(0), .., f(n - 1).
template <class F>
Tensor arranged(const Input& x, int axis, std::int64_t n, const F& f) {
    Tensor positions = Tensor::empty({n}, Dtype::int64);
    auto* const position = positions.mutable_data<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) position[i] = f(i);
    return index_select(x, axis, positions);
}

/// How long an axis becomes. Throws ValueError if no number says so.
std::int64_t length_of(std::int64_t axis, std::int64_t times, std::int64_t more = 0) {
    std::int64_t length = 0;
    if (__builtin_mul_overflow(axis, times, &length) || __builtin_add_overflow(length, more, &length))
        throw ValueError("the axis would be longer than a number can say");
    return length;
}

void require_matrices(const Tensor& x) {
    if (x.rank() < 2) throw ShapeError(fmt::format("{} is no matrix", to_string(x.shape())));
}

/// x, which broadcasts to [.., m, n], where f(i, j), else 0.
template <class F>
Tensor masked(const Input& x, std::int64_t m, std::int64_t n, const F& f) {
    const Tensor mask = Tensor::empty({m, n}, Dtype::boolean);
    bool* place = static_cast<bool*>(mask.raw());
    for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) *place++ = f(i, j);
    return where(Input(mask, x.where()), x, zeros({}, x.tensor().dtype()));
}

template <class F>
Tensor triangle(std::string_view name, const Input& x, const F& keeps) {
    return located(name, {x}, [&] {
        require_matrices(x.tensor());
        return masked(x, x.tensor().dim(-2), x.tensor().dim(-1), keeps);
    });
}

void require_count(std::string_view what, std::int64_t n) {
    if (n < 0) throw ValueError(fmt::format("{} is {}, less than 0", what, n));
}

}  // namespace

Tensor slice(const Input& x, int axis, const Steps& steps) {
    return located("slice", {x}, [&] {
        const std::int64_t n = x.tensor().dim(axis), step = steps.step;
        if (step == 0) throw ValueError("a step of 0 goes nowhere");
        // The places before the first and behind the last one, in the direction of the step.
        const std::int64_t first = step > 0 ? 0 : n - 1, beyond = step > 0 ? n : -1;
        const auto place = [&](const std::optional<std::int64_t>& given, std::int64_t otherwise) {
            if (!given) return otherwise;
            return std::clamp(*given < 0 ? *given + n : *given, std::min(first, beyond), std::max(first, beyond));
        };
        const std::int64_t begin = place(steps.begin, first), end = place(steps.end, beyond);
        if (step == 1) return slice(x, axis, begin, std::max(begin, end));
        const std::int64_t distance = step > 0 ? end - begin : begin - end;
        if (distance <= 0) return slice(x, axis, 0, 0);
        const std::int64_t count = 1 + (distance - 1) / (step > 0 ? step : -std::max(step, -n - 1));
        if (step < 0) return arranged(x, axis, count, [&](std::int64_t i) { return begin + i * step; });
        const Tensor part = slice(x, axis, begin, end);
        return squeeze({unfold({part, x.where()}, axis, 1, step), x.where()}, -1);
    });
}

Tensor flip(const Input& x, const ReductionAxes& axes) {
    return located("flip", {x}, [&] {
        Tensor result = x.tensor();
        const auto flipped = axes.flags(result.rank());
        for (int axis = 0; axis < result.rank(); ++axis) {
            const std::int64_t n = result.dim(axis);
            if (flipped[axis])
                result = arranged({result, x.where()}, axis, n, [n](std::int64_t i) { return n - 1 - i; });
        }
        return result;
    });
}

Tensor roll(const Input& x, std::int64_t shift, int axis) {
    return located("roll", {x}, [&] {
        const std::int64_t n = x.tensor().dim(axis), first = n == 0 ? 0 : (n - shift % n) % n;
        return arranged(x, axis, n, [&](std::int64_t i) { return (i + first) % n; });
    });
}

Tensor repeat_interleave(const Input& x, std::int64_t n, int axis) {
    return located("repeat_interleave", {x}, [&] {
        require_count("n", n);
        return arranged(x, axis, length_of(x.tensor().dim(axis), n), [n](std::int64_t i) { return i / n; });
    });
}

Tensor tile(const Input& x, std::int64_t n, int axis) {
    return located("tile", {x}, [&] {
        require_count("n", n);
        const std::int64_t length = x.tensor().dim(axis);
        return arranged(x, axis, length_of(length, n), [length](std::int64_t i) { return i % length; });
    });
}

Tensor pad(const Input& x, int axis, std::int64_t before, std::int64_t after, const PadOptions& options) {
    return located("pad", {x}, [&]() -> Tensor {
        require_count("before", before);
        require_count("after", after);
        const std::int64_t n = x.tensor().dim(axis), all = length_of(before, 1, length_of(after, 1, n));
        if (before == 0 && after == 0) return x.tensor();
        if (options.mode == PadMode::constant) {
            const auto beyond = [&](std::int64_t length) {
                Shape shape = x.tensor().shape();
                shape[normalize_axis(axis, shape.rank())] = length;
                return full(shape, options.value, x.tensor().dtype());
            };
            return concat({beyond(before), x.tensor(), beyond(after)}, axis);
        }
        const std::int64_t most = options.mode == PadMode::reflect ? n - 1 : n;
        if (n == 0 || (options.mode != PadMode::edge && std::max(before, after) > most))
            throw ValueError(fmt::format("{} and {} are more than an axis of length {} has for this mode: {}", before,
                                         after, n, n == 0 ? 0 : most));
        return arranged(x, axis, all, [&](std::int64_t i) {
            const std::int64_t at = i - before;
            switch (options.mode) {
                case PadMode::reflect:
                    return at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
                case PadMode::circular:
                    return (at + n) % n;
                default:
                    return std::clamp<std::int64_t>(at, 0, n - 1);
            }
        });
    });
}

Tensor tril(const Input& x, std::int64_t k) {
    return triangle("tril", x, [k](std::int64_t i, std::int64_t j) { return j - i <= k; });
}
Tensor triu(const Input& x, std::int64_t k) {
    return triangle("triu", x, [k](std::int64_t i, std::int64_t j) { return j - i >= k; });
}

Tensor diagonal(const Input& x) {
    return located("diagonal", {x}, [&] {
        require_matrices(x.tensor());
        const std::int64_t n = std::min(x.tensor().dim(-2), x.tensor().dim(-1));
        const Tensor rows = slice(x, -2, 0, n);
        Shape shape = rows.shape();
        for (int axis = 0; axis < shape.rank(); ++axis) shape[axis] = axis == shape.rank() - 2 ? n : 1;
        const Tensor places = reshape({arange(n), x.where()}, shape);
        return squeeze({gather({rows, x.where()}, -1, places), x.where()}, -1);
    });
}

Tensor diag_embed(const Input& x) {
    return located("diag_embed", {x}, [&] {
        if (x.tensor().rank() < 1) throw ShapeError("[] is no row of a diagonal");
        const std::int64_t n = x.tensor().dim(-1);
        const Tensor column = unsqueeze(x, -1);
        return masked({column, x.where()}, n, n, [](std::int64_t i, std::int64_t j) { return i == j; });
    });
}

Tensor movedim(const Input& x, int from, int to) {
    return located("movedim", {x}, [&] {
        const int rank = x.tensor().rank(), source = normalize_axis(from, rank), place = normalize_axis(to, rank);
        Shape order;
        for (int axis = 0; axis < rank; ++axis)
            if (axis != source) order.push_back(axis);
        order.insert(place, source);
        return permute(x, order);
    });
}

Tensor flatten(const Input& x, int first, int last) {
    return located("flatten", {x}, [&] {
        const Shape& shape = x.tensor().shape();
        if (shape.rank() == 0 && first == 0 && last == -1) return reshape(x, {1});
        const int begin = normalize_axis(first, shape.rank()), end = normalize_axis(last, shape.rank());
        if (begin > end) throw ShapeError(fmt::format("axis {} is behind axis {}", first, last));
        Shape flat;
        std::int64_t length = 1;
        for (int axis = 0; axis < shape.rank(); ++axis) {
            if (axis < begin || axis > end)
                flat.push_back(shape[axis]);
            else
                length *= shape[axis];
            if (axis == end) flat.push_back(length);
        }
        return reshape(x, flat);
    });
}

std::vector<Tensor> split(const Input& x, const std::vector<std::int64_t>& lengths, int axis) {
    return located("split", {x}, [&] {
        const std::int64_t all = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
        if (all != x.tensor().dim(axis) || std::ranges::any_of(lengths, [](std::int64_t n) { return n < 0; }))
            throw ShapeError(
                fmt::format("the lengths do not add up to axis {} of {}", axis, to_string(x.tensor().shape())));
        std::vector<Tensor> parts;
        std::int64_t begin = 0;
        for (const std::int64_t length : lengths) {
            parts.push_back(slice(x, axis, begin, begin + length));
            begin += length;
        }
        return parts;
    });
}

std::vector<Tensor> unbind(const Input& x, int axis) {
    return located("unbind", {x}, [&] {
        std::vector<Tensor> slices;
        for (std::int64_t i = 0; i < x.tensor().dim(axis); ++i) slices.push_back(select(x, axis, i));
        return slices;
    });
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes) {
    Shape shape;
    for (const Tensor& x : axes) {
        if (x.rank() != 1) throw ShapeError(fmt::format("meshgrid: {} is not one axis", to_string(x.shape())));
        shape.push_back(x.dim(0));
    }
    std::vector<Tensor> grid;
    for (int axis = 0; axis < shape.rank(); ++axis) {
        Shape along = shape;
        for (int other = 0; other < shape.rank(); ++other)
            if (other != axis) along[other] = 1;
        grid.push_back(expand(reshape(axes[static_cast<std::size_t>(axis)], along), shape));
    }
    return grid;
}

}  // namespace wengert
