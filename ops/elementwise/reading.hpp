#pragma once

#include <concepts>
#include <wengert/ops/elementwise/calculus.hpp>
#include <wengert/ops/elementwise/internal/dual.hpp>
#include <wengert/ops/elementwise/internal/lanes.hpp>

/// The functions that an elementwise formula may use, for each of its readings: Lanes, Dual and Term. Every one is an
/// entry of calculus.hpp; evaluate() says what an entry means to a reading.
namespace wengert {

template <class V>
inline constexpr bool is_reading = false;
template <class T>
inline constexpr bool is_reading<Lanes<T>> = true;
template <class V, int N>
inline constexpr bool is_reading<Dual<V, N>> = true;

template <class V>
concept Reading = is_reading<V>;

template <class P, class T>
[[gnu::always_inline]] inline Lanes<T> evaluate(const Lanes<T>& x) {
    return P::f(x.v);
}
template <class P, class T>
[[gnu::always_inline]] inline Lanes<T> evaluate(const Lanes<T>& x, const Lanes<T>& y) {
    return P::f(x.v, y.v);
}
template <class P, class T>
[[gnu::always_inline]] inline Mask<Lanes<T>> compare(const Lanes<T>& x, const Lanes<T>& y) {
    return {P::f(x.v, y.v)};
}

/// The chain rule for one operand.
template <class P, class V, int N>
[[gnu::always_inline]] inline Dual<V, N> evaluate(const Dual<V, N>& x) {
    Dual<V, N> y(evaluate<P>(x.value));
    y.present = x.present;
    const V slope(P::df(x.value, y.value));
    unrolled<N>([&](auto i) {
        if (x.present >> i & 1) y.partials[i] = slope * x.partials[i];
    });
    return y;
}

/// The chain rule for two operands.
template <class P, class V, int N>
[[gnu::always_inline]] inline Dual<V, N> evaluate(const Dual<V, N>& x, const Dual<V, N>& y) {
    Dual<V, N> z(evaluate<P>(x.value, y.value));
    z.present = x.present | y.present;
    if (x.present != 0) {
        const V slope(P::dfx(x.value, y.value, z.value));
        unrolled<N>([&](auto i) {
            if (x.present >> i & 1) z.partials[i] = slope * x.partials[i];
        });
    }
    if (y.present != 0) {
        const V slope(P::dfy(x.value, y.value, z.value));
        unrolled<N>([&](auto i) {
            if (!(y.present >> i & 1)) return;
            const V part = slope * y.partials[i];
            z.partials[i] = x.present >> i & 1 ? z.partials[i] + part : part;
        });
    }
    return z;
}
template <class P, class V, int N>
[[gnu::always_inline]] inline Mask<Dual<V, N>> compare(const Dual<V, N>& x, const Dual<V, N>& y) {
    return {compare<P>(x.value, y.value)};
}

// clang-format off
template <Reading V> V operator-(const V& x) { return evaluate<calculus::Neg>(x); }
template <Reading V> V exp(const V& x) { return evaluate<calculus::Exp>(x); }
template <Reading V> V log(const V& x) { return evaluate<calculus::Log>(x); }
template <Reading V> V log1p(const V& x) { return evaluate<calculus::Log1p>(x); }
template <Reading V> V expm1(const V& x) { return evaluate<calculus::Expm1>(x); }
template <Reading V> V sqrt(const V& x) { return evaluate<calculus::Sqrt>(x); }
template <Reading V> V sin(const V& x) { return evaluate<calculus::Sin>(x); }
template <Reading V> V cos(const V& x) { return evaluate<calculus::Cos>(x); }
template <Reading V> V tanh(const V& x) { return evaluate<calculus::Tanh>(x); }
template <Reading V> V sigmoid(const V& x) { return evaluate<calculus::Sigmoid>(x); }
template <Reading V> V relu(const V& x) { return evaluate<calculus::Relu>(x); }
template <Reading V> V softplus(const V& x) { return evaluate<calculus::Softplus>(x); }
template <Reading V> V erf(const V& x) { return evaluate<calculus::Erf>(x); }
template <Reading V> V abs(const V& x) { return evaluate<calculus::Abs>(x); }

template <Reading V> V operator+(const V& x, const V& y) { return evaluate<calculus::Add>(x, y); }
template <Reading V> V operator+(const V& x, double y) { return x + V(y); }
template <Reading V> V operator+(double x, const V& y) { return V(x) + y; }
template <Reading V> V operator-(const V& x, const V& y) { return evaluate<calculus::Sub>(x, y); }
template <Reading V> V operator-(const V& x, double y) { return x - V(y); }
template <Reading V> V operator-(double x, const V& y) { return V(x) - y; }
template <Reading V> V operator*(const V& x, const V& y) { return evaluate<calculus::Mul>(x, y); }
template <Reading V> V operator*(const V& x, double y) { return x * V(y); }
template <Reading V> V operator*(double x, const V& y) { return V(x) * y; }
template <Reading V> V operator/(const V& x, const V& y) { return evaluate<calculus::Div>(x, y); }
template <Reading V> V operator/(const V& x, double y) { return x / V(y); }
template <Reading V> V operator/(double x, const V& y) { return V(x) / y; }
template <Reading V> V pow(const V& x, const V& y) { return evaluate<calculus::Pow>(x, y); }
template <Reading V> V pow(const V& x, double y) { return pow(x, V(y)); }
template <Reading V> V pow(double x, const V& y) { return pow(V(x), y); }
template <Reading V> V minimum(const V& x, const V& y) { return evaluate<calculus::Minimum>(x, y); }
template <Reading V> V minimum(const V& x, double y) { return minimum(x, V(y)); }
template <Reading V> V minimum(double x, const V& y) { return minimum(V(x), y); }
template <Reading V> V maximum(const V& x, const V& y) { return evaluate<calculus::Maximum>(x, y); }
template <Reading V> V maximum(const V& x, double y) { return maximum(x, V(y)); }
template <Reading V> V maximum(double x, const V& y) { return maximum(V(x), y); }

template <Reading V> Mask<V> operator>(const V& x, const V& y) { return compare<calculus::Greater>(x, y); }
template <Reading V> Mask<V> operator>(const V& x, double y) { return x > V(y); }
template <Reading V> Mask<V> operator>=(const V& x, const V& y) { return compare<calculus::GreaterEqual>(x, y); }
template <Reading V> Mask<V> operator>=(const V& x, double y) { return x >= V(y); }
template <Reading V> Mask<V> operator<(const V& x, const V& y) { return compare<calculus::Less>(x, y); }
template <Reading V> Mask<V> operator<(const V& x, double y) { return x < V(y); }
template <Reading V> Mask<V> operator<=(const V& x, const V& y) { return compare<calculus::LessEqual>(x, y); }
template <Reading V> Mask<V> operator<=(const V& x, double y) { return x <= V(y); }
template <Reading V> Mask<V> operator==(const V& x, const V& y) { return compare<calculus::Equal>(x, y); }
template <Reading V> Mask<V> operator==(const V& x, double y) { return x == V(y); }
template <Reading V> Mask<V> operator!=(const V& x, const V& y) { return compare<calculus::NotEqual>(x, y); }
template <Reading V> Mask<V> operator!=(const V& x, double y) { return x != V(y); }
// clang-format on

}  // namespace wengert
