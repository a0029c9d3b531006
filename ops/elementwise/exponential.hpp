#pragma once

#include <cmath>
#include <limits>
#include <numbers>
#include <wengert/ops/elementwise/reading.hpp>

/// Exponentials, logarithms, roots and powers. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

/// e^x.
struct Exp {
    static constexpr std::string_view name = "exp";
    static constexpr OpDoc doc{"exp(x)", broadcast_shape, "eˣ", "ct y"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-100.0, 50.0};
    static auto f(const auto& x) { return batch_math::exp(x); }
    static auto df(const auto&, const auto& y) { return y; }
    static long double exact(long double x) { return std::exp(x); }
};
auto exp(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Exp>(x, where);
}

/// 2^x.
struct Exp2 {
    static constexpr std::string_view name = "exp2";
    static constexpr OpDoc doc{"exp2(x)", broadcast_shape, "2ˣ", "ct y ln 2"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-100.0, 50.0};
    static auto f(const auto& x) { return batch_math::exp2(x); }
    static auto df(const auto&, const auto& y) { return y * std::numbers::ln2; }
    static long double exact(long double x) { return std::exp2(x); }
};
auto exp2(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Exp2>(x, where);
}

/// e^x - 1, exact near 0.
struct Expm1 {
    static constexpr std::string_view name = "expm1";
    static constexpr OpDoc doc{"expm1(x)", broadcast_shape, "eˣ - 1", "ct eˣ"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-100.0, 1e-9, 50.0};
    static auto f(const auto& x) { return batch_math::expm1(x); }
    static auto df(const auto& x, const auto&) { return exp(x); }
    static long double exact(long double x) { return std::expm1(x); }
};
auto expm1(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Expm1>(x, where);
}

/// The natural logarithm. Minus infinity at 0, NaN below.
struct Log {
    static constexpr std::string_view name = "log";
    static constexpr OpDoc doc{"log(x)", broadcast_shape, "ln x", "ct / x"};
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{1e-3, 1e6};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x) { return batch_math::log(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / x; }
    static long double exact(long double x) { return std::log(x); }
};
auto log(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Log>(x, where);
}

/// The logarithm to base 2. Minus infinity at 0, NaN below.
struct Log2 {
    static constexpr std::string_view name = "log2";
    static constexpr OpDoc doc{"log2(x)", broadcast_shape, "log₂ x", "ct / (x ln 2)"};
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{1e-3, 1e6};
    static auto f(const auto& x) { return batch_math::log2(x); }
    static auto df(const auto& x, const auto&) { return std::numbers::log2e / x; }
    static long double exact(long double x) { return std::log2(x); }
};
auto log2(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Log2>(x, where);
}

/// The logarithm to base 10. Minus infinity at 0, NaN below.
struct Log10 {
    static constexpr std::string_view name = "log10";
    static constexpr OpDoc doc{"log10(x)", broadcast_shape, "log₁₀ x", "ct / (x ln 10)"};
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{1e-3, 1e6};
    static auto f(const auto& x) { return batch_math::log10(x); }
    static auto df(const auto& x, const auto&) { return std::numbers::log10e / x; }
    static long double exact(long double x) { return std::log10(x); }
};
auto log10(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Log10>(x, where);
}

/// ln(1 + x), exact near 0. Minus infinity at -1, NaN below.
struct Log1p {
    static constexpr std::string_view name = "log1p";
    static constexpr OpDoc doc{"log1p(x)", broadcast_shape, "ln(1 + x)", "ct / (1 + x)"};
    static constexpr Range domain{-0.5, 3};
    static constexpr std::array extremes{-0.99, 1e-9, 1e6};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x) { return xsimd::log1p(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / (1.0 + x); }
    static long double exact(long double x) { return std::log1p(x); }
};
auto log1p(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Log1p>(x, where);
}

/// The square root; NaN below 0. Derivative at 0: infinite.
struct Sqrt {
    static constexpr std::string_view name = "sqrt";
    static constexpr OpDoc doc{"sqrt(x)", broadcast_shape, "√x", "ct / (2 y)"};
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{1e-2, 1e6};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x) { return xsimd::sqrt(x); }
    static auto df(const auto&, const auto& y) { return 0.5 / y; }
    static long double exact(long double x) { return std::sqrt(x); }
};
auto sqrt(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Sqrt>(x, where);
}

/// 1 / sqrt(x). Infinite at 0, NaN below.
struct Rsqrt {
    static constexpr std::string_view name = "rsqrt";
    static constexpr OpDoc doc{"rsqrt(x)", broadcast_shape, "1 / √x", "-ct y / (2 x)"};
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{1e-2, 1e6};
    static constexpr Accuracy accuracy{.ulps = 2};
    template <class Batch>
    static auto f(const Batch& x) {
        return Batch(1) / xsimd::sqrt(x);
    }
    static auto df(const auto& x, const auto& y) { return -0.5 * y / x; }
    static long double exact(long double x) { return 1 / std::sqrt(x); }
};
auto rsqrt(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Rsqrt>(x, where);
}

/// The cube root, of negative numbers too. Derivative at 0: infinite.
struct Cbrt {
    static constexpr std::string_view name = "cbrt";
    static constexpr OpDoc doc{"cbrt(x)", broadcast_shape, "∛x", "ct / (3 y²)"};
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{-8.0, 1e-3, 1e6};
    static constexpr Accuracy accuracy{.ulps = 4};
    static auto f(const auto& x) {  // xsimd's has no right digit for subnormal numbers of float64
        return batch_math::one_by_one([](auto number) { return std::cbrt(number); }, x);
    }
    static auto df(const auto&, const auto& y) { return 1.0 / (3.0 * (y * y)); }
    static long double exact(long double x) { return std::cbrt(x); }
};
auto cbrt(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Cbrt>(x, where);
}

/// ln(e^x + e^y), without overflow on the way.
struct LogAddExp {
    static constexpr std::string_view name = "logaddexp";
    static constexpr OpDoc doc{"logaddexp(x, y)", broadcast_shape, "ln(eˣ + eʸ)", "ct / (1 + eʸ⁻ˣ); ct / (1 + eˣ⁻ʸ)"};
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static constexpr Accuracy accuracy{
        .slope_ulps = 1000,
        .between = {0, Accuracy::everywhere.high},  // where the result is near 0 it has few digits
        .between_y = {0, Accuracy::everywhere.high}};
    template <class Batch>
    static auto f(const Batch& x, const Batch& y) {
        using T = typename Batch::value_type;
        const Batch sum = xsimd::max(x, y) + xsimd::log1p(xsimd::exp(-xsimd::abs(x - y)));
        return xsimd::select(x == y, x + Batch(static_cast<T>(std::numbers::ln2)), sum);  // also if both are infinite
    }
    static auto dfx(const auto& x, const auto& y, const auto&) { return sigmoid(difference(x, y)); }
    static auto dfy(const auto& x, const auto& y, const auto&) { return sigmoid(difference(y, x)); }
    /// x - y, but 0 where both are the same infinity: they share ct.
    static auto difference(const auto& x, const auto& y) {
        const auto is_finite = where(x == y, abs(x), 0.0) < std::numeric_limits<double>::infinity();
        return where(is_finite, x, 0.0) - where(is_finite, y, 0.0);
    }
    static long double exact(long double x, long double y) {
        return x == y ? x + std::numbers::ln2_v<long double> : std::fmax(x, y) + std::log1p(std::exp(-std::abs(x - y)));
    }
};
template <class X, class Y>
requires Operands<X, Y>
auto logaddexp(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<LogAddExp>(x, y, where);
}

/// x ln y, which is 0 for x = 0 whatever y is, unless it is NaN. Derivative by y at x = 0: 0, and by x where y is 0
/// too.
struct Xlogy {
    static constexpr std::string_view name = "xlogy";
    static constexpr OpDoc doc{"xlogy(x, y)", broadcast_shape, "x ln y, 0 for x = 0", "ct ln y; ct x / y"};
    static constexpr Range domain{0.3, 2}, domain_y{0.5, 4};
    template <class Batch>
    static auto f(const Batch& x, const Batch& y) {
        const auto is_zero = (x == Batch(0)) & (y == y);
        return xsimd::select(is_zero, Batch(0), x * batch_math::log(xsimd::select(is_zero, Batch(1), y)));
    }
    static auto dfx(const auto& x, const auto& y, const auto&) {
        return log(where(y <= 0.0, where(x != 0.0, y, 1.0), y));
    }
    static auto dfy(const auto& x, const auto& y, const auto&) {
        return x / where(y == 0.0, where(x != 0.0, y, 1.0), y);
    }
    static long double exact(long double x, long double y) { return x == 0 && y == y ? 0 : x * std::log(y); }
};
template <class X, class Y>
requires Operands<X, Y>
auto xlogy(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<Xlogy>(x, y, where);
}

/// x^y for x > 0; with a constant y also for x = 0 and, if y is whole, for x < 0. As std::pow at the edges. The
/// derivative of x^0 by x is 0 for every x; that by y is 0 for x <= 0, where the power is defined for single y only.
struct Pow {
    static constexpr std::string_view name = "pow";
    static constexpr OpDoc doc{"pow(x, y)", broadcast_shape, "xʸ", "ct y xʸ⁻¹; ct xʸ ln x"};
    static constexpr Range domain{0.3, 3}, domain_y{-2, 2};
    static constexpr Accuracy accuracy{.slope_ulps = 1000};
    static auto f(const auto& x, const auto& y) { return batch_math::pow(x, y); }
    /// y z / x, or y x^(y - 1) where z has few digits or none.
    static auto dfx(const auto& x, const auto& y, const auto& z) {
        const auto size = abs(z);
        const auto has_digits = where(size > 1e-30, where(size < 1e30, x, 0.0), 0.0) != 0.0;
        const auto quotient = y * where(has_digits, z, 1.0) / where(has_digits, x, 1.0);
        const auto power = y * pow(where(y != 0.0, where(has_digits, 1.0, x), 1.0), y - 1.0);
        return where(y != 0.0, where(has_digits, quotient, power), 0.0);
    }
    static auto dfy(const auto& x, const auto&, const auto& z) {
        return where(x > 0.0, z * log(where(x > 0.0, x, 1.0)), 0.0);
    }
    static long double exact(long double x, long double y) { return std::pow(x, y); }
};
template <class X, class Y>
requires Operands<X, Y>
auto pow(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<Pow>(x, y, where);
}

// clang-format off
using ExponentialFunctions = OpList<
    Exp,
    Exp2,
    Expm1,
    Log,
    Log2,
    Log10,
    Log1p,
    Sqrt,
    Rsqrt,
    Pow,
    Cbrt,
    LogAddExp,
    Xlogy>;
// clang-format on

extern const FormulaTable<ExponentialFunctions> exponential_formulas;
template <class P>
requires is_in<P, ExponentialFunctions>
inline constexpr auto& table_of<P> = exponential_formulas;

}  // namespace wengert
