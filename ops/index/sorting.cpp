#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/sorting.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The order of numbers with NaN at its end.
template <class T>
bool is_before(T a, T b) {
    return a < b || (a == a && b != b);
}

/// x with the elements over axes as its last axis, and the other axes before it.
Tensor as_rows(const Input& x, const ReductionAxes& axes) {
    const Shape& shape = x.tensor().shape();
    const auto is_over = axes.flags(shape.rank());
    Shape order, rows;
    for (const bool last : {false, true})
        for (int axis = 0; axis < shape.rank(); ++axis)
            if (is_over[axis] == last) order.push_back(axis);
    for (int axis = 0; axis < shape.rank(); ++axis)
        if (!is_over[axis]) rows.push_back(shape[axis]);
    rows.push_back(axes.count(shape));
    return reshape({permute(x, order), x.where()}, rows);
}

}  // namespace

// argsort

Tensor argsort(const Input& x, int axis, bool descending) {
    static_assert(is_listed<ArgSort>, "the op is missing in its family's list");
    return apply(ArgSort{axis, descending}, x);
}

Shape ArgSort::shape(const Inputs& in) const {
    normalize_axis(axis, in[0].rank());
    return in[0].shape();
}

void ArgSort::forward(const Inputs& in, const Destination& out) const {
    visit_dtype(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T, std::int64_t>(
            axis, {&in[0], &out.tensor}, [this](std::int64_t, std::span<const T> x, std::span<std::int64_t> places) {
                std::iota(places.begin(), places.end(), 0);
                const auto is_less = [&](std::int64_t a, std::int64_t b) {
                    return is_before(x[static_cast<std::size_t>(a)], x[static_cast<std::size_t>(b)]);
                };
                if (descending)
                    std::ranges::stable_sort(places, [&](std::int64_t a, std::int64_t b) { return is_less(b, a); });
                else
                    std::ranges::stable_sort(places, is_less);
            });
    });
}

std::vector<Sample> ArgSort::samples() {
    return {{"[3, 7]", {sample_values({3, 7}, -1, 1, 1)}, [](const auto& in) { return argsort(in[0]); }},
            {"[4, 3], axis 0, descending",
             {sample_values({4, 3}, -1, 1, 2)},
             [](const auto& in) { return argsort(in[0], 0, true); }},
            {"[2, 0]", {sample_values({2, 0}, -1, 1, 3)}, [](const auto& in) { return argsort(in[0]); }}};
}

Tensor sort(const Input& x, int axis, bool descending) {
    return located("sort", {x}, [&] { return gather(x, axis, argsort(x, axis, descending)); });
}

TopK topk(const Input& x, std::int64_t k, int axis, bool largest) {
    return located("topk", {x}, [&] {
        const std::int64_t n = x.tensor().dim(axis);
        if (k < 0 || k > n) throw ValueError(fmt::format("k is {}, outside [0, {}]", k, n));
        const Tensor places = slice(argsort(x, axis, largest), axis, 0, k);
        return TopK{gather(x, axis, places), places};
    });
}

// cummax, cummin

TopK cummax(const Input& x, int axis) {
    static_assert(is_listed<RunningArgMax>, "the op is missing in its family's list");
    return located("cummax", {x}, [&] {
        const Tensor places = apply(RunningArgMax{axis, true}, x);
        return TopK{gather(x, axis, places), places};
    });
}

TopK cummin(const Input& x, int axis) {
    return located("cummin", {x}, [&] {
        const Tensor places = apply(RunningArgMax{axis, false}, x);
        return TopK{gather(x, axis, places), places};
    });
}

Shape RunningArgMax::shape(const Inputs& in) const {
    normalize_axis(axis, in[0].rank());
    return in[0].shape();
}

void RunningArgMax::forward(const Inputs& in, const Destination& out) const {
    visit_dtype(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T, std::int64_t>(
            axis, {&in[0], &out.tensor}, [this](std::int64_t, std::span<const T> x, std::span<std::int64_t> places) {
                std::size_t best = 0;
                for (std::size_t i = 0; i < x.size(); ++i) {
                    // A NaN is final.
                    if (x[best] == x[best] && (x[i] != x[i] || (largest ? x[i] > x[best] : x[i] < x[best]))) best = i;
                    places[i] = static_cast<std::int64_t>(best);
                }
            });
    });
}

std::vector<Sample> RunningArgMax::samples() {
    return {{"[3, 7]", {sample_values({3, 7}, -1, 1, 1)}, [](const auto& in) { return cummax(in[0], -1).indices; }},
            {"[4, 3], axis 0, smallest", {sample_values({4, 3}, -1, 1, 2)}, [](const auto& in) {
                 return cummin(in[0], 0).indices;
             }}};
}

// searchsorted

Tensor searchsorted(const Input& sorted, const Input& values, bool right) {
    static_assert(is_listed<SearchSorted>, "the op is missing in its family's list");
    return apply(SearchSorted{right},
                 {&tensor_of(sorted, SearchSorted::name), &tensor_of(values, SearchSorted::name, 1)}, sorted.where());
}

Shape SearchSorted::shape(const Inputs& in) const {
    const Tensor &sorted = in[0], &values = in[1];
    if (sorted.dtype() != values.dtype())
        throw DtypeError(
            fmt::format("values are {}, but the rows {}", to_string(values.dtype()), to_string(sorted.dtype())));
    Shape rows = sorted.shape(), of_values = values.shape();
    if (rows.rank() > 1 && of_values.rank() == rows.rank()) rows[rows.rank() - 1] = of_values[rows.rank() - 1];
    if (sorted.rank() == 0 || (sorted.rank() > 1 && rows != of_values))
        throw ShapeError(
            fmt::format("values {} are not for the rows of {}", to_string(values.shape()), to_string(sorted.shape())));
    return values.shape();
}

void SearchSorted::forward(const Inputs& in, const Destination& out) const {
    // One row takes all values as one, wherever they stand.
    const Tensor sorted = packed(in[0]), values = packed(in[1]);
    const auto n = static_cast<std::size_t>(sorted.dim(-1));
    const std::int64_t k = sorted.rank() == 1 ? values.numel() : values.dim(-1);
    visit_dtype(values.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto *const row = sorted.data<T>(), *const value = values.data<T>();
        auto* const place = static_cast<std::int64_t*>(out.tensor.raw());
        parallel_ranges(values.numel(), 64, values.numel() * 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const std::span of(row + i / k * static_cast<std::int64_t>(n), n);
                const auto at = right ? std::ranges::upper_bound(of, value[i], is_before<T>)
                                      : std::ranges::lower_bound(of, value[i], is_before<T>);
                place[i] = at - of.begin();
            }
        });
    });
}

std::vector<Sample> SearchSorted::samples() {
    return {{"[5] for [2, 3]",
             {sample_values({5}, -1, 1, 1), sample_values({2, 3}, -1, 1, 2)},
             [](const auto& in) { return searchsorted(sort(in[0]), in[1]); }},
            {"[2, 4] for [2, 3], right",
             {sample_values({2, 4}, -1, 1, 3), sample_values({2, 3}, -1, 1, 4)},
             [](const auto& in) { return searchsorted(sort(in[0]), in[1], true); }}};
}

// quantile, median

Tensor quantile(const Input& x, double q, const ReductionAxes& axes, bool keepdim) {
    return located("quantile", {x}, [&] {
        if (!(q >= 0 && q <= 1)) throw ValueError(fmt::format("q is {}, outside [0, 1]", q));
        require_floating(x.tensor());
        axes.require_elements(x.tensor().shape());
        const Tensor rows = as_rows(x, axes), places = argsort({rows, x.where()});
        const std::int64_t n = rows.dim(-1);
        const double place = q * static_cast<double>(n - 1);
        const auto below = static_cast<std::int64_t>(place), above = std::min(below + 1, n - 1);
        const auto at = [&](std::int64_t i) {
            return gather({rows, x.where()}, -1, slice({places, x.where()}, -1, i, i + 1));
        };
        const double share = place - static_cast<double>(below);
        // The largest element is NaN if one is. Equal infinities have no distance; equal numbers share the derivative.
        const Tensor low = at(below), high = share > 0 ? at(above) : low, last = at(n - 1);
        const Tensor result = map(
            [share](auto low, auto high, auto last) {
                const auto distance = high - low;
                // Between an infinity and a number there is the infinity alone.
                const auto infinite = where(low == high, low, (1.0 - share) * low + share * high);
                return where(isnan(last), last, where(isfinite(distance), low + share * distance, infinite));
            },
            Input(low, x.where()), high, last);
        return reshape({result, x.where()}, axes.keeping_dims(keepdim).reduced(x.tensor().shape()));
    });
}

Tensor median(const Input& x, const ReductionAxes& axes, bool keepdim) {
    return located("median", {x}, [&] { return quantile(x, 0.5, axes, keepdim); });
}

}  // namespace wengert
