#pragma once

#include <math.h>  // lgamma_r(), which unlike std::lgamma() writes to no global variable
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <wengert/autograd/tensor/export.hpp>

/// The logarithm of the gamma function and its derivatives, for double and long double.
namespace WENGERT_EXPORT wengert {
namespace gamma_function {

inline double lgamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}
inline long double lgamma(long double x) {
    int sign = 0;
    return ::lgammal_r(x, &sign);
}

/// The derivative of digamma of order n >= 0: n = 0 is digamma itself. The recurrence leads to a large x, where the
/// asymptotic series (Abramowitz and Stegun 1964, 6.3.18 and 6.4.11) is exact. Below 0 it is that of positive numbers
/// and of the sum over all poles. NaN at the poles 0, -1, -2, ...
template <class T>
T polygamma(int n, T x) {
    constexpr T pi = std::numbers::pi_v<T>, nan = std::numeric_limits<T>::quiet_NaN();
    if (std::isnan(x) || (x <= 0 && x == std::floor(x))) return nan;
    const T distance = x - std::round(x), angle = pi * distance;  // sine and tangent have the period of whole numbers
    const T sign = n % 2 == 0 ? T(-1) : T(1);
    if (x <= 0 && n == 0) return polygamma(0, 1 - x) - pi / std::tan(angle);
    if (x <= 0 && n == 1) return pi * pi / (std::sin(angle) * std::sin(angle)) - polygamma(1, 1 - x);
    if (x <= 0) {
        // The sum over all poles, those above x and those below it, has their period as well: it is that of x + k in
        // (0, 1), without the difference 1 - (x + k), which has few digits beside a pole.
        const T near = std::abs(distance), above = distance > 0 ? near : 1 - near,
                below = distance > 0 ? 1 - near : near;
        return polygamma(n, above) + sign * (polygamma(n, below) - polygamma(n, 1 - x));
    }
    if (std::isinf(x)) return n == 0 ? x : T(0);
    T factorial = 1;  // of n
    for (int i = 2; i <= n; ++i) factorial *= T(i);
    const T large = T(24 + n);
    T sum = 0;  // of what the steps up to a large x add
    for (; x < large; x += 1) sum += sign * factorial / std::pow(x, T(n + 1));
    // The Bernoulli numbers B2, B4, ..., B20.
    constexpr std::array<T, 10> bernoulli{T(1) / 6,       T(-1) / 30, T(1) / 42,      T(-1) / 30,     T(5) / 66,
                                          T(-691) / 2730, T(7) / 6,   T(-3617) / 510, T(43867) / 798, T(-174611) / 330};
    const T below = 1 / (x * x);
    T series = 0, rising = factorial / T(n == 0 ? 1 : n),
      power = std::pow(x, T(-n));  // (2k + n - 1)! / (2k)!, x^-(2k + n)
    if (n == 0) rising = 1;
    for (int k = 1; k <= 10; ++k) {
        power *= below;
        // From (2k + n - 3)! / (2k - 2)! to (2k + n - 1)! / (2k)!; for n = 0 it is 1 / (2k).
        rising = n == 0 ? T(1) / T(2 * k) : rising * T(2 * k + n - 2) * T(2 * k + n - 1) / T(2 * k - 1) / T(2 * k);
        series += bernoulli[static_cast<std::size_t>(k - 1)] * rising * power;
    }
    if (n == 0) return std::log(x) - T(0.5) / x - series + sum;
    return sign * (factorial / T(n) * std::pow(x, T(-n)) + factorial / 2 * std::pow(x, T(-n - 1)) + series) + sum;
}

}  // namespace gamma_function
}  // namespace wengert
