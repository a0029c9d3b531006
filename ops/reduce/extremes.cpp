#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/reduce/extremes.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// Whether x takes the place of the extreme before it. A NaN does; nothing takes its place but another.
template <Extreme extreme, class T>
bool beats(T x, T best) {
    return extreme == Extreme::largest ? !(x <= best) : !(x >= best);
}

/// The extreme of a row of one element or more, or NaN if there is one.
template <Extreme extreme, class T>
T value_in(std::span<const T> row) {
    return extreme == Extreme::largest ? std::ranges::max(row) : std::ranges::min(row);
}
template <Extreme extreme, std::floating_point T>
T value_in(std::span<const T> row) {
    using Batch = typename Lanes<T>::Batch;
    constexpr std::size_t width = Batch::size;
    if (row.size() < width) {
        T best = row[0];
        for (const T x : row)
            if (best == best && beats<extreme>(x, best)) best = x;
        return best;
    }
    Batch top = Batch::load_unaligned(row.data());
    auto is_nan = !(top == top);  // xsimd does not say that a NaN differs from itself
    const auto take = [&](const T* from) {
        const Batch x = Batch::load_unaligned(from);
        top = extreme == Extreme::largest ? xsimd::max(x, top) : xsimd::min(x, top);
        is_nan = is_nan | !(x == x);
    };
    for (std::size_t i = width; i + width <= row.size(); i += width) take(row.data() + i);
    take(row.data() + row.size() - width);  // some of these once more
    if (xsimd::any(is_nan)) return std::numeric_limits<T>::quiet_NaN();
    alignas(64) std::array<T, width> lanes;
    top.store_aligned(lanes.data());
    for (std::size_t half = width / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i)
            if (beats<extreme>(lanes[i + half], lanes[i])) lanes[i] = lanes[i + half];
    return lanes[0];
}

/// Where the first of the extreme elements of a row stands, or the first NaN.
template <Extreme extreme, class T>
std::int64_t position_in(std::span<const T> row) {
    // A long row is read from memory once: only the part with the extreme is looked through, while it is in the cache.
    constexpr std::size_t part = 2048;
    T best = value_in<extreme>(row.first(std::min(part, row.size())));
    std::size_t at = 0;
    for (std::size_t begin = part; begin < row.size() && best == best; begin += part) {
        const T value = value_in<extreme>(row.subspan(begin, std::min(part, row.size() - begin)));
        if (!beats<extreme>(value, best)) continue;
        best = value;
        at = begin;
    }
    if (best == best)
        while (row[at] != best) ++at;
    else
        while (row[at] == row[at]) ++at;
    return static_cast<std::int64_t>(at);
}

Shape shape_of_extremes(const Tensor& x, const ReductionAxes& axes) {
    axes.require_elements(x.shape());
    return axes.reduced(x.shape());
}

/// Each row's number, by default 1, where its extreme stands, or in equal parts where it does, and 0 elsewhere.
template <Extreme extreme, Ties ties>
Tensor at_places(const Tensor& x, const ReductionAxes& axes, const Tensor& numbers = {}) {
    const Tensor places = Tensor::empty(x.shape(), x.dtype());
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const of_rows = numbers.defined() ? static_cast<const T*>(numbers.raw()) : nullptr;
        for_each_row<const T, T>(axes, {&x, &places},
                                 [&](std::int64_t row, std::span<const T> values, std::span<T> to) {
                                     const T number = of_rows != nullptr ? of_rows[row] : 1;
                                     const auto first = static_cast<std::size_t>(position_in<extreme>(values));
                                     std::ranges::fill(to, T{0});
                                     to[first] = number;
                                     if (ties == Ties::first) return;
                                     const auto is_tied = [&](T value) { return value == values[first]; };
                                     const auto tied = std::ranges::count_if(values, is_tied);  // none if it is NaN
                                     for (std::size_t i = first; tied > 1 && i < values.size(); ++i)
                                         if (is_tied(values[i])) to[i] = number * (T{1} / static_cast<T>(tied));
                                 });
    });
    return places;
}

std::vector<Sample> samples_of(Tensor (*f)(const Input&, const ReductionAxes&, bool)) {
    const auto over = [f](const ReductionAxes& axes, bool keepdim) {
        return [=](const std::vector<Tensor>& in) { return f(in[0], axes, keepdim); };
    };
    return {{"[3, 7], axis -1", {sample_values({3, 7}, -1, 1, 1)}, over(-1, false)},
            {"[3, 7], axis 0, keepdim", {sample_values({3, 7}, -1, 1, 2)}, over(0, true)},
            {"[2, 5, 3], axis 1", {sample_values({2, 5, 3}, -100, 100, 3)}, over(1, false)},
            {"[2, 3, 4], axes 2 and 0", {sample_values({2, 3, 4}, -1, 1, 4)}, over({2, 0}, false)},
            {"[2, 3, 4], all", {sample_values({2, 3, 4}, -1, 1, 5)}, over(all_axes, false)},
            {"[]", {sample_values({}, -1, 1, 6)}, over(all_axes, false)},
            {"[0, 2], axis 1", {sample_values({0, 2}, -1, 1, 7)}, over(1, false)}};
}

}  // namespace

template <Extreme extreme, Ties ties>
Shape ExtremeValue<extreme, ties>::shape(const Inputs& in) const {
    return shape_of_extremes(in[0], axes);
}

template <Extreme extreme, Ties ties>
void ExtremeValue<extreme, ties>::forward(const Inputs& in, const Destination& out) const {
    visit_dtype(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        T* const to = static_cast<T*>(out.tensor.raw());
        reduce_rows<T>(
            axes, in[0], [](std::span<const T> values, std::int64_t) { return value_in<extreme>(values); },
            [](T left, T right) { return left == left && beats<extreme>(right, left) ? right : left; },
            [to](std::int64_t row, T value) { to[row] = value; });
    });
}

/// The places are constants, so that rules are linear in ct and in tangents.
template <Extreme extreme, Ties ties>
void ExtremeValue<extreme, ties>::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &ct = back.cotangent();
    if (back.is_recorded()) {
        const Tensor places = at_places<extreme, ties>(x, axes);
        back.add(0, where(places, places * reshape(ct, axes.kept(x.shape())), 0.0));  // 0 beside an infinite ct, too
    } else
        back.add(0, at_places<extreme, ties>(x, axes, packed(ct)));
}

template <Extreme extreme, Ties ties>
Tensor ExtremeValue<extreme, ties>::jvp(const Forward& forward) const {
    return sum(at_places<extreme, ties>(forward.input(0), axes) * forward.tangent(0), axes);
}

template <Extreme extreme>
Shape ExtremePosition<extreme>::shape(const Inputs& in) const {
    return shape_of_extremes(in[0], axes);
}

template <Extreme extreme>
void ExtremePosition<extreme>::forward(const Inputs& in, const Destination& out) const {
    auto* const to = static_cast<std::int64_t*>(out.tensor.raw());
    visit_dtype(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        struct Found {
            T value;
            std::int64_t position;
        };
        reduce_rows<T>(
            axes, in[0],
            [](std::span<const T> values, std::int64_t first) {
                const std::int64_t position = position_in<extreme>(values);
                return Found{values[static_cast<std::size_t>(position)], first + position};
            },
            [](const Found& left, const Found& right) {
                return left.value == left.value && beats<extreme>(right.value, left.value) ? right : left;
            },
            [to](std::int64_t row, const Found& found) { to[row] = found.position; });
    });
}

Tensor max(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<Max>, "the op is missing in its family's list");
    return apply(Max{{axes.keeping_dims(keepdim)}}, x);
}
std::vector<Sample> Max::samples() { return samples_of(max); }

Tensor min(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<Min>, "the op is missing in its family's list");
    return apply(Min{{axes.keeping_dims(keepdim)}}, x);
}
std::vector<Sample> Min::samples() { return samples_of(min); }

Tensor amax(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<AMax>, "the op is missing in its family's list");
    return apply(AMax{{axes.keeping_dims(keepdim)}}, x);
}
std::vector<Sample> AMax::samples() { return samples_of(amax); }

Tensor amin(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<AMin>, "the op is missing in its family's list");
    return apply(AMin{{axes.keeping_dims(keepdim)}}, x);
}
std::vector<Sample> AMin::samples() { return samples_of(amin); }

Tensor argmax(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<ArgMax>, "the op is missing in its family's list");
    return apply(ArgMax{{axes.keeping_dims(keepdim)}}, x);
}
std::vector<Sample> ArgMax::samples() { return samples_of(argmax); }

Tensor argmin(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<ArgMin>, "the op is missing in its family's list");
    return apply(ArgMin{{axes.keeping_dims(keepdim)}}, x);
}
std::vector<Sample> ArgMin::samples() { return samples_of(argmin); }

template struct ExtremeValue<Extreme::largest, Ties::first>;
template struct ExtremeValue<Extreme::smallest, Ties::first>;
template struct ExtremeValue<Extreme::largest, Ties::shared>;
template struct ExtremeValue<Extreme::smallest, Ties::shared>;
template struct ExtremePosition<Extreme::largest>;
template struct ExtremePosition<Extreme::smallest>;

}  // namespace wengert
