#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <wengert/ops/elementwise/internal/lanes.hpp>

namespace wengert {

/// The sum of e^(x - shift) over a row. The shift is the highest element, so that nothing overflows; 0 if that is
/// infinite or if there is none.
template <class T>
struct RowSum {
    T shift, sum;

    /// ln of the sum of e^x.
    T log() const { return shift + std::log(sum); }
    /// Of a row that is cut in two.
    friend RowSum operator+(const RowSum& a, const RowSum& b) {
        // A piece of -inf alone has the shift 0 and the sum 0, whatever the other's shift is.
        if (a.sum == 0) return b;
        if (b.sum == 0) return a;
        if (!std::isfinite(a.sum) || !std::isfinite(b.sum)) return {T{0}, a.sum + b.sum};
        const T higher = std::max(a.shift, b.shift);
        return {higher, a.sum * std::exp(a.shift - higher) + b.sum * std::exp(b.shift - higher)};
    }
};

/// Sums a row of n elements; if `exponentials` is not null, the terms e^(x - shift) are left there.
template <class T>
RowSum<T> sum_exponentials(const T* x, std::int64_t n, T* exponentials) {
    using Batch = typename Lanes<T>::Batch;
    constexpr std::int64_t width = Lanes<T>::size;
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    T highest = lowest;
    std::int64_t i = 0;
    // A NaN may be passed over here; the sum is NaN all the same.
    if (n >= width) {
        Batch top(lowest);
        for (; i + width <= n; i += width) top = xsimd::max(Batch::load_unaligned(x + i), top);
        alignas(64) T lanes[width];
        top.store_aligned(lanes);
        for (const T lane : lanes) highest = std::max(highest, lane);
    }
    for (; i < n; ++i) highest = std::max(highest, x[i]);
    const T shift = std::isfinite(highest) ? highest : T{0};
    Batch sum(T{0});
    for (i = 0; i + width <= n; i += width) {
        const Batch e = xsimd::exp(Batch::load_unaligned(x + i) - Batch(shift));
        if (exponentials != nullptr) e.store_unaligned(exponentials + i);
        sum += e;
    }
    T total = Lanes<T>(sum).total();
    if (i < n) {
        alignas(64) T rest[width];
        std::fill_n(rest, width, lowest);
        std::copy_n(x + i, n - i, rest);
        xsimd::exp(Batch::load_aligned(rest) - Batch(shift)).store_aligned(rest);
        for (std::int64_t j = 0; i < n; ++i, ++j) {
            total += rest[j];
            if (exponentials != nullptr) exponentials[i] = rest[j];
        }
    }
    return {shift, total};
}

}  // namespace wengert
