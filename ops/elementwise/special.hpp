#pragma once

#include <cmath>
#include <limits>
#include <wengert/ops/elementwise/internal/error_function.hpp>
#include <wengert/ops/elementwise/internal/gamma.hpp>
#include <wengert/ops/elementwise/reading.hpp>

/// Special functions. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

/// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
struct Erf {
    static constexpr std::string_view name = "erf";
    static constexpr OpDoc doc{"erf(x)", broadcast_shape, "2/√π ∫₀ˣ e^(-t²) dt", "ct 2/√π e^(-x²)"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-30.0, 0.0, 30.0};
    static constexpr Accuracy accuracy{.slope_ulps = 1000};  // the rounding of x² costs x² units
    static auto f(const auto& x) { return batch_math::erf(x); }
    static auto df(const auto& x, const auto&) { return 1.1283791670955126 * exp(-(x * x)); }
    static long double exact(long double x) { return std::erf(x); }
};
auto erf(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Erf>(x, where);
}

/// 1 - erf(x), exact where it is small.
struct Erfc {
    static constexpr std::string_view name = "erfc";
    static constexpr OpDoc doc{"erfc(x)", broadcast_shape, "1 - erf x", "-ct 2/√π e^(-x²)"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-5.0, 0.0, 5.0};
    static constexpr Accuracy accuracy{.slope_ulps = 1000};  // as erf
    static auto f(const auto& x) { return batch_math::erfc(x); }
    static auto df(const auto& x, const auto&) { return -1.1283791670955126 * exp(-(x * x)); }
    static long double exact(long double x) { return std::erfc(x); }
};
auto erfc(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Erfc>(x, where);
}

/// The inverse of erf; infinite at -1 and 1, NaN beyond.
struct ErfInv {
    static constexpr std::string_view name = "erfinv";
    static constexpr OpDoc doc{"erfinv(x)", broadcast_shape, "y with erf y = x", "ct √π/2 e^(y²)"};
    static constexpr Range domain{-0.9, 0.9};
    static constexpr std::array extremes{-0.999, 0.0, 0.999};
    static constexpr Accuracy accuracy{.ulps = 4, .slope_ulps = 1000};
    static auto f(const auto& x) {
        return batch_math::one_by_one(
            [](auto number) {
                return static_cast<decltype(number)>(error_function::inverse(static_cast<double>(number)));
            },
            x);
    }
    static auto df(const auto&, const auto& y) { return 0.88622692545275801 * exp(y * y); }
    static long double exact(long double x) { return error_function::inverse(x); }
};
auto erfinv(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<ErfInv>(x, where);
}

/// The derivative of order n of digamma: polygamma(0, x) is digamma(x), polygamma(1, x) also called trigamma. n is
/// rounded to the nearest whole number, so that its derivative is 0. NaN for n below 0 and above 100, and at the poles
/// 0, -1, -2, ...
struct Polygamma {
    static constexpr std::string_view name = "polygamma";
    static constexpr OpDoc doc{"polygamma(n, x)", broadcast_shape, "the derivative of order n of digamma",
                               "0 by n; ct polygamma(n + 1, x)"};
    static constexpr Range domain{0.8, 1.2}, domain_y{0.5, 4};
    static constexpr Accuracy accuracy{.ulps = 16,
                                       .least_normals = 1e3,
                                       .slope_ulps = 64,
                                       .slope_least_normals = 1e3,
                                       .between = {0.6, 6},
                                       .between_y = {0, Accuracy::everywhere.high}};  // below 0 it has roots
    static constexpr int most = 100;
    /// The value for double or long double; n may be of any type.
    template <class T>
    static T value(auto n, T x) {
        const auto order = std::round(n);
        const bool exists = order >= 0 && order <= most;
        return exists ? gamma_function::polygamma(static_cast<int>(order), x) : std::numeric_limits<T>::quiet_NaN();
    }
    static auto f(const auto& n, const auto& x) {
        return batch_math::one_by_one(
            [](auto a, auto b) { return static_cast<decltype(b)>(value(a, static_cast<double>(b))); }, n, x);
    }
    static auto dfx(const auto&, const auto&, const auto&) { return 0.0; }
    static auto dfy(const auto& n, const auto& x, const auto&) { return polygamma(n + 1.0, x); }
    static long double exact(long double n, long double x) { return value(n, x); }
};
template <class X, class Y>
requires Operands<X, Y>
auto polygamma(const X& n, const Y& x, const SourceLine& where = std::source_location::current()) {
    return call<Polygamma>(n, x, where);
}

/// The derivative of lgamma. NaN at the poles 0, -1, -2, ...
struct Digamma {
    static constexpr std::string_view name = "digamma";
    static constexpr OpDoc doc{"digamma(x)", broadcast_shape, "(ln Γ)'(x)", "ct polygamma(1, x)"};
    static constexpr Range domain{0.3, 4};
    static constexpr std::array extremes{0.1, 1e6};
    static constexpr Accuracy accuracy{
        .ulps = 64, .between = {2, Accuracy::everywhere.high}};  // near its root at 1.46 few digits are left
    static auto f(const auto& x) {
        return batch_math::one_by_one(
            [](auto number) {
                return static_cast<decltype(number)>(gamma_function::polygamma(0, static_cast<double>(number)));
            },
            x);
    }
    static auto df(const auto& x, const auto&) { return polygamma(1.0, x); }
    static long double exact(long double x) { return gamma_function::polygamma(0, x); }
};
auto digamma(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Digamma>(x, where);
}

/// ln |Γ(x)|. Infinite at the poles 0, -1, -2, ..., where the derivative is NaN.
struct Lgamma {
    static constexpr std::string_view name = "lgamma";
    static constexpr OpDoc doc{"lgamma(x)", broadcast_shape, "ln of the magnitude of Γ(x)", "ct digamma(x)"};
    static constexpr Range domain{0.3, 4};
    static constexpr std::array extremes{-2.5, 0.1, 1e6};
    static constexpr Accuracy accuracy{
        .ulps = 4, .between = {3, Accuracy::everywhere.high}};  // near its roots at 1 and 2 few digits are left
    static auto f(const auto& x) {
        return batch_math::one_by_one(
            [](auto number) {
                return static_cast<decltype(number)>(gamma_function::lgamma(static_cast<double>(number)));
            },
            x);
    }
    static auto df(const auto& x, const auto&) { return digamma(x); }
    static long double exact(long double x) { return gamma_function::lgamma(x); }
};
auto lgamma(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Lgamma>(x, where);
}

// clang-format off
using SpecialFunctions = OpList<
    Erf,
    Erfc,
    Polygamma,
    Digamma,
    Lgamma,
    ErfInv>;
// clang-format on

extern const FormulaTable<SpecialFunctions> special_formulas;
template <class P>
requires is_in<P, SpecialFunctions>
inline constexpr auto& table_of<P> = special_formulas;

}  // namespace wengert
