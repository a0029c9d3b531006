#pragma once

#include <cmath>
#include <wengert/ops/elementwise/reading.hpp>

/// Special functions.
namespace wengert {

/// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
struct Erf {
    static constexpr std::string_view name = "erf";
    static constexpr OpDoc doc{"erf(x)", broadcast_shape, "2/√π ∫₀ˣ e^(-t²) dt", "ct 2/√π e^(-x²)"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-30.0, 0.0, 30.0};
    static constexpr Accuracy accuracy{.slope_ulps = 1000};
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
    static constexpr Accuracy accuracy{.slope_ulps = 1000};
    static auto f(const auto& x) { return batch_math::erfc(x); }
    static auto df(const auto& x, const auto&) { return -1.1283791670955126 * exp(-(x * x)); }
    static long double exact(long double x) { return std::erfc(x); }
};
auto erfc(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Erfc>(x, where);
}

// clang-format off
using SpecialFunctions = OpList<
    Erf,
    Erfc>;
// clang-format on

extern const FormulaTable<SpecialFunctions> special_formulas;
template <class P>
requires is_in<P, SpecialFunctions>
inline constexpr auto& table_of<P> = special_formulas;

}  // namespace wengert
