#pragma once

#include <array>
#include <type_traits>
#include <utility>
#include <wengert/ops/elementwise/internal/lanes.hpp>

namespace wengert {

/// The second reading of an elementwise formula: a value of type V (Lanes, or Term) with its partial derivatives by N
/// operands. `present` tells which partials are not zero: a constant after inlining, so that the compiler drops the
/// arithmetic of those that are, which it may not do for a floating-point zero.
template <class V, int N>
struct Dual {
    V value;
    std::array<V, N> partials{};
    unsigned present = 0;

    Dual() = default;
    Dual(const V& v) : value(v) {}
    Dual(double number) : value(number) {}

    /// The operand with index i: its derivative by itself is one.
    template <int i>
    static Dual operand(const V& v) {
        Dual x(v);
        x.partials[i] = V(1.0);
        x.present = 1u << i;
        return x;
    }
};

/// Calls f with each index below N as a compile-time constant.
template <int N, class F>
[[gnu::always_inline]] inline void unrolled(F&& f) {
    [&]<int... i>(std::integer_sequence<int, i...>) { (f(std::integral_constant<int, i>{}), ...); }
    (std::make_integer_sequence<int, N>{});
}

template <class V, int N>
struct Mask<Dual<V, N>> {
    Mask<V> m;
};

template <class V, int N>
[[gnu::always_inline]] inline Dual<V, N> where(const Mask<Dual<V, N>>& mask,
                                               const std::type_identity_t<Dual<V, N>>& yes,
                                               const std::type_identity_t<Dual<V, N>>& no) {
    Dual<V, N> result(where(mask.m, yes.value, no.value));
    result.present = yes.present | no.present;
    unrolled<N>([&](auto i) {
        if (result.present >> i & 1) {
            const V zero(0.0);
            result.partials[i] = where(mask.m, yes.present >> i & 1 ? yes.partials[i] : zero,
                                       no.present >> i & 1 ? no.partials[i] : zero);
        }
    });
    return result;
}

}  // namespace wengert
