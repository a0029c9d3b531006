#pragma once

#include <cmath>
#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/ops/elementwise/reading.hpp>

/// Sums, products and what follows from them. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

/// x + y.
struct Add {
    static constexpr std::string_view name = "add";
    static constexpr OpDoc doc{"x + y", broadcast_shape, "x + y", "ct; ct"};
    static constexpr bool linear = true;
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x, const auto& y) { return x + y; }
    static auto dfx(const auto&, const auto&, const auto&) { return 1.0; }
    static auto dfy(const auto&, const auto&, const auto&) { return 1.0; }
    static long double exact(long double x, long double y) { return x + y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator+(const X& x, const Y& y) { return read<Add>(x, y); }
inline Tensor operator+(const Input& x, const Input& y) { return elementwise<Add>(x, y); }

/// x - y.
struct Sub {
    static constexpr std::string_view name = "sub";
    static constexpr OpDoc doc{"x - y", broadcast_shape, "x - y", "ct; -ct"};
    static constexpr bool linear = true;
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x, const auto& y) { return x - y; }
    static auto dfx(const auto&, const auto&, const auto&) { return 1.0; }
    static auto dfy(const auto&, const auto&, const auto&) { return -1.0; }
    static long double exact(long double x, long double y) { return x - y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator-(const X& x, const Y& y) { return read<Sub>(x, y); }
inline Tensor operator-(const Input& x, const Input& y) { return elementwise<Sub>(x, y); }

/// x y.
struct Mul {
    static constexpr std::string_view name = "mul";
    static constexpr OpDoc doc{"x * y", broadcast_shape, "x y", "ct y; ct x"};
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x, const auto& y) { return x * y; }
    static auto dfx(const auto&, const auto& y, const auto&) { return y; }
    static auto dfy(const auto& x, const auto&, const auto&) { return x; }
    static long double exact(long double x, long double y) { return x * y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator*(const X& x, const Y& y) { return read<Mul>(x, y); }
inline Tensor operator*(const Input& x, const Input& y) { return elementwise<Mul>(x, y); }

/// x / y.
struct Div {
    static constexpr std::string_view name = "div";
    static constexpr OpDoc doc{"x / y", broadcast_shape, "x / y", "ct / y; -ct x / y²"};
    static constexpr Range domain{-2, 2}, domain_y{0.5, 2};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x, const auto& y) { return x / y; }
    static auto dfx(const auto&, const auto& y, const auto&) { return 1.0 / y; }
    static auto dfy(const auto&, const auto& y, const auto& z) { return -z / y; }
    static long double exact(long double x, long double y) { return x / y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator/(const X& x, const Y& y) { return read<Div>(x, y); }
inline Tensor operator/(const Input& x, const Input& y) { return elementwise<Div>(x, y); }

/// x += y is x = x + y, and so with the others: where readings differ in type, x must have that of the result.
template <Reading X, class Y>
requires Readings<X, Y> X& operator+=(X& x, const Y& y) { return x = x + y; }
template <Reading X, class Y>
requires Readings<X, Y> X& operator-=(X& x, const Y& y) { return x = x - y; }
template <Reading X, class Y>
requires Readings<X, Y> X& operator*=(X& x, const Y& y) { return x = x * y; }
template <Reading X, class Y>
requires Readings<X, Y> X& operator/=(X& x, const Y& y) { return x = x / y; }

/// The same of tensors: x is another tensor afterwards, and who holds the old one keeps it.
inline Tensor& operator+=(Tensor& x, const Input& y) { return x = Input(x, y.where()) + y; }
inline Tensor& operator-=(Tensor& x, const Input& y) { return x = Input(x, y.where()) - y; }
inline Tensor& operator*=(Tensor& x, const Input& y) { return x = Input(x, y.where()) * y; }
inline Tensor& operator/=(Tensor& x, const Input& y) { return x = Input(x, y.where()) / y; }

/// -x.
struct Neg {
    static constexpr std::string_view name = "neg";
    static constexpr OpDoc doc{"-x", broadcast_shape, "-x", "-ct"};
    static constexpr bool linear = true;
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-1e6, 1e6};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x) { return -x; }
    static auto df(const auto&, const auto&) { return -1.0; }
    static long double exact(long double x) { return -x; }
};
template <Reading X>
auto operator-(const X& x) {
    return read<Neg>(x);
}
inline Tensor operator-(const Input& x) { return elementwise<Neg>(x); }

/// x².
struct Square {
    static constexpr std::string_view name = "square";
    static constexpr OpDoc doc{"square(x)", broadcast_shape, "x²", "2 ct x"};
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-1e6, 0.0, 1e6};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto formula(const auto& x) { return x * x; }
    static long double exact(long double x) { return x * x; }
};
auto square(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Square>(x, where);
}

/// 1 / x. Infinite at 0.
struct Reciprocal {
    static constexpr std::string_view name = "reciprocal";
    static constexpr OpDoc doc{"reciprocal(x)", broadcast_shape, "1 / x", "-ct / x²"};
    static constexpr Range domain{0.5, 2};
    static constexpr std::array extremes{-1e6, -0.5, 1e6};
    static constexpr Accuracy accuracy{.ulps = 1};
    template <class Batch>
    static auto f(const Batch& x) {
        return Batch(1) / x;
    }
    static auto df(const auto&, const auto& y) { return -(y * y); }
    static long double exact(long double x) { return 1 / x; }
};
auto reciprocal(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Reciprocal>(x, where);
}

/// The magnitude of x. Derivative at 0: 0.
struct Abs {
    static constexpr std::string_view name = "abs";
    static constexpr OpDoc doc{"abs(x)", broadcast_shape, "the magnitude of x", "ct sign x, 0 at 0"};
    static constexpr Range domain{0.2, 3};
    static constexpr std::array extremes{-100.0, -0.5, 100.0};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x) { return xsimd::abs(x); }
    static auto df(const auto& x, const auto&) { return where(x > 0.0, 1.0, where(x < 0.0, -1.0, 0.0)); }
    static long double exact(long double x) { return std::abs(x); }
};
auto abs(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Abs>(x, where);
}

/// The smaller of x and y; NaN if one is. Derivative where they are equal: all to x.
struct Minimum {
    static constexpr std::string_view name = "minimum";
    static constexpr OpDoc doc{"minimum(x, y)", broadcast_shape, "min(x, y)",
                               "ct to the one taken, to x if they are equal"};
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x, const auto& y) { return xsimd::select(x <= y, x, xsimd::select(x == x, y, x)); }
    static auto dfx(const auto& x, const auto& y, const auto&) { return where(x <= y, 1.0, 0.0); }
    static auto dfy(const auto& x, const auto& y, const auto&) { return where(x <= y, 0.0, 1.0); }
    static long double exact(long double x, long double y) { return std::isnan(x) || x <= y ? x : y; }
};
template <class X, class Y>
requires Operands<X, Y>
auto minimum(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<Minimum>(x, y, where);
}

/// The larger of x and y; NaN if one is. Derivative where they are equal: all to x.
struct Maximum {
    static constexpr std::string_view name = "maximum";
    static constexpr OpDoc doc{"maximum(x, y)", broadcast_shape, "max(x, y)",
                               "ct to the one taken, to x if they are equal"};
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto f(const auto& x, const auto& y) { return xsimd::select(x >= y, x, xsimd::select(x == x, y, x)); }
    static auto dfx(const auto& x, const auto& y, const auto&) { return where(x >= y, 1.0, 0.0); }
    static auto dfy(const auto& x, const auto& y, const auto&) { return where(x >= y, 0.0, 1.0); }
    static long double exact(long double x, long double y) { return std::isnan(x) || x >= y ? x : y; }
};
template <class X, class Y>
requires Operands<X, Y>
auto maximum(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<Maximum>(x, y, where);
}

/// √(x² + y²), without overflow on the way. Derivative where both are 0: 0.
struct Hypot {
    static constexpr std::string_view name = "hypot";
    static constexpr OpDoc doc{"hypot(x, y)", broadcast_shape, "√(x² + y²)", "ct x / z; ct y / z"};
    static constexpr Range domain{-2, 2}, domain_y{0.5, 2};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto f(const auto& x, const auto& y) {
        return batch_math::one_by_one([](auto a, auto b) { return std::hypot(a, b); }, x, y);
    }
    static auto dfx(const auto& x, const auto&, const auto& z) { return x / where(z == 0.0, 1.0, z); }
    static auto dfy(const auto&, const auto& y, const auto& z) { return y / where(z == 0.0, 1.0, z); }
    static long double exact(long double x, long double y) { return std::hypot(x, y); }
};
template <class X, class Y>
requires Operands<X, Y>
auto hypot(const X& x, const Y& y, const SourceLine& where = std::source_location::current()) {
    return call<Hypot>(x, y, where);
}

/// x, but `low` where x is below it and `high` where it is above; `high` everywhere if it is below `low`. NaN stays.
/// Derivative where x is at an end: all to x.
struct Clamp {
    static constexpr std::string_view name = "clamp";
    static constexpr OpDoc doc{"clamp(x, low, high)", broadcast_shape, "min(max(x, low), high)",
                               "ct to the one taken, to x if they are equal"};
    [[gnu::always_inline]] auto operator()(const auto& x, const auto& low, const auto& high) const {
        return minimum(maximum(x, low), high);
    }
    static std::vector<Sample> samples();
};
template <class X, class Low, class High>
requires(Reading<X> || Reading<Low> || Reading<High>) auto clamp(const X& x, const Low& low, const High& high) {
    return Clamp()(x, low, high);
}
Tensor clamp(const Input& x, const Input& low, const Input& high);

/// On the way from x to y: x for w = 0, y for w = 1, and exactly so if y - x is finite. As PyTorch's lerp().
struct Lerp {
    static constexpr std::string_view name = "lerp";
    static constexpr OpDoc doc{"lerp(x, y, w)", broadcast_shape, "x + w (y - x)", "ct (1 - w); ct w; ct (y - x)"};
    [[gnu::always_inline]] auto operator()(const auto& x, const auto& y, const auto& w) const {
        return where(w < 0.5, x + w * (y - x), y - (1.0 - w) * (y - x));
    }
    static std::vector<Sample> samples();
};
template <class X, class Y, class W>
requires(Reading<X> || Reading<Y> || Reading<W>) auto lerp(const X& x, const Y& y, const W& w) {
    return Lerp()(x, y, w);
}
Tensor lerp(const Input& x, const Input& y, const Input& w);

// clang-format off
using ArithmeticFunctions = OpList<
    Add,
    Sub,
    Mul,
    Div,
    Neg,
    Square,
    Reciprocal,
    Abs,
    Minimum,
    Maximum,
    Hypot,
    Clamp,
    Lerp>;
// clang-format on

extern const FormulaTable<ArithmeticFunctions> arithmetic_formulas;
template <class P>
requires is_in<P, ArithmeticFunctions>
inline constexpr auto& table_of<P> = arithmetic_formulas;

}  // namespace wengert
