#pragma once

#include <cmath>
#include <wengert/ops/elementwise/reading.hpp>

/// Signs, whole numbers and remainders. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

/// -1, 0 or 1. Derivative: 0, also at 0.
struct Sign {
    static constexpr std::string_view name = "sign";
    static constexpr OpDoc doc{"sign(x)", broadcast_shape, "-1, 0 or 1", "0"};
    static constexpr bool linear = true;
    static constexpr Range domain{0.2, 3};
    static constexpr std::array extremes{-100.0, -0.5, 100.0};
    static constexpr Accuracy accuracy{.ulps = 0};
    template <class Batch>
    static auto f(const Batch& x) {
        return xsimd::select(x > Batch(0), Batch(1), xsimd::select(x < Batch(0), Batch(-1), x));
    }
    static auto df(const auto&, const auto&) { return 0.0; }
    static long double exact(long double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
};
auto sign(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Sign>(x, where);
}

/// The largest whole number that is not above x. Derivative: 0, also at whole numbers.
struct Floor {
    static constexpr std::string_view name = "floor";
    static constexpr OpDoc doc{"floor(x)", broadcast_shape, "⌊x⌋", "0"};
    static constexpr bool linear = true;
    static constexpr Range domain{1.1, 1.9};
    static constexpr std::array extremes{-100.5, -0.5, 100.5};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x) { return xsimd::floor(x); }
    static auto df(const auto&, const auto&) { return 0.0; }
    static long double exact(long double x) { return std::floor(x); }
};
auto floor(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Floor>(x, where);
}

/// The smallest whole number that is not below x. Derivative: 0, also at whole numbers.
struct Ceil {
    static constexpr std::string_view name = "ceil";
    static constexpr OpDoc doc{"ceil(x)", broadcast_shape, "⌈x⌉", "0"};
    static constexpr bool linear = true;
    static constexpr Range domain{1.1, 1.9};
    static constexpr std::array extremes{-100.5, -0.5, 100.5};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x) { return xsimd::ceil(x); }
    static auto df(const auto&, const auto&) { return 0.0; }
    static long double exact(long double x) { return std::ceil(x); }
};
auto ceil(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Ceil>(x, where);
}

/// x without its fraction. Derivative: 0, also at whole numbers.
struct Trunc {
    static constexpr std::string_view name = "trunc";
    static constexpr OpDoc doc{"trunc(x)", broadcast_shape, "x without its fraction", "0"};
    static constexpr bool linear = true;
    static constexpr Range domain{1.1, 1.9};
    static constexpr std::array extremes{-100.5, -0.5, 100.5};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x) { return xsimd::trunc(x); }
    static auto df(const auto&, const auto&) { return 0.0; }
    static long double exact(long double x) { return std::trunc(x); }
};
auto trunc(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Trunc>(x, where);
}

/// The nearest whole number; of two that are equally near the even one, as in NumPy. Derivative: 0, also in the middle.
struct Round {
    static constexpr std::string_view name = "round";
    static constexpr OpDoc doc{"round(x)", broadcast_shape, "the nearest whole number, of two the even one", "0"};
    static constexpr bool linear = true;
    static constexpr Range domain{0.6, 1.4};
    static constexpr std::array extremes{-100.2, -0.2, 100.2};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x) { return xsimd::nearbyint(x); }
    static auto df(const auto&, const auto&) { return 0.0; }
    static long double exact(long double x) { return std::nearbyint(x); }
};
auto round(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Round>(x, where);
}

/// What is left of x when y is taken from it as often as it goes: x - y trunc(x / y), without an error of rounding. It
/// has the sign of x. NaN for y = 0 and infinite x.
struct Fmod {
    static constexpr std::string_view name = "fmod";
    static constexpr OpDoc doc{"fmod(x, y)", broadcast_shape, "x - y trunc(x / y)", "ct; -ct trunc(x / y)"};
    static constexpr Range domain{5.1, 5.9}, domain_y{2.1, 2.4};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x, const auto& y) {
        return batch_math::one_by_one([](auto a, auto b) { return std::fmod(a, b); }, x, y);
    }
    static auto dfx(const auto&, const auto&, const auto&) { return 1.0; }
    static auto dfy(const auto& x, const auto& y, const auto& z) { return round((z - x) / y); }
    static long double exact(long double x, long double y) { return std::fmod(x, y); }
};
template <class X, class Y>
requires Operands<X, Y>
auto fmod(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<Fmod>(x, y, where);
}

// clang-format off
using RoundingFunctions = OpList<
    Sign,
    Floor,
    Ceil,
    Trunc,
    Round,
    Fmod>;
// clang-format on

extern const FormulaTable<RoundingFunctions> rounding_formulas;
template <class P>
requires is_in<P, RoundingFunctions>
inline constexpr auto& table_of<P> = rounding_formulas;

}  // namespace wengert
