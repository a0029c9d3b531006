#pragma once

#include <cmath>
#include <wengert/ops/elementwise/elementwise.hpp>

/// A reading of a formula in long double, for tests: values are those that functions state as exact, so that derivative
/// rules can be followed to the ends of float32's range without rounding as float32 does.
namespace wengert {

struct Exact {
    long double value;
    Exact(long double v) : value(v) {}
    Exact(double v) : value(v) {}
};

template <>
inline constexpr bool is_reading<Exact> = true;
template <>
struct Mask<Exact> {
    bool m;
};

template <class P, std::same_as<Exact>... X>
Exact evaluate(const X&... x) {
    return P::exact(x.value...);
}
template <class P>
Mask<Exact> compare(const Exact& x, const Exact& y) {
    return {P::f(x.value, y.value)};
}
inline Exact where(const Mask<Exact>& mask, const Exact& yes, const Exact& no) { return mask.m ? yes : no; }

/// P's derivatives by its operands.
template <class P>
std::array<long double, 2> exact_slopes(long double x, long double y) {
    const Exact a(x), b(y);
    if constexpr (requires { P::domain_y; }) {
        const Exact value(P::exact(x, y));
        return {Exact(P::dfx(a, b, value)).value, Exact(P::dfy(a, b, value)).value};
    } else {
        return {Exact(P::df(a, Exact(P::exact(x)))).value, 0};
    }
}

}  // namespace wengert
