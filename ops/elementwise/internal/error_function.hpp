#pragma once

#include <cmath>
#include <limits>
#include <numbers>

/// The inverse of the error function, for double and long double.
namespace wengert::error_function {

/// y with erf(y) = x: infinite at -1 and 1, NaN beyond. A first guess (Winitzki 2008) that has three digits, then
/// Halley's steps, each of which has three times as many. Where x is near 1, erfc has the digits that erf has not.
template <class T>
T inverse(T x) {
    const T size = std::abs(x);
    if (!(size < 1))
        return size == 1 ? std::copysign(std::numeric_limits<T>::infinity(), x) : std::numeric_limits<T>::quiet_NaN();
    if (size < T(1e-9)) return x * (std::sqrt(std::numbers::pi_v<T>) / 2);  // x³ is beyond the last digit
    constexpr T a = T(0.147);
    const T distance = 1 - size, logarithm = std::log(distance * (1 + size)),
            half = logarithm / 2 + 2 / (std::numbers::pi_v<T> * a);
    T y = std::sqrt(std::sqrt(half * half - logarithm / a) - half);
    for (int step = 0; step < 4; ++step) {
        const T error = size < T(0.5) ? std::erf(y) - size : distance - std::erfc(y);
        const T newton = error * (std::sqrt(std::numbers::pi_v<T>) / 2) * std::exp(y * y);
        y -= newton / (1 + y * newton);
    }
    return std::copysign(y, x);
}

}  // namespace wengert::error_function
