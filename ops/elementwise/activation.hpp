#pragma once

#include <cmath>
#include <wengert/ops/elementwise/reading.hpp>

/// Activation functions of neural networks. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

/// e^-x / (1 + e^-x)^2, the derivative of sigmoid(x), exact where sigmoid(x) is near 0 and near 1.
struct SigmoidSlope {
    static constexpr std::string_view name = "sigmoid_slope";
    static constexpr OpDoc doc{"sigmoid_slope(x)", broadcast_shape, "e⁻ˣ / (1 + e⁻ˣ)²", "-ct y tanh(x / 2)"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    static constexpr Accuracy accuracy{.ulps = 4, .least_normals = 2};
    template <class Batch>
    static auto f(const Batch& x) {
        const Batch small = xsimd::exp(-xsimd::abs(x)), sum = Batch(1) + small;
        return small / (sum * sum);
    }
    static auto df(const auto& x, const auto& y) { return -y * tanh(0.5 * x); }
    static long double exact(long double x) {
        const long double small = std::exp(-std::abs(x));
        return small / ((1 + small) * (1 + small));
    }
};
auto sigmoid_slope(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<SigmoidSlope>(x, where);
}

/// 1 / (1 + e^-x).
struct Sigmoid {
    static constexpr std::string_view name = "sigmoid";
    static constexpr OpDoc doc{"sigmoid(x)", broadcast_shape, "1 / (1 + e⁻ˣ)", "ct y (1 - y)"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    template <class Batch>
    static auto f(const Batch& x) {
        const Batch small = xsimd::exp(-xsimd::abs(x)), sum = Batch(1) + small;
        return xsimd::select(x < Batch(0), small, Batch(1)) / sum;
    }
    static auto df(const auto& x, const auto&) { return sigmoid_slope(x); }  // y (1 - y) has no digits near 1
    static long double exact(long double x) { return 1 / (1 + std::exp(-x)); }
};
auto sigmoid(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Sigmoid>(x, where);
}

/// max(x, 0). Derivative at 0: 0.
struct Relu {
    static constexpr std::string_view name = "relu";
    static constexpr OpDoc doc{"relu(x)", broadcast_shape, "max(x, 0)", "ct where x > 0, else 0"};
    static constexpr Range domain{0.1, 3};
    static constexpr std::array extremes{-100.0, -0.5, 100.0};
    static constexpr Accuracy accuracy{.ulps = 0};
    template <class Batch>
    static auto f(const Batch& x) {
        return xsimd::select(x <= Batch(0), Batch(0), x);
    }
    static auto df(const auto& x, const auto&) { return where(x > 0.0, 1.0, 0.0); }
    static long double exact(long double x) { return std::isnan(x) || x > 0 ? x : 0; }
};
auto relu(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Relu>(x, where);
}

/// ln(1 + e^x), without overflow.
struct Softplus {
    static constexpr std::string_view name = "softplus";
    static constexpr OpDoc doc{"softplus(x)", broadcast_shape, "ln(1 + eˣ)", "ct / (1 + e⁻ˣ)"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    template <class Batch>
    static auto f(const Batch& x) {
        return xsimd::max(x, Batch(0)) + xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
    }
    static auto df(const auto& x, const auto&) { return sigmoid(x); }
    static long double exact(long double x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }
};
auto softplus(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Softplus>(x, where);
}

/// x / (1 + e^-x), also called swish (Elfwing et al. 2017).
struct Silu {
    static constexpr std::string_view name = "silu";
    static constexpr OpDoc doc{"silu(x)", broadcast_shape, "x / (1 + e⁻ˣ)", "ct s (1 + x (1 - s)), s = 1 / (1 + e⁻ˣ)"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-80.0, 0.0, 100.0};
    static constexpr Accuracy accuracy{
        .ulps = 4, .least_normals = 1000, .slope_least_normals = 1000, .slope_root = {-1.6, -1}};
    static auto formula(const auto& x) { return x * sigmoid(x); }
    static long double exact(long double x) { return x / (1 + std::exp(-x)); }
};
auto silu(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Silu>(x, where);
}

/// x times the share of the standard normal distribution below x (Hendrycks and Gimpel 2016).
struct Gelu {
    static constexpr std::string_view name = "gelu";
    static constexpr OpDoc doc{"gelu(x)", broadcast_shape, "x Φ(x)", "ct (Φ(x) + x φ(x))"};
    static constexpr Range domain{-3, 3};
    static constexpr std::array extremes{-30.0, 0.0, 30.0};
    /// Further left the rounding of erfc's operand t costs t² units.
    static constexpr Accuracy accuracy{
        .ulps = 16, .between = {-3, Accuracy::everywhere.high}, .slope_root = {-0.9, -0.6}};
    static auto formula(const auto& x) { return 0.5 * x * erfc(x * -0.70710678118654752); }
    static long double exact(long double x) { return 0.5L * x * std::erfc(-x / std::sqrt(2.0L)); }
};
auto gelu(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Gelu>(x, where);
}

/// gelu() approximated by a tanh, as PyTorch's gelu(x, approximate='tanh').
struct GeluTanh {
    static constexpr std::string_view name = "gelu_tanh";
    static constexpr OpDoc doc{"gelu_tanh(x)", broadcast_shape, "x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2",
                               "of the formula"};
    static constexpr Range domain{-3, 3};
    static constexpr std::array extremes{-30.0, 0.0, 30.0};
    static constexpr Accuracy accuracy{
        .ulps = 16, .least_normals = 1000, .between = {-3, Accuracy::everywhere.high}, .slope_root = {-0.9, -0.6}};
    static auto formula(const auto& x) {
        const auto square = x * x;
        const auto bounded = where(square < 1e4, square, 1e4);  // the sigmoid is 0 or 1 long before
        return x * sigmoid(x * (1.5957691216057308 + 0.0713548162726009 * bounded));
    }
    static long double exact(long double x) {
        return x / (1 + std::exp(-x * (1.5957691216057308L + 0.0713548162726009L * x * x)));
    }
};
auto gelu_tanh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<GeluTanh>(x, where);
}

/// ln(1 / (1 + e^-x)), without overflow.
struct LogSigmoid {
    static constexpr std::string_view name = "logsigmoid";
    static constexpr OpDoc doc{"logsigmoid(x)", broadcast_shape, "-ln(1 + e⁻ˣ)", "ct / (1 + eˣ)"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-100.0, 0.0, 100.0};
    template <class Batch>
    static auto f(const Batch& x) {
        return xsimd::min(x, Batch(0)) - xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
    }
    static auto df(const auto& x, const auto&) { return sigmoid(-x); }
    static long double exact(long double x) { return std::min(x, 0.0L) - std::log1p(std::exp(-std::abs(x))); }
};
auto logsigmoid(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<LogSigmoid>(x, where);
}

/// x where it is above 0, else slope x. Derivative at 0: the slope.
struct LeakyRelu {
    static constexpr std::string_view name = "leaky_relu";
    static constexpr OpDoc doc{"leaky_relu(x, slope = 0.01)", broadcast_shape, "x where x > 0, else slope x",
                               "ct where x > 0, else ct slope; 0 where x > 0, else ct x"};
    static constexpr bool second_is_parameter = true;
    static constexpr Range domain{-3, -0.2}, domain_y{0.01, 0.5};
    static constexpr Accuracy accuracy{.ulps = 1};
    static auto formula(const auto& x, const auto& slope) { return where(x > 0.0, x, slope * x); }
    static long double exact(long double x, long double slope) { return x > 0 ? x : slope * x; }
};
template <class X, class Slope = double>
requires Operands<X, Slope>
auto leaky_relu(const X& x, const Slope& slope = 0.01, const SourceLine& where = std::source_location::current()) {
    return call<LeakyRelu>(x, slope, where);
}

/// leaky_relu() with a slope that is learned (He et al. 2015); for one a channel, of [B, C, ..], it is [C, 1, ..].
struct Prelu : LeakyRelu {
    static constexpr std::string_view name = "prelu";
    static constexpr OpDoc doc{"prelu(x, slope)", broadcast_shape, "x where x > 0, else slope x",
                               "ct where x > 0, else ct slope; 0 where x > 0, else ct x"};
};
template <class X, class Slope>
requires Operands<X, Slope>
auto prelu(const X& x, const Slope& slope, const SourceLine& where = std::source_location::current()) {
    return call<Prelu>(x, slope, where);
}

/// x where it is above 0, else alpha (e^x - 1) (Clevert et al. 2016).
struct Elu {
    static constexpr std::string_view name = "elu";
    static constexpr OpDoc doc{"elu(x, alpha = 1)", broadcast_shape, "x where x > 0, else alpha (eˣ - 1)",
                               "ct where x > 0, else ct alpha eˣ; 0 where x > 0, else ct (eˣ - 1)"};
    static constexpr bool second_is_parameter = true;
    static constexpr Range domain{-3, -0.2}, domain_y{0.5, 2};
    static constexpr Accuracy accuracy{.ulps = 4, .slope_least_normals = 100, .between_y = {1e-2, 1e2}};
    static auto formula(const auto& x, const auto& alpha) {
        return where(x > 0.0, x, alpha * expm1(where(x > 0.0, 0.0, x)));
    }
    static long double exact(long double x, long double alpha) { return x > 0 ? x : alpha * std::expm1(x); }
};
template <class X, class Alpha = double>
requires Operands<X, Alpha>
auto elu(const X& x, const Alpha& alpha = 1.0, const SourceLine& where = std::source_location::current()) {
    return call<Elu>(x, alpha, where);
}

/// x where it is above 0, else alpha (e^(x / alpha) - 1): smooth for every alpha above 0 (Barron 2017).
struct Celu {
    static constexpr std::string_view name = "celu";
    static constexpr OpDoc doc{"celu(x, alpha = 1)", broadcast_shape, "x where x > 0, else alpha (e^(x/alpha) - 1)",
                               "of the formula"};
    static constexpr bool second_is_parameter = true;
    static constexpr Range domain{-3, -0.2}, domain_y{0.5, 2};
    static constexpr Accuracy accuracy{.ulps = 8,
                                       .least_normals = 4,
                                       .slope_ulps = 1000,
                                       .slope_least_normals = 100,
                                       .between_y = {1e-2, 1e2},
                                       .slope_root = {-1, 0}};
    static auto formula(const auto& x, const auto& alpha) {
        // Below, e^(x / alpha) is 0, and so are its slopes, which would be 0 times infinity.
        const auto bounded = maximum(where(x > 0.0, 0.0, x), -1e4 * abs(alpha));
        return where(x > 0.0, x, alpha * expm1(bounded / alpha));
    }
    static long double exact(long double x, long double alpha) { return x > 0 ? x : alpha * std::expm1(x / alpha); }
};
template <class X, class Alpha = double>
requires Operands<X, Alpha>
auto celu(const X& x, const Alpha& alpha = 1.0, const SourceLine& where = std::source_location::current()) {
    return call<Celu>(x, alpha, where);
}

/// elu() with the two constants that keep mean 0 and deviation 1 from layer to layer (Klambauer et al. 2017).
struct Selu {
    static constexpr std::string_view name = "selu";
    static constexpr OpDoc doc{"selu(x)", broadcast_shape, "1.0507 x where x > 0, else 1.7581 (eˣ - 1)",
                               "1.0507 ct where x > 0, else 1.7581 ct eˣ"};
    static constexpr Range domain{0.2, 3};
    static constexpr std::array extremes{-80.0, -0.5, 100.0};
    static constexpr Accuracy accuracy{.ulps = 4, .slope_least_normals = 2};
    static constexpr double scale = 1.0507009873554804934, scaled_alpha = 1.7580993408473768599;
    static auto formula(const auto& x) {
        return where(x > 0.0, scale * x, scaled_alpha * expm1(where(x > 0.0, 0.0, x)));
    }
    static long double exact(long double x) { return x > 0 ? scale * x : scaled_alpha * std::expm1(x); }
};
auto selu(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Selu>(x, where);
}

/// x tanh(softplus(x)) (Misra 2020). NaN for minus infinity.
struct Mish {
    static constexpr std::string_view name = "mish";
    static constexpr OpDoc doc{"mish(x)", broadcast_shape, "x tanh(ln(1 + eˣ))", "of the formula"};
    static constexpr Range domain{-4, 4};
    static constexpr std::array extremes{-80.0, 0.0, 100.0};
    static constexpr Accuracy accuracy{
        .ulps = 8, .least_normals = 1000, .slope_least_normals = 1000, .slope_root = {-1.6, -0.9}};
    static auto formula(const auto& x) { return x * tanh(softplus(x)); }
    static long double exact(long double x) {
        return x * std::tanh(std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))));
    }
};
auto mish(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<Mish>(x, where);
}

/// x, but -1 below and 1 above, or other ends; clamp() has tensors as ends. Derivative at the ends: 0.
struct HardTanh {
    static constexpr std::string_view name = "hardtanh";
    static constexpr OpDoc doc{"hardtanh(x), hardtanh(x, low, high)", broadcast_shape,
                               "min(max(x, low), high), low = -1, high = 1", "ct where low < x < high, else 0"};
    static constexpr Range domain{-0.9, 0.9};
    static constexpr std::array extremes{-80.0, 0.5, 100.0};
    static constexpr Accuracy accuracy{.ulps = 0};
    static auto formula(const auto& x) { return where(x >= 1.0, 1.0, where(x <= -1.0, -1.0, x)); }
    static long double exact(long double x) { return x >= 1 ? 1 : x <= -1 ? -1 : x; }
};
auto hardtanh(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<HardTanh>(x, where);
}
/// The same between `low` and `high`, for tensors. Throws ValueError unless low < high.
Tensor hardtanh(const Input& x, double low, double high);
template <Reading X>
auto hardtanh(const X& x, double low, double high) {
    return where(x >= high, high, where(x <= low, low, x));
}

/// (x + 3) / 6, but 0 below -3 and 1 above 3. Derivative at the ends: 0.
struct HardSigmoid {
    static constexpr std::string_view name = "hardsigmoid";
    static constexpr OpDoc doc{"hardsigmoid(x)", broadcast_shape, "min(max((x + 3) / 6, 0), 1)",
                               "ct / 6 where -3 < x < 3, else 0"};
    static constexpr Range domain{-2.9, 2.9};
    static constexpr std::array extremes{-80.0, 0.5, 100.0};
    static constexpr Accuracy accuracy{.ulps = 2};
    static auto formula(const auto& x) { return where(x >= 3.0, 1.0, where(x <= -3.0, 0.0, (x + 3.0) / 6.0)); }
    static long double exact(long double x) { return x >= 3 ? 1 : x <= -3 ? 0 : (x + 3) / 6; }
};
auto hardsigmoid(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<HardSigmoid>(x, where);
}

/// x hardsigmoid(x) (Howard et al. 2019). Derivative at -3: 0, at 3: 1.
struct HardSwish {
    static constexpr std::string_view name = "hardswish";
    static constexpr OpDoc doc{"hardswish(x)", broadcast_shape, "x min(max((x + 3) / 6, 0), 1)",
                               "ct (2x + 3) / 6 where -3 < x < 3, else ct or 0"};
    static constexpr Range domain{-2.9, 2.9};
    static constexpr std::array extremes{-80.0, 0.5, 100.0};
    static constexpr Accuracy accuracy{.ulps = 3};
    template <class Batch>
    static auto f(const Batch& x) {
        const Batch between = x * ((x + Batch(3)) / Batch(6));
        return xsimd::select(x >= Batch(3), x, xsimd::select(x <= Batch(-3), Batch(0), between));
    }
    /// (x + 1.5) / 3 has all its digits near its root, which the derivative of a formula would not have.
    static auto df(const auto& x, const auto&) { return where(x >= 3.0, 1.0, where(x <= -3.0, 0.0, (x + 1.5) / 3.0)); }
    static long double exact(long double x) { return x >= 3 ? x : x <= -3 ? 0 : x * ((x + 3) / 6); }
};
auto hardswish(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<HardSwish>(x, where);
}

/// x / (1 + |x|). NaN for an infinite x.
struct SoftSign {
    static constexpr std::string_view name = "softsign";
    static constexpr OpDoc doc{"softsign(x)", broadcast_shape, "x / (1 + abs x)", "ct / (1 + abs x)²"};
    static constexpr Range domain{0.2, 3};
    static constexpr std::array extremes{-80.0, -0.5, 100.0};
    template <class Batch>
    static auto f(const Batch& x) {
        return x / (Batch(1) + xsimd::abs(x));
    }
    static auto df(const auto& x, const auto&) {
        const auto inverse = 1.0 / (1.0 + abs(x));
        return inverse * inverse;
    }
    static long double exact(long double x) { return x / (1 + std::abs(x)); }
};
auto softsign(const Operand auto& x, const SourceLine& where = std::source_location::current()) {
    return call<SoftSign>(x, where);
}

// clang-format off
using ActivationFunctions = OpList<
    SigmoidSlope,
    Sigmoid,
    Relu,
    Softplus,
    Silu,
    Gelu,
    GeluTanh,
    LogSigmoid,
    LeakyRelu,
    Prelu,
    Elu,
    Celu,
    Selu,
    Mish,
    HardTanh,
    HardSigmoid,
    HardSwish,
    SoftSign>;
// clang-format on

extern const FormulaTable<ActivationFunctions> activation_formulas;
template <class P>
requires is_in<P, ActivationFunctions>
inline constexpr auto& table_of<P> = activation_formulas;

}  // namespace wengert
