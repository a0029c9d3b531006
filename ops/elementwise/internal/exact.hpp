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

/// The same with its derivatives by two operands, by the chain rule: what the derivatives of formulas are compared
/// with.
struct ExactDual {
    long double value;
    std::array<long double, 2> partials{};
    ExactDual(double v) : value(v) {}
    ExactDual(long double v, const std::array<long double, 2>& p) : value(v), partials(p) {}
};

template <>
inline constexpr bool is_reading<ExactDual> = true;
template <>
struct Mask<ExactDual> {
    bool m;
};

/// A slope times what an operand depends on; what it does not depend on stays 0 where the slope is infinite.
inline long double chained(const Exact& slope, long double partial) { return partial == 0 ? 0 : slope.value * partial; }

template <class P>
ExactDual evaluate(const ExactDual& x) {
    const Exact a(x.value), y(P::exact(x.value)), slope(P::df(a, y));
    return {y.value, {chained(slope, x.partials[0]), chained(slope, x.partials[1])}};
}
template <class P>
ExactDual evaluate(const ExactDual& x, const ExactDual& y) {
    const Exact a(x.value), b(y.value), z(P::exact(x.value, y.value)), by_x(P::dfx(a, b, z)), by_y(P::dfy(a, b, z));
    const auto partial = [&](std::size_t i) { return chained(by_x, x.partials[i]) + chained(by_y, y.partials[i]); };
    return {z.value, {partial(0), partial(1)}};
}
template <class P>
Mask<ExactDual> compare(const ExactDual& x, const ExactDual& y) {
    return {P::f(x.value, y.value)};
}
inline ExactDual where(const Mask<ExactDual>& mask, const ExactDual& yes, const ExactDual& no) {
    return mask.m ? yes : no;
}

/// P's derivatives by its operands.
template <class P>
std::array<long double, 2> exact_slopes(long double x, long double y) {
    if constexpr (HasFormula<P>) {
        const ExactDual a(x, {1, 0}), b(y, {0, 1});
        if constexpr (requires { P::domain_y; })
            return P::formula(a, b).partials;
        else
            return P::formula(a).partials;
    } else {
        const Exact a(x), b(y);
        if constexpr (requires { P::domain_y; }) {
            const Exact value(P::exact(x, y));
            return {Exact(P::dfx(a, b, value)).value, Exact(P::dfy(a, b, value)).value};
        } else {
            return {Exact(P::df(a, Exact(P::exact(x)))).value, 0};
        }
    }
}

}  // namespace wengert
