#pragma once

#include <array>
#include <string_view>
#include <wengert/ops/elementwise/internal/batch_math.hpp>
#include <wengert/ops/elementwise/internal/lanes.hpp>

/// The table: every scalar primitive with its value and its derivatives. Nowhere else does a scalar derivative stand.
///
/// f takes xsimd batches; the derivatives take any reading (vectors of numbers, or tensors being recorded) of the
/// operands and of the value y. A primitive without derivative is not differentiable. `domain` and `extremes` are where
/// the gradient checks sample it; kinks lie outside both. At a kink the derivative is what the formula here gives:
///
///     relu'(0) = 0,  abs'(0) = 0,  minimum and maximum of equal operands: all to the first,
///     x^0: 0 by x for every x,  0^y: 0 by y
namespace wengert::calculus {

struct Range {
    double low, high;
};

/// y = -x
struct Neg {
    static constexpr std::string_view name = "neg";
    static constexpr bool linear = true;
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-1e6, 1e6};
    static auto f(const auto& x) { return -x; }
    static auto df(const auto&, const auto&) { return -1.0; }
};

/// y = e^x
struct Exp {
    static constexpr std::string_view name = "exp";
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-100.0, 50.0};
    static auto f(const auto& x) { return batch_math::exp(x); }
    static auto df(const auto&, const auto& y) { return y; }
};

/// y = ln x
struct Log {
    static constexpr std::string_view name = "log";
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{1e-3, 1e6};
    static auto f(const auto& x) { return batch_math::log(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / x; }
};

/// y = ln(1 + x), exact near 0
struct Log1p {
    static constexpr std::string_view name = "log1p";
    static constexpr Range domain{-0.5, 3};
    static constexpr std::array extremes{-0.99, 1e-9, 1e6};
    static auto f(const auto& x) { return xsimd::log1p(x); }
    static auto df(const auto& x, const auto&) { return 1.0 / (1.0 + x); }
};

/// y = e^x - 1, exact near 0
struct Expm1 {
    static constexpr std::string_view name = "expm1";
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-100.0, 1e-9, 50.0};
    static auto f(const auto& x) { return batch_math::expm1(x); }
    static auto df(const auto&, const auto& y) { return y + 1.0; }
};

/// y = square root of x
struct Sqrt {
    static constexpr std::string_view name = "sqrt";
    static constexpr Range domain{0.2, 4};
    static constexpr std::array extremes{1e-2, 1e6};
    static auto f(const auto& x) { return xsimd::sqrt(x); }
    static auto df(const auto&, const auto& y) { return 0.5 / y; }
};

/// y = sin x
struct Sin {
    static constexpr std::string_view name = "sin";
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static auto f(const auto& x) { return xsimd::sin(x); }
    static auto df(const auto& x, const auto&) { return cos(x); }
};

/// y = cos x
struct Cos {
    static constexpr std::string_view name = "cos";
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static auto f(const auto& x) { return xsimd::cos(x); }
    static auto df(const auto& x, const auto&) { return -sin(x); }
};

/// y = hyperbolic tangent of x
struct Tanh {
    static constexpr std::string_view name = "tanh";
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static auto f(const auto& x) { return xsimd::tanh(x); }
    static auto df(const auto&, const auto& y) { return 1.0 - y * y; }
};

/// y = 1 / (1 + e^-x)
struct Sigmoid {
    static constexpr std::string_view name = "sigmoid";
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    template <class Batch>
    static auto f(const Batch& x) {
        return Batch(1) / (Batch(1) + xsimd::exp(-x));
    }
    static auto df(const auto&, const auto& y) { return y * (1.0 - y); }
};

/// y = max(x, 0)
struct Relu {
    static constexpr std::string_view name = "relu";
    static constexpr Range domain{0.1, 3};
    static constexpr std::array extremes{-100.0, -0.5, 100.0};
    template <class Batch>
    static auto f(const Batch& x) {
        return xsimd::select(x <= Batch(0), Batch(0), x);  // a NaN stays
    }
    static auto df(const auto& x, const auto&) { return where(x > 0.0, 1.0, 0.0); }
};

/// y = ln(1 + e^x), without overflow
struct Softplus {
    static constexpr std::string_view name = "softplus";
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    template <class Batch>
    static auto f(const Batch& x) {
        return xsimd::max(x, Batch(0)) + xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
    }
    static auto df(const auto& x, const auto&) { return sigmoid(x); }
};

/// y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x
struct Erf {
    static constexpr std::string_view name = "erf";
    static constexpr Range domain{-2, 2};
    static constexpr std::array extremes{-30.0, 0.0, 30.0};
    static auto f(const auto& x) { return batch_math::erf(x); }
    static auto df(const auto& x, const auto&) { return 1.1283791670955126 * exp(-(x * x)); }
};

/// y = |x|
struct Abs {
    static constexpr std::string_view name = "abs";
    static constexpr Range domain{0.2, 3};
    static constexpr std::array extremes{-100.0, -0.5, 100.0};
    static auto f(const auto& x) { return xsimd::abs(x); }
    static auto df(const auto& x, const auto&) { return where(x > 0.0, 1.0, where(x < 0.0, -1.0, 0.0)); }
};

// Two operands: dfx and dfy are the derivatives by the first and by the second.

struct Add {
    static constexpr std::string_view name = "add";
    static constexpr bool linear = true;
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static auto f(const auto& x, const auto& y) { return x + y; }
    static auto dfx(const auto&, const auto&, const auto&) { return 1.0; }
    static auto dfy(const auto&, const auto&, const auto&) { return 1.0; }
};

struct Sub {
    static constexpr std::string_view name = "sub";
    static constexpr bool linear = true;
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static auto f(const auto& x, const auto& y) { return x - y; }
    static auto dfx(const auto&, const auto&, const auto&) { return 1.0; }
    static auto dfy(const auto&, const auto&, const auto&) { return -1.0; }
};

struct Mul {
    static constexpr std::string_view name = "mul";
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static auto f(const auto& x, const auto& y) { return x * y; }
    static auto dfx(const auto&, const auto& y, const auto&) { return y; }
    static auto dfy(const auto& x, const auto&, const auto&) { return x; }
};

struct Div {
    static constexpr std::string_view name = "div";
    static constexpr Range domain{-2, 2}, domain_y{0.5, 2};
    static auto f(const auto& x, const auto& y) { return x / y; }
    static auto dfx(const auto&, const auto& y, const auto&) { return 1.0 / y; }
    static auto dfy(const auto&, const auto& y, const auto& quotient) { return -quotient / y; }
};

/// x^y for x > 0; with a constant y also for x = 0 and, if y is whole, for x < 0
struct Pow {
    static constexpr std::string_view name = "pow";
    static constexpr Range domain{0.3, 3}, domain_y{-2, 2};
    static auto f(const auto& x, const auto& y) { return batch_math::pow(x, y); }
    static auto dfx(const auto& x, const auto& y, const auto&) {
        return where(y != 0.0, y * pow(where(y != 0.0, x, 1.0), y - 1.0), 0.0);
    }
    static auto dfy(const auto& x, const auto&, const auto& power) {
        return where(x > 0.0, power * log(where(x > 0.0, x, 1.0)), 0.0);
    }
};

struct Minimum {
    static constexpr std::string_view name = "minimum";
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static auto f(const auto& x, const auto& y) { return xsimd::select(x <= y, x, xsimd::select(x == x, y, x)); }
    static auto dfx(const auto& x, const auto& y, const auto&) { return where(x <= y, 1.0, 0.0); }
    static auto dfy(const auto& x, const auto& y, const auto&) { return where(x <= y, 0.0, 1.0); }
};

struct Maximum {
    static constexpr std::string_view name = "maximum";
    static constexpr Range domain{-2, 2}, domain_y{-2, 2};
    static auto f(const auto& x, const auto& y) { return xsimd::select(x >= y, x, xsimd::select(x == x, y, x)); }
    static auto dfx(const auto& x, const auto& y, const auto&) { return where(x >= y, 1.0, 0.0); }
    static auto dfy(const auto& x, const auto& y, const auto&) { return where(x >= y, 0.0, 1.0); }
};

// Comparisons: not differentiable. As tensors their results are 1 where true and 0 elsewhere.

struct Greater {
    static constexpr std::string_view name = "greater";
    static auto f(const auto& x, const auto& y) { return x > y; }
};
struct GreaterEqual {
    static constexpr std::string_view name = "greater_equal";
    static auto f(const auto& x, const auto& y) { return x >= y; }
};
struct Less {
    static constexpr std::string_view name = "less";
    static auto f(const auto& x, const auto& y) { return x < y; }
};
struct LessEqual {
    static constexpr std::string_view name = "less_equal";
    static auto f(const auto& x, const auto& y) { return x <= y; }
};
struct Equal {
    static constexpr std::string_view name = "equal";
    static auto f(const auto& x, const auto& y) { return x == y; }
};
struct NotEqual {
    static constexpr std::string_view name = "not_equal";
    static auto f(const auto& x, const auto& y) { return !(x == y); }  // a NaN differs from everything
};

}  // namespace wengert::calculus
