#pragma once

#include <cmath>
#include <wengert/ops/elementwise/reading.hpp>

/// Hyperbolic functions and their inverses. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

/// The hyperbolic sine, (e^x - e^-x) / 2.
struct Sinh {
    static constexpr std::string_view name = "sinh";
    static constexpr OpDoc doc{"sinh(x)", broadcast_shape, "(eˣ - e⁻ˣ) / 2", "ct cosh x"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-50.0, 0.0, 50.0};
    static auto f(const auto& x) { return xsimd::sinh(x); }
    static auto df(const auto& x, const auto&) { return cosh(x); }
    static long double exact(long double x) { return std::sinh(x); }
};
auto sinh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Sinh>(x, where);
}

/// The hyperbolic cosine, (e^x + e^-x) / 2.
struct Cosh {
    static constexpr std::string_view name = "cosh";
    static constexpr OpDoc doc{"cosh(x)", broadcast_shape, "(eˣ + e⁻ˣ) / 2", "ct sinh x"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-50.0, 0.0, 50.0};
    static auto f(const auto& x) { return xsimd::cosh(x); }
    static auto df(const auto& x, const auto&) { return sinh(x); }
    static long double exact(long double x) { return std::cosh(x); }
};
auto cosh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Cosh>(x, where);
}

/// The hyperbolic tangent.
struct Tanh {
    static constexpr std::string_view name = "tanh";
    static constexpr OpDoc doc{"tanh(x)", broadcast_shape, "tanh x", "ct / cosh² x"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static constexpr Accuracy accuracy{.ulps = 2, .slope_least_normals = 8};
    static auto f(const auto& x) { return xsimd::tanh(x); }
    /// 1 - y² has few digits where y is near 1.
    static auto df(const auto& x, const auto& y) {
        return choose(
            abs(x) < 0.625, [&] { return 1.0 - y * y; }, [&] { return 4.0 * sigmoid_slope(2.0 * x); });
    }
    static long double exact(long double x) { return std::tanh(x); }
};
auto tanh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Tanh>(x, where);
}

/// The inverse of sinh.
struct Asinh {
    static constexpr std::string_view name = "asinh";
    static constexpr OpDoc doc{"asinh(x)", broadcast_shape, "asinh x", "ct / √(x² + 1)"};
    static constexpr Range domain{-3, 3};
    static constexpr std::array extremes{-1e6, 0.0, 1e6};
    static constexpr Accuracy accuracy{.ulps = 4};
    static auto f(const auto& x) { return xsimd::asinh(x); }
    static auto df(const auto& x, const auto&) {  // x² may overflow where the derivative is 1 / |x|
        const auto is_small = abs(x) < 1e9;
        const auto small = where(is_small, x, 1.0), large = where(is_small, 1.0, x);
        return where(is_small, 1.0 / sqrt(small * small + 1.0), 1.0 / abs(large));
    }
    static long double exact(long double x) { return std::asinh(x); }
};
auto asinh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Asinh>(x, where);
}

/// The inverse of cosh; NaN below 1. Derivative at 1: infinite.
struct Acosh {
    static constexpr std::string_view name = "acosh";
    static constexpr OpDoc doc{"acosh(x)", broadcast_shape, "acosh x", "ct / √((x - 1)(x + 1))"};
    static constexpr Range domain{1.5, 4};
    static constexpr std::array extremes{1.01, 1e6};
    static auto f(const auto& x) { return batch_math::acosh(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)); }
    static long double exact(long double x) { return std::acosh(x); }
};
auto acosh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Acosh>(x, where);
}

/// The inverse of tanh; infinite at -1 and 1, NaN beyond.
struct Atanh {
    static constexpr std::string_view name = "atanh";
    static constexpr OpDoc doc{"atanh(x)", broadcast_shape, "atanh x", "ct / ((1 - x)(1 + x))"};
    static constexpr Range domain{-0.8, 0.8};
    static constexpr std::array extremes{-0.99, 0.0, 0.99};
    static auto f(const auto& x) { return xsimd::atanh(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / ((1.0 - x) * (1.0 + x)); }
    static long double exact(long double x) { return std::atanh(x); }
};
auto atanh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Atanh>(x, where);
}

// clang-format off
using HyperbolicFunctions = OpList<
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh>;
// clang-format on

extern const FormulaTable<HyperbolicFunctions> hyperbolic_formulas;
template <class P>
requires is_in<P, HyperbolicFunctions>
inline constexpr auto& table_of<P> = hyperbolic_formulas;

}  // namespace wengert
