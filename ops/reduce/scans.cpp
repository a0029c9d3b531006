#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/reduce/internal/integer_sums.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/scans.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

Shape scanned_shape(const Tensor& x, int axis) {
    require_floating(x);
    normalize_axis(axis, x.rank());
    return x.shape();
}

/// Calls f(i, before) for each place of a row in the order of the scan; `before` is the place before it, or -1.
template <class F>
void for_each_place(std::int64_t n, bool reverse, const F& f) {
    for (std::int64_t k = 0, before = -1; k < n; ++k) {
        const std::int64_t i = reverse ? n - 1 - k : k;
        f(static_cast<std::size_t>(i), before);
        before = i;
    }
}

/// y[i] = x[i - 1] in the order of the scan, from y = 0.
Tensor shifted(const Tensor& x, int axis, bool reverse) {
    const std::int64_t n = x.dim(axis);
    if (n == 0) return x;
    return reverse ? put_slice(slice(x, axis, 1, n), x.shape(), axis, 0, n - 1)
                   : put_slice(slice(x, axis, 0, n - 1), x.shape(), axis, 1, n);
}

/// e^(part - whole); 0 for a part of minus infinity.
constexpr auto ratio = [](auto part, auto whole) {
    constexpr double nothing = -std::numeric_limits<double>::infinity();
    return where(part == nothing, 0.0, exp(where(part == nothing, 0.0, part) - where(part == nothing, 0.0, whole)));
};

std::vector<Sample> scan_samples(const std::function<Tensor(const Tensor&, int, bool)>& f) {
    const auto along = [f](int axis, bool reverse) {
        return [=](const std::vector<Tensor>& in) { return f(in[0], axis, reverse); };
    };
    return {{"[3, 7], axis -1", {sample_values({3, 7}, -2, 2, 1)}, along(-1, false)},
            {"[2, 4, 3], axis 1, reversed", {sample_values({2, 4, 3}, -2, 2, 2)}, along(1, true)},
            {"[4, 3], axis 0", {sample_values({4, 3}, -2, 2, 3)}, along(0, false)},
            {"[3, 1], reversed", {sample_values({3, 1}, -2, 2, 4)}, along(1, true)},
            {"[2, 0]", {sample_values({2, 0}, -2, 2, 5)}, along(1, false)},
            {"transposed", {sample_values({4, 5}, -2, 2, 6)}, [f](const auto& in) {
                 return f(transpose(in[0]), 0, false);
             }}};
}

}  // namespace

// cumsum

Tensor cumsum(const Input& x, int axis, bool reverse) {
    static_assert(is_listed<CumSum>, "the op is missing in its family's list");
    if (has_integers(x)) return cumsum_of_integers(x, axis, reverse);
    return apply(CumSum{axis, reverse}, x);
}

Shape CumSum::shape(const Inputs& in) const { return scanned_shape(in[0], axis); }

void CumSum::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T, T>(axis, {&in[0], &out.tensor},
                                 [this](std::int64_t, std::span<const T> x, std::span<T> y) {
                                     double sum = 0;
                                     for_each_place(std::ssize(x), reverse, [&](std::size_t i, std::int64_t) {
                                         y[i] = static_cast<T>(sum += static_cast<double>(x[i]));
                                     });
                                 });
    });
}

void CumSum::vjp(Backward& back) const { back.add(0, cumsum(back.cotangent(), axis, !reverse)); }

std::vector<Sample> CumSum::samples() {
    return scan_samples([](const Tensor& x, int axis, bool reverse) { return cumsum(x, axis, reverse); });
}

// cumprod

Tensor cumprod(const Input& x, int axis, bool reverse, bool exclusive) {
    static_assert(is_listed<CumProd>, "the op is missing in its family's list");
    return apply(CumProd{axis, reverse, exclusive}, x);
}

Shape CumProd::shape(const Inputs& in) const { return scanned_shape(in[0], axis); }

void CumProd::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T, T>(axis, {&in[0], &out.tensor},
                                 [this](std::int64_t, std::span<const T> x, std::span<T> y) {
                                     T product = 1;
                                     for_each_place(std::ssize(x), reverse, [&](std::size_t i, std::int64_t) {
                                         const T next = product * x[i];
                                         y[i] = exclusive ? product : next;
                                         product = next;
                                     });
                                 });
    });
}

void CumProd::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), before = cumprod(x, axis, reverse, true);
    // The sum of ct[k] times the product of the elements between i and k, over the k that come after i or are i.
    const Tensor after = apply(LinearScan{axis, !reverse, !exclusive}, {&x, &back.cotangent()}, back.where());
    back.add(0, before * (exclusive ? shifted(after, axis, !reverse) : after));
}

Tensor CumProd::jvp(const Forward& forward) const {
    const Tensor& x = forward.input(0);
    const Tensor before = cumprod(x, axis, reverse, true);
    const Tensor d = linear_scan(x, before * forward.tangent(0), axis, reverse);
    return exclusive ? shifted(d, axis, reverse) : d;
}

std::vector<Sample> CumProd::samples() {
    std::vector<Sample> samples =
        scan_samples([](const Tensor& x, int axis, bool reverse) { return cumprod(x, axis, reverse); });
    for (Sample& exclusive :
         scan_samples([](const Tensor&x, int axis, bool reverse) { return cumprod(x, axis, reverse, true); })) {
        exclusive.label += ", exclusive";
        samples.push_back(std::move(exclusive));
    }
    samples.push_back({"zeros", {tensor({2, 0, 3, 0, -1, 0.5}, {2, 3}, Dtype::float64)}, [](const auto& in) {
                           return cumprod(in[0], 1);
                       }});
    return samples;
}

// linear_scan

Tensor linear_scan(const Input& a, const Input& b, int axis, bool reverse) {
    static_assert(is_listed<LinearScan>, "the op is missing in its family's list");
    return apply(LinearScan{axis, reverse}, {&tensor_of(a, LinearScan::name), &tensor_of(b, LinearScan::name, 1)},
                 a.where());
}

Shape LinearScan::shape(const Inputs& in) const {
    if (in[0].dtype() != in[1].dtype())
        throw DtypeError(fmt::format("a is {}, but b {}", to_string(in[0].dtype()), to_string(in[1].dtype())));
    if (in[0].shape() != in[1].shape())
        throw ShapeError(
            fmt::format("a {} and b {} differ in shape", to_string(in[0].shape()), to_string(in[1].shape())));
    return scanned_shape(in[0], axis);
}

void LinearScan::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T, const T, T>(
            axis, {&in[0], &in[1], &out.tensor},
            [this](std::int64_t, std::span<const T> a, std::span<const T> b, std::span<T> y) {
                T last = 0;
                for_each_place(std::ssize(a), reverse, [&](std::size_t i, std::int64_t before) {
                    const std::size_t factor = lagged ? static_cast<std::size_t>(std::max<std::int64_t>(before, 0)) : i;
                    y[i] = last = before < 0 ? b[i] : a[factor] * last + b[i];
                });
            });
    });
}

void LinearScan::vjp(Backward& back) const {
    const Tensor &a = back.saved(0), &y = back.saved(2);
    const Tensor d = apply(LinearScan{axis, !reverse, !lagged}, {&a, &back.cotangent()}, back.where());
    if (back.needs(0)) back.add(0, lagged ? shifted(d, axis, !reverse) * y : d * shifted(y, axis, reverse));
    if (back.needs(1)) back.add(1, d);
}

Tensor LinearScan::jvp(const Forward& forward) const {
    const Tensor &a = forward.input(0), &y = forward.output();
    Tensor db = forward.tangent(1);
    if (forward.has(0)) {
        const Tensor& da = forward.tangent(0);
        const Tensor part = lagged ? shifted(da * y, axis, reverse) : da * shifted(y, axis, reverse);
        db = db.defined() ? db + part : part;
    }
    return apply(*this, {&a, &db}, forward.where());
}

std::vector<Sample> LinearScan::samples() {
    const auto with = [](bool reverse, bool lagged) {
        return [=](const std::vector<Tensor>& in) {
            return apply(LinearScan{1, reverse, lagged}, {&in[0], &in[1]}, std::source_location::current());
        };
    };
    const auto pair = [](const Shape& shape) {
        return std::vector{sample_values(shape, -1, 1, 1), sample_values(shape, -1, 1, 2)};
    };
    return {{"[3, 5], axis 1", pair({3, 5}), with(false, false)},
            {"[2, 4, 3], axis 1, reversed", pair({2, 4, 3}), with(true, false)},
            {"[3, 4], axis 1, lagged", pair({3, 4}), with(false, true)},
            {"[3, 4], axis 1, lagged and reversed", pair({3, 4}), with(true, true)},
            {"[2, 1]", pair({2, 1}), with(false, false)},
            {"[2, 0]", pair({2, 0}), with(false, false)}};
}

// logcumsumexp

Tensor logcumsumexp(const Input& x, int axis, bool reverse) {
    static_assert(is_listed<LogCumSumExp>, "the op is missing in its family's list");
    return apply(LogCumSumExp{axis, reverse}, x);
}

Shape LogCumSumExp::shape(const Inputs& in) const { return scanned_shape(in[0], axis); }

void LogCumSumExp::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T, T>(axis, {&in[0], &out.tensor},
                                 [this](std::int64_t, std::span<const T> x, std::span<T> y) {
                                     double sum = -std::numeric_limits<double>::infinity();
                                     for_each_place(std::ssize(x), reverse, [&](std::size_t i, std::int64_t) {
                                         const auto next = static_cast<double>(x[i]);
                                         // Equal ones are added apart, since infinities have no distance. A NaN is
                                         // passed on.
                                         sum = next == sum  ? next + std::log(2.0)
                                               : next > sum ? next + std::log1p(std::exp(sum - next))
                                                            : sum + std::log1p(std::exp(next - sum));
                                         y[i] = static_cast<T>(sum);
                                     });
                                 });
    });
}

void LogCumSumExp::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &y = back.saved(1);
    const std::int64_t n = x.dim(axis);
    if (n == 0) return back.add(0, back.cotangent());
    // d[i] = Σ ct[k] e^(y[i] - y[k]) over the k that come after i or are i: a recurrence with factors of 1 at most.
    const Tensor next = reverse ? concat({slice(y, axis, 0, 1), slice(y, axis, 0, n - 1)}, axis)
                                : concat({slice(y, axis, 1, n), slice(y, axis, n - 1, n)}, axis);
    const Tensor d = linear_scan(map(ratio, y, next), back.cotangent(), axis, !reverse);
    back.add(0, map(ratio, x, y) * d);
}

Tensor LogCumSumExp::jvp(const Forward& forward) const {
    const Tensor &x = forward.input(0), &y = forward.output();
    const std::int64_t n = x.dim(axis);
    if (n == 0) return forward.tangent(0);
    const Tensor last = reverse ? concat({slice(y, axis, 1, n), slice(y, axis, n - 1, n)}, axis)
                                : concat({slice(y, axis, 0, 1), slice(y, axis, 0, n - 1)}, axis);
    return linear_scan(map(ratio, last, y), map(ratio, x, y) * forward.tangent(0), axis, reverse);
}

std::vector<Sample> LogCumSumExp::samples() {
    return scan_samples([](const Tensor& x, int axis, bool reverse) { return logcumsumexp(x, axis, reverse); });
}

}  // namespace wengert
