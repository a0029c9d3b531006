#include <fmt/format.h>

#include <algorithm>
#include <limits>
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

/// The order of axes in which rows and columns are the last two.
Shape matrices_last(int rank, int row_axis, int column_axis) {
    const int rows = normalize_axis(row_axis, rank), columns = normalize_axis(column_axis, rank);
    if (rows == columns) throw ShapeError(fmt::format("axis {} has both rows and columns", row_axis));
    Shape order;
    for (int axis = 0; axis < rank; ++axis)
        if (axis != rows && axis != columns) order.push_back(axis);
    order.push_back(rows);
    order.push_back(columns);
    return order;
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

Tensor roll(const Input& x, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes) {
    return located("roll", {x}, [&] {
        if (shifts.size() != axes.size())
            throw ValueError(fmt::format("there are {} shifts for {} axes", shifts.size(), axes.size()));
        Tensor result = x.tensor();
        for (std::size_t i = 0; i < axes.size(); ++i) result = roll({result, x.where()}, shifts[i], axes[i]);
        return result;
    });
}

Tensor repeat_interleave(const Input& x, std::int64_t n, int axis) {
    return located("repeat_interleave", {x}, [&] {
        require_count("n", n);
        return arranged(x, axis, length_of(x.tensor().dim(axis), n), [n](std::int64_t i) { return i / n; });
    });
}

Tensor repeat_interleave(const Input& x, const Tensor& counts, int axis) {
    return located("repeat_interleave", {x, {counts, x.where()}}, [&] {
        const Input numbers(counts, x.where());
        if (!is_integral(numbers.tensor().dtype()))
            throw DtypeError(fmt::format("counts must be int64 or int32, not {}", to_string(counts.dtype())));
        if (counts.shape() != Shape{x.tensor().dim(axis)})
            throw ShapeError(fmt::format("counts {} are not one for each slice of axis {} of {}",
                                         to_string(counts.shape()), axis, to_string(x.tensor().shape())));
        std::int64_t all = 0;
        for (const std::int64_t n : counts.to_vector<std::int64_t>()) {
            require_count("a count", n);
            all = length_of(all, 1, n);
        }
        require_countable({all});
        std::vector<std::int64_t> positions;
        std::int64_t slice = 0;
        for (const std::int64_t n : counts.to_vector<std::int64_t>())
            positions.insert(positions.end(), static_cast<std::size_t>(n), slice++);
        return index_select(x, axis, tensor(positions, {all}));
    });
}

Tensor tile(const Input& x, std::int64_t n, int axis) {
    return located("tile", {x}, [&] {
        require_count("n", n);
        const std::int64_t length = x.tensor().dim(axis);
        return arranged(x, axis, length_of(length, n), [length](std::int64_t i) { return i % length; });
    });
}

Tensor tile(const Input& x, const Shape& counts) {
    return located("tile", {x}, [&] {
        Shape shape = x.tensor().shape(), times = counts;
        while (shape.rank() < times.rank()) shape.insert(0, 1);
        while (times.rank() < shape.rank()) times.insert(0, 1);
        Tensor result = reshape(x, shape);
        for (int axis = 0; axis < shape.rank(); ++axis)
            if (times[axis] != 1) result = tile({result, x.where()}, times[axis], axis);
        return result;
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
            return concat({beyond(before), x.tensor(), beyond(after)}, axis, x.where());
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

Tensor pad(const Input& x, const std::vector<PadWidths>& widths, const PadOptions& options) {
    return located("pad", {x}, [&] {
        Tensor result = x.tensor();
        if (std::ssize(widths) != result.rank())
            throw ShapeError(
                fmt::format("widths of {} axes were given for {}", widths.size(), to_string(result.shape())));
        for (std::size_t axis = 0; axis < widths.size(); ++axis)
            result = pad({result, x.where()}, static_cast<int>(axis), widths[axis].before, widths[axis].after, options);
        return result;
    });
}

Tensor tril(const Input& x, std::int64_t k) {
    return triangle("tril", x, [k](std::int64_t i, std::int64_t j) { return j - i <= k; });
}
Tensor triu(const Input& x, std::int64_t k) {
    return triangle("triu", x, [k](std::int64_t i, std::int64_t j) { return j - i >= k; });
}

Tensor diagonal(const Input& x, std::int64_t offset, int row_axis, int column_axis) {
    return located("diagonal", {x}, [&] {
        require_matrices(x.tensor());
        const Tensor matrices = permute(x, matrices_last(x.tensor().rank(), row_axis, column_axis));
        const std::int64_t m = matrices.dim(-2), n = matrices.dim(-1), k = std::clamp(offset, -m, n);
        const std::int64_t top = std::max<std::int64_t>(-k, 0), left = std::max<std::int64_t>(k, 0);
        const std::int64_t length = std::min(m - top, n - left);
        const Tensor rows = slice({matrices, x.where()}, -2, top, top + length);
        Shape shape = rows.shape();
        for (int axis = 0; axis < shape.rank(); ++axis) shape[axis] = axis == shape.rank() - 2 ? length : 1;
        const Tensor places = reshape({slice(arange(n), 0, left, left + length), x.where()}, shape);
        return squeeze({gather({rows, x.where()}, -1, places), x.where()}, -1);
    });
}

Tensor diag_embed(const Input& x, std::int64_t offset, int row_axis, int column_axis) {
    return located("diag_embed", {x}, [&] {
        const int rank = x.tensor().rank() + 1;
        if (rank < 2) throw ShapeError("[] is no row of a diagonal");
        const Shape order = matrices_last(rank, row_axis, column_axis);
        const std::int64_t below = offset < 0 ? -std::max(offset, -std::numeric_limits<std::int64_t>::max()) : 0;
        const Tensor in_rows = pad(x, -1, below, std::max<std::int64_t>(offset, 0));
        const std::int64_t n = in_rows.dim(-1);
        const Tensor column = unsqueeze({in_rows, x.where()}, -1);
        const Tensor matrices =
            masked({column, x.where()}, n, n, [offset](std::int64_t i, std::int64_t j) { return j - i == offset; });
        Shape back = order;  // order sends the result's axes to those of `matrices`
        for (int i = 0; i < rank; ++i) back[static_cast<int>(order[i])] = i;
        return permute({matrices, x.where()}, back);
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

std::vector<Tensor> split(const Input& x, std::int64_t length, int axis) {
    return located("split", {x}, [&] {
        if (length < 1) throw ValueError(fmt::format("a length of {} parts nothing", length));
        const std::int64_t all = x.tensor().dim(axis);
        std::vector<std::int64_t> lengths(1, std::min(length, all));
        for (std::int64_t rest = all - lengths[0]; rest > 0; rest -= lengths.back())
            lengths.push_back(std::min(length, rest));
        return split(x, lengths, axis);
    });
}

std::vector<Tensor> unbind(const Input& x, int axis) {
    return located("unbind", {x}, [&] {
        std::vector<Tensor> slices;
        for (std::int64_t i = 0; i < x.tensor().dim(axis); ++i) slices.push_back(select(x, axis, i));
        return slices;
    });
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, const SourceLine& where) {
    return located("meshgrid", {}, where, [&] {
        Shape shape;
        for (const Tensor& x : axes) {
            if (!x.defined()) refuse_undefined("meshgrid", static_cast<std::size_t>(&x - axes.data()), where);
            const Shape& own = x.shape();
            if (own.rank() != 1) throw ShapeError(fmt::format("{} is not one axis", to_string(own)));
            shape.push_back(own[0]);
        }
        std::vector<Tensor> grid;
        for (int axis = 0; axis < shape.rank(); ++axis) {
            Shape along = shape;
            for (int other = 0; other < shape.rank(); ++other)
                if (other != axis) along[other] = 1;
            const Tensor column = reshape({axes[static_cast<std::size_t>(axis)], where}, along);
            grid.push_back(expand({column, where}, shape));
        }
        return grid;
    });
}

}  // namespace wengert
