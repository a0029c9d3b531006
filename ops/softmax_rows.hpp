#pragma once

#include <cmath>
#include <limits>
#include <wengert/ops/lanes.hpp>

namespace wengert {

/// The sum of e^(x - highest) over a row, and the highest element. Of an empty row, or one of minus infinities, the sum
/// is 0.
template <class T>
struct RowSum {
    T highest, sum;

    /// ln of the sum of e^x.
    T log() const { return sum == 0 ? -std::numeric_limits<T>::infinity() : highest + std::log(sum); }
};

/// Sums a row of n elements; if `exponentials` is not null, the terms e^(x - highest) are left there.
template <class T>
RowSum<T> sum_exponentials(const T* x, std::int64_t n, T* exponentials) {
    using Batch = typename Lanes<T>::Batch;
    constexpr std::int64_t width = Lanes<T>::size;
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    T highest = lowest;
    std::int64_t i = 0;
    if (n >= width) {
        Batch top(lowest);
        // A NaN must come through: it is kept by comparing in this order.
        for (; i + width <= n; i += width) {
            const Batch v = Batch::load_unaligned(x + i);
            top = xsimd::select(v <= top, top, v);
        }
        alignas(64) T lanes[width];
        top.store_aligned(lanes);
        for (const T lane : lanes) highest = lane <= highest ? highest : lane;
    }
    for (; i < n; ++i) highest = x[i] <= highest ? highest : x[i];
    if (highest == lowest) {
        if (exponentials != nullptr) std::fill_n(exponentials, n, T{0});
        return {lowest, T{0}};
    }
    Batch sum(T{0});
    for (i = 0; i + width <= n; i += width) {
        const Batch e = xsimd::exp(Batch::load_unaligned(x + i) - Batch(highest));
        if (exponentials != nullptr) e.store_unaligned(exponentials + i);
        sum += e;
    }
    T total = Lanes<T>(sum).total();
    if (i < n) {
        alignas(64) T rest[width];
        std::fill_n(rest, width, lowest);
        std::copy_n(x + i, n - i, rest);
        xsimd::exp(Batch::load_aligned(rest) - Batch(highest)).store_aligned(rest);
        for (std::int64_t j = 0; i < n; ++i, ++j) {
            total += rest[j];
            if (exponentials != nullptr) exponentials[i] = rest[j];
        }
    }
    return {highest, total};
}

}  // namespace wengert
