#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <wengert/ops/elementwise/internal/lanes.hpp>

namespace WENGERT_EXPORT wengert {

/// A set of a formula's operands: bit i stands for operand i.
using OperandSet = std::uint32_t;
constexpr bool contains(OperandSet set, int i) { return (set >> i & 1) != 0; }

/// The second reading of an elementwise formula: a value of type V (Lanes) with its partial derivatives by the operands
/// that it depends on. Which these are is part of the type, so that a derivative that is zero takes neither time nor
/// memory. A value that depends on no operand is a V.
///
/// Types differ along a formula, as the sets do. Where one variable takes several values, its type must know all
/// operands: std::common_type_t<X, Y> is the type of values that depend on what an X and a Y depend on.
template <class V, OperandSet set>
struct Dual {
    static_assert(set != 0);
    static constexpr int count = std::popcount(set);

    V value;
    std::array<V, count> partials;  ///< by the operands of the set, in their order

    Dual() = default;
    [[gnu::always_inline]] Dual(const V& v, const std::array<V, count>& p) : value(v), partials(p) {}
    /// A constant: all partials are zero.
    [[gnu::always_inline]] Dual(const V& v) : value(v) { partials.fill(V(0.0)); }
    [[gnu::always_inline]] Dual(double number) : Dual(V(number)) {}
    /// The same value as one that might depend on more operands.
    template <OperandSet part>
    requires((part & ~set) == 0 && part != set) [[gnu::always_inline]] Dual(const Dual<V, part>& x) : Dual(x.value) {
        copy_partials(x, std::make_integer_sequence<int, 32>{});
    }

    /// Whether the value depends on operand i.
    static constexpr bool has(int i) { return contains(set, i); }
    template <int i>
    static constexpr int position = std::popcount(set&((OperandSet{1} << i) - 1));
    template <int i>
    [[gnu::always_inline]] const V& partial() const {
        return partials[position<i>];
    }

    /// The type of a variable does not grow: only what depends on no more operands than it can be assigned.
    template <OperandSet other>
    requires((other & ~set) != 0) [[gnu::always_inline]] Dual& operator=(const Dual<V, other>&) {
        static_assert(other == 0,
                      "the new value depends on operands that the variable's type does not have: declare the variable "
                      "as std::common_type_t of all that it will depend on, or use fold()");
        return *this;
    }

  private:
    template <OperandSet part, int... i>
    [[gnu::always_inline]] void copy_partials(const Dual<V, part>& x, std::integer_sequence<int, i...>) {
        const auto copy = [&]<int k>(std::integral_constant<int, k>) {
            if constexpr (Dual<V, part>::has(k)) partials[position<k>] = x.template partial<k>();
        };
        (copy(std::integral_constant<int, i>{}), ...);
    }
};

/// Operand i of a formula: its derivative by itself is one.
template <int i, class V>
[[gnu::always_inline]] inline Dual<V, OperandSet{1} << i> dual_operand(const V& v) {
    return {v, {V(1.0)}};
}

/// What a value depends on; nothing, unless it is a Dual.
template <class X>
inline constexpr OperandSet operand_set = 0;
template <class V, OperandSet set>
inline constexpr OperandSet operand_set<Dual<V, set>> = set;

/// The operands of a set, as a pack of their numbers.
template <OperandSet set, int... found>
consteval auto operands_in(std::integer_sequence<int, found...> = {}) {
    if constexpr (set == 0)
        return std::integer_sequence<int, found...>{};
    else
        return operands_in<(set & (set - 1))>(std::integer_sequence<int, found..., std::countr_zero(set)>{});
}

template <class V>
[[gnu::always_inline]] inline const V& value_of(const V& x) {
    return x;
}
template <class V, OperandSet set>
[[gnu::always_inline]] inline const V& value_of(const Dual<V, set>& x) {
    return x.value;
}

/// The derivative of a value that depends on operand i. A function, so that where x depends on nothing a branch that is
/// never taken need not be a member's.
template <int i, class V, OperandSet set>
[[gnu::always_inline]] inline const V& partial_of(const Dual<V, set>& x) {
    return x.template partial<i>();
}

/// A choice: each element's derivatives are those of the value that is taken.
template <class T, class Yes, class No>
requires((operand_set<Yes> | operand_set<No>) != 0)
    [[gnu::always_inline]] inline auto where(const Mask<Lanes<T>>& mask, const Yes& yes, const No& no) {
    using V = Lanes<T>;
    constexpr OperandSet set = operand_set<Yes> | operand_set<No>;
    const auto partial = [&]<int i>(std::integral_constant<int, i>) -> V {
        constexpr bool in_yes = contains(operand_set<Yes>, i), in_no = contains(operand_set<No>, i);
        if constexpr (in_yes && in_no)
            return where(mask, partial_of<i>(yes), partial_of<i>(no));
        else if constexpr (in_yes)
            return where(mask, partial_of<i>(yes), V(0.0));
        else
            return where(mask, V(0.0), partial_of<i>(no));
    };
    const auto choose = [&]<int... i>(std::integer_sequence<int, i...>) {
        return Dual<V, set>(where(mask, V(value_of(yes)), V(value_of(no))),
                            {partial(std::integral_constant<int, i>{})...});
    };
    return choose(operands_in<set>());
}

}  // namespace wengert

template <class V, wengert::OperandSet a, wengert::OperandSet b>
struct std::common_type<wengert::Dual<V, a>, wengert::Dual<V, b>> {
    using type = wengert::Dual<V, (a | b)>;
};
