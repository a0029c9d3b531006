#pragma once

#include <cmath>
#include <wengert/ops/elementwise/reading.hpp>

/// Activation functions of neural networks.
namespace wengert {

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
    static constexpr Accuracy accuracy{.ulps = 4, .least_normals = 1000};
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
    static constexpr Accuracy accuracy{.ulps = 16, .between = {-3, 1e300}};
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
    static constexpr Accuracy accuracy{.ulps = 16, .least_normals = 1000, .between = {-3, 1e300}};
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

// clang-format off
using ActivationFunctions = OpList<
    SigmoidSlope,
    Sigmoid,
    Relu,
    Softplus,
    Silu,
    Gelu,
    GeluTanh>;
// clang-format on

extern const FormulaTable<ActivationFunctions> activation_formulas;
template <class P>
requires is_in<P, ActivationFunctions>
inline constexpr auto& table_of<P> = activation_formulas;

}  // namespace wengert
