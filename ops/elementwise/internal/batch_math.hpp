#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <numbers>
#include <wengert/ops/elementwise/internal/xsimd.hpp>

/// Elementary functions of vectors of numbers, where xsimd's own are not good to the ends of the number range.
namespace wengert::batch_math {

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

/// xsimd's is wrong by up to 37 for subnormal numbers of float64.
template <class Batch>
Batch log(const Batch& x) {
    using T = typename Batch::value_type;
    if constexpr (sizeof(T) == sizeof(float)) {
        return xsimd::log(x);
    } else {
        constexpr T ln_2_times_54 = 37.429947750237048;
        const auto is_subnormal = x < Batch(std::numeric_limits<T>::min());
        const Batch y = xsimd::log(xsimd::select(is_subnormal, x * Batch(0x1p54), x));
        return xsimd::select(is_subnormal, y - Batch(ln_2_times_54), y);
    }
}

/// xsimd's is NaN beyond 1e154 and has only 14 good digits in float64.
template <class Batch>
Batch erf(const Batch& x) {
    if constexpr (sizeof(typename Batch::value_type) == sizeof(float))
        return xsimd::erf(x);
    else
        return one_by_one([](auto number) { return std::erf(number); }, x);
}

/// xsimd's makes 0^0 and 0^-1 zero and loses two digits in large powers.
template <class Batch>
Batch pow(const Batch& x, const Batch& y) {
    return one_by_one([](auto base, auto exponent) { return std::pow(base, exponent); }, x, y);
}

}  // namespace wengert::batch_math
