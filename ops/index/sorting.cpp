#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/sorting.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

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
                    const T p = x[static_cast<std::size_t>(a)], q = x[static_cast<std::size_t>(b)];
                    return p < q || (p == p && q != q);
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

Tensor quantile(const Input& x, double q, int axis, bool keepdim) {
    return located("quantile", {x}, [&] {
        if (!(q >= 0 && q <= 1)) throw ValueError(fmt::format("q is {}, outside [0, 1]", q));
        const std::int64_t n = x.tensor().dim(axis);
        if (n == 0) throw ShapeError(fmt::format("axis {} of {} has length 0", axis, to_string(x.tensor().shape())));
        const double place = q * static_cast<double>(n - 1);
        const auto below = static_cast<std::int64_t>(place), above = std::min(below + 1, n - 1);
        const Tensor places = argsort(x, axis);
        const auto at = [&](std::int64_t i) { return gather(x, axis, slice(places, axis, i, i + 1)); };
        const double share = place - static_cast<double>(below);
        // The largest element is NaN if one is. Equal ones have no distance, not even infinite ones.
        const Tensor low = at(below), high = share > 0 ? at(above) : low, last = at(n - 1);
        const Tensor result = map(
            [share](auto low, auto high, auto last) {
                const auto distance = where(low == high, 0.0, high) - where(low == high, 0.0, low);
                return where(isnan(last), last, low + share * distance);
            },
            Input(low, x.where()), high, last);
        return keepdim ? result : squeeze({result, x.where()}, axis);
    });
}

Tensor median(const Input& x, int axis, bool keepdim) {
    return located("median", {x}, [&] { return quantile(x, 0.5, axis, keepdim); });
}

}  // namespace wengert
