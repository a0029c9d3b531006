#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <numbers>
#include <wengert/ops/elementwise/internal/error_function.hpp>
#include <wengert/ops/elementwise/internal/xsimd.hpp>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

/// Elementary functions of vectors of numbers, where xsimd's own are not good to the ends of the number range.
namespace WENGERT_EXPORT wengert {
namespace batch_math {

/// An element at a time, by a function of the standard library.
template <class F, class Batch, std::same_as<Batch>... More>
Batch one_by_one(const F& f, const Batch& x, const More&... more) {
    const auto elements = [](const Batch& batch) {
        std::array<typename Batch::value_type, Batch::size> numbers;
        batch.store_unaligned(numbers.data());
        return numbers;
    };
    auto result = elements(x);
    [&](const auto&... y) {
        for (std::size_t i = 0; i < result.size(); ++i) result[i] = f(result[i], y[i]...);
    }(elements(more)...);
    return Batch::load_unaligned(result.data());
}

/// f(x), which grows as e^x does: e f(x - 1) for large x, because xsimd's functions are infinite from 88.38 on in
/// float32, where the largest number is e^88.72, and from 709.44 on in float64, where it is e^709.78.
template <class F, class Batch>
Batch to_the_largest_number(const F& f, const Batch& x) {
    using T = typename Batch::value_type;
    const auto is_large = x > Batch(sizeof(T) == sizeof(float) ? T(88) : T(709));
    const Batch y = f(xsimd::select(is_large, x - Batch(1), x));
    return xsimd::select(is_large, y * Batch(static_cast<T>(std::numbers::e)), y);
}

template <class Batch>
Batch exp(const Batch& x) {
    return to_the_largest_number([](const Batch& z) { return xsimd::exp(z); }, x);
}

template <class Batch>
Batch expm1(const Batch& x) {
    return to_the_largest_number([](const Batch& z) { return xsimd::expm1(z); }, x);
}

// The sine and its relatives are long, for the sake of large angles: they are called, not inlined into each formula.

template <class Batch>
[[gnu::noinline]] Batch sin(Batch x) {
    return xsimd::sin(x);
}
template <class Batch>
[[gnu::noinline]] Batch cos(Batch x) {
    return xsimd::cos(x);
}
template <class Batch>
[[gnu::noinline]] Batch tan(Batch x) {
    return xsimd::tan(x);
}

/// 2^x = 2 2^(x - 1) for large x: as exp().
template <class Batch>
Batch exp2(const Batch& x) {
    using T = typename Batch::value_type;
    const auto is_large = x > Batch(sizeof(T) == sizeof(float) ? T(127) : T(1023));
    const Batch y = xsimd::exp2(xsimd::select(is_large, x - Batch(1), x));
    return xsimd::select(is_large, y + y, y);
}

/// A logarithm f, of which xsimd's have no right digit for subnormal numbers of float64. `power` is f(2^54).
template <class F, class Batch>
Batch with_subnormal_numbers(const F& f, double power, const Batch& x) {
    using T = typename Batch::value_type;
    if constexpr (sizeof(T) == sizeof(float)) {
        return f(x);
    } else {
        const auto is_subnormal = x < Batch(std::numeric_limits<T>::min());
        const Batch y = f(xsimd::select(is_subnormal, x * Batch(0x1p54), x));
        return xsimd::select(is_subnormal, y - Batch(power), y);
    }
}

template <class Batch>
Batch log(const Batch& x) {
    return with_subnormal_numbers([](const Batch& z) { return xsimd::log(z); }, 54 * std::numbers::ln2, x);
}
template <class Batch>
Batch log2(const Batch& x) {
    return with_subnormal_numbers([](const Batch& z) { return xsimd::log2(z); }, 54, x);
}
template <class Batch>
Batch log10(const Batch& x) {
    return with_subnormal_numbers([](const Batch& z) { return xsimd::log10(z); },
                                  54 * std::numbers::ln2 * std::numbers::log10e, x);
}

/// xsimd's is infinite for large negative numbers.
template <class Batch>
Batch acosh(const Batch& x) {
    using T = typename Batch::value_type;
    return xsimd::select(x < Batch(1), Batch(std::numeric_limits<T>::quiet_NaN()), xsimd::acosh(x));
}

/// xsimd's is NaN at the origin.
template <class Batch>
Batch atan2(const Batch& y, const Batch& x) {
    return one_by_one([](auto ordinate, auto abscissa) { return std::atan2(ordinate, abscissa); }, y, x);
}

/// xsimd's is NaN beyond 1e154 and has only 14 good digits in float64.
template <class Batch>
Batch erf(const Batch& x) {
    if constexpr (sizeof(typename Batch::value_type) == sizeof(float))
        return xsimd::erf(x);
    else
        return one_by_one([](auto number) { return std::erf(number); }, x);
}

/// x y + z, rounded once. For AVX-512 xsimd multiplies and adds, which a compiler may fuse or not.
template <class Batch>
Batch fused(const Batch& x, const Batch& y, const Batch& z) {
#ifdef __AVX512F__
    if constexpr (sizeof(typename Batch::value_type) == sizeof(float))
        return _mm512_fmadd_ps(x, y, z);
    else
        return _mm512_fmadd_pd(x, y, z);
#else
    return xsimd::fma(x, y, z);
#endif
}

/// xsimd's has few right digits where it is small. This one takes the rounding errors of its quotients and of x² back,
/// so that it is right to three units of the last place.
template <class Batch>
Batch erfc(const Batch& x) {
#if defined(__FMA__) || defined(__aarch64__)
    using T = typename Batch::value_type;
    const Batch one(1), two(2), three(3), size = xsimd::abs(x);
    const Batch divisor = fused(two, size, one), both = one / ((size + three) * divisor);
    const Batch by_divisor = both * (size + three), by_sum = both * divisor;
    Batch q = (size - three) * by_sum;  // (|x| - 3) / (|x| + 3), then with what was missing
    q = fused(by_sum, fused(-q, size, fused(-three, q + one, size)), q);
    constexpr auto& terms = error_function::complement<T>;
    Batch p(terms.back());
    for (std::size_t i = terms.size() - 1; i-- > 0;) p = fused(p, q, Batch(terms[i]));
    Batch scaled = fused(p, by_divisor, by_divisor);  // e^(x²) erfc|x| = (1 + p) / (1 + 2 |x|)
    scaled = fused((p - scaled) + fused(-scaled, two * size, one), by_divisor, scaled);
    const Batch square = x * x, lost = fused(x, x, -square), power = exp(-square);
    Batch y = fused(-(scaled * power), lost, scaled * power);
    y = xsimd::select(size > Batch(sizeof(T) == sizeof(float) ? T(10) : T(27)), Batch(0), y);
    return xsimd::select(x < Batch(0), two - y, y);
#else
    return one_by_one([](auto number) { return std::erfc(number); }, x);
#endif
}

/// xsimd's makes 0^0 and 0^-1 zero and loses two digits in large powers.
template <class Batch>
Batch pow(const Batch& x, const Batch& y) {
    return one_by_one([](auto base, auto exponent) { return std::pow(base, exponent); }, x, y);
}

}  // namespace batch_math
}  // namespace wengert
