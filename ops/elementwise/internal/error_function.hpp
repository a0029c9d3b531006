#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <wengert/autograd/tensor/export.hpp>

/// The inverse of the error function, for double and long double, and what its complement is computed from.
namespace WENGERT_EXPORT wengert {
namespace error_function {

/// (1 + 2x) e^(x²) erfc(x) - 1 for x >= 0 (Shepherd and Laframboise 1981), as a polynomial in (x - 3) / (x + 3), from
/// the constant term on. It is interpolated at Chebyshev's points, to the last digit of T where erfc(x) is normal.
template <class T>
inline constexpr std::array<T, 11> complement{0.253008057f,   -0.135621133f,    -0.0475622308f,  0.129646286f,
                                              -0.119273781f,  0.0682949315f,    -0.0237824338f,  0.0025823426f,
                                              0.00197967104f, -0.000817066386f, -0.000283921659f};
template <>
inline constexpr std::array<double, 23> complement<double>{
    0.25300805826972964,   -0.13562110612458066,    -0.047562294353447363,   0.12964515870270285,
    -0.11927366341547888,  0.068308027345899055,    -0.023770514915192834,   0.0025293917866928551,
    0.0018886903213299549, -0.00077983202330356164, -0.00010515954168679904, 0.0001250980696415442,
    4.9483155694075505e-6, -2.0096343199299039e-5,  -7.2790841819333457e-7,  3.4633640189905146e-6,
    3.4931189624628617e-7, -6.041542877708644e-7,   -1.3119327211365723e-7,  9.1226961469665404e-8,
    3.2789145540154101e-8, -8.2977739815983509e-9,  -4.1274031434646117e-9};

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

}  // namespace error_function
}  // namespace wengert
