#pragma once

#include <cmath>
#include <wengert/ops/elementwise/reading.hpp>

/// Angles. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

/// The sine.
struct Sin {
    static constexpr std::string_view name = "sin";
    static constexpr OpDoc doc{"sin(x)", broadcast_shape, "sin x", "ct cos x"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static auto f(const auto& x) { return batch_math::sin(x); }
    static auto df(const auto& x, const auto&) { return cos(x); }
    static long double exact(long double x) { return std::sin(x); }
};
auto sin(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Sin>(x, where);
}

/// The cosine.
struct Cos {
    static constexpr std::string_view name = "cos";
    static constexpr OpDoc doc{"cos(x)", broadcast_shape, "cos x", "-ct sin x"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static auto f(const auto& x) { return batch_math::cos(x); }
    static auto df(const auto& x, const auto&) { return -sin(x); }
    static long double exact(long double x) { return std::cos(x); }
};
auto cos(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Cos>(x, where);
}

/// The tangent.
struct Tan {
    static constexpr std::string_view name = "tan";
    static constexpr OpDoc doc{"tan(x)", broadcast_shape, "tan x", "ct (1 + y²)"};
    static constexpr Range domain{-1.2, 1.2};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static auto f(const auto& x) { return batch_math::tan(x); }
    static auto df(const auto&, const auto& y) { return 1.0 + y * y; }
    static long double exact(long double x) { return std::tan(x); }
};
auto tan(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Tan>(x, where);
}

/// The arc sine, in [-π/2, π/2]; NaN outside [-1, 1]. Derivative at -1 and 1: infinite.
struct Asin {
    static constexpr std::string_view name = "asin";
    static constexpr OpDoc doc{"asin(x)", broadcast_shape, "asin x", "ct / √((1 - x)(1 + x))"};
    static constexpr Range domain{-0.8, 0.8};
    static constexpr std::array extremes{-0.99, 0.0, 0.99};
    static auto f(const auto& x) { return xsimd::asin(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / sqrt((1.0 - x) * (1.0 + x)); }
    static long double exact(long double x) { return std::asin(x); }
};
auto asin(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Asin>(x, where);
}

/// The arc cosine, in [0, π]; NaN outside [-1, 1]. Derivative at -1 and 1: minus infinity.
struct Acos {
    static constexpr std::string_view name = "acos";
    static constexpr OpDoc doc{"acos(x)", broadcast_shape, "acos x", "-ct / √((1 - x)(1 + x))"};
    static constexpr Range domain{-0.8, 0.8};
    static constexpr std::array extremes{-0.99, 0.0, 0.99};
    static auto f(const auto& x) { return xsimd::acos(x); }
    static auto df(const auto& x, const auto&) { return -1.0 / sqrt((1.0 - x) * (1.0 + x)); }
    static long double exact(long double x) { return std::acos(x); }
};
auto acos(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Acos>(x, where);
}

/// The arc tangent, in [-π/2, π/2].
struct Atan {
    static constexpr std::string_view name = "atan";
    static constexpr OpDoc doc{"atan(x)", broadcast_shape, "atan x", "ct / (1 + x²)"};
    static constexpr Range domain{-3, 3};
    static constexpr std::array extremes{-1e6, 0.0, 1e6};
    static auto f(const auto& x) { return xsimd::atan(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / (1.0 + x * x); }
    static long double exact(long double x) { return std::atan(x); }
};
auto atan(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Atan>(x, where);
}

/// The angle of the point (y, x), in [-π, π]: the first operand is the ordinate, as in std::atan2. 0 for both
/// derivatives at the origin.
struct Atan2 {
    static constexpr std::string_view name = "atan2";
    static constexpr OpDoc doc{"atan2(x, y)", broadcast_shape, "the angle of the point (y, x)",
                               "ct y / (x² + y²); -ct x / (x² + y²)"};
    static constexpr Range domain{0.5, 2}, domain_y{-2, 2};
    static auto f(const auto& x, const auto& y) { return batch_math::atan2(x, y); }
    static auto dfx(const auto& x, const auto& y, const auto&) { return over_square(y, x, y); }
    static auto dfy(const auto& x, const auto& y, const auto&) { return -over_square(x, x, y); }
    /// a / (x² + y²) without overflow, 0 at the origin.
    static auto over_square(const auto& a, const auto& x, const auto& y) {
        const auto larger = maximum(abs(x), abs(y));
        const auto scale = where(larger > 0.0, larger, 1.0);
        const auto u = x / scale, v = y / scale, square = where(larger > 0.0, u * u + v * v, 1.0);
        return where(larger > 0.0, a / scale / square / scale, 0.0);
    }
    static long double exact(long double x, long double y) { return std::atan2(x, y); }
};
template <class X, class Y>
requires Operands<X, Y>
auto atan2(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<Atan2>(x, y, where);
}

// clang-format off
using TrigonometricFunctions = OpList<
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2>;
// clang-format on

extern const FormulaTable<TrigonometricFunctions> trigonometric_formulas;
template <class P>
requires is_in<P, TrigonometricFunctions>
inline constexpr auto& table_of<P> = trigonometric_formulas;

}  // namespace wengert
