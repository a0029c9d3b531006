#pragma once

#include <array>
#include <limits>
#include <string_view>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/elementwise/internal/batch_math.hpp>
#include <wengert/ops/elementwise/internal/dual.hpp>
#include <wengert/ops/elementwise/internal/lanes.hpp>
#include <wengert/ops/elementwise/internal/term.hpp>

/// What a scalar function means to each reading of a formula.
///
/// A function is a type, one block of a family file:
///
///     struct Tanh {
///         static constexpr std::string_view name = "tanh";
///         static constexpr OpDoc doc{...};                        // its row in the op reference
///         static constexpr Range domain{-2, 2};                   // where the gradient check samples it: no kinks
///         static constexpr std::array extremes{-100.0, 100.0};    // single points, far from the domain
///         static constexpr Accuracy accuracy{.ulps = 2};          // of the value test
///         static auto f(const auto& x);                           // the value: takes xsimd batches
///         static auto df(const auto& x, const auto& y);           // dy/dx: takes any reading of x and of the value
///         static long double exact(long double x);                // what the value test compares with
///     };
///
/// Two operands have `domain_y`, and dfx and dfy of (x, y, value); `second_is_parameter` says that some values of x
/// leave y without effect. A function that is a formula of others has `formula` in place of f and df: its derivative
/// follows. `linear` says that the derivatives are constants. A comparison has `compares` and f alone, which takes
/// single elements of any dtype too.
namespace WENGERT_EXPORT wengert {

struct Range {
    double low, high;
};

/// How exact a function is, in units of the last place of its value and of its derivative, and between which first and
/// second operands: beyond, few digits or none may be right. Below so many times the least normal number they may be
/// zero. For first operands in slope_root, between which the derivative passes 0, its units are those of the number 1.
/// A test holds each function to this; docs/accuracy.md has what was measured.
struct Accuracy {
    static constexpr Range everywhere{-std::numeric_limits<double>::infinity(),
                                      std::numeric_limits<double>::infinity()};
    double ulps = 3, least_normals = 1;
    double slope_ulps = 16, slope_least_normals = 1;
    Range between = everywhere, between_y = everywhere;
    Range slope_root{0, 0};
};

/// How the shapes of elementwise ops are described.
inline constexpr std::string_view broadcast_shape = "operands broadcast";

template <class X>
inline constexpr bool is_reading = false;
template <class T>
inline constexpr bool is_reading<Lanes<T>> = true;
template <class V, OperandSet set>
inline constexpr bool is_reading<Dual<V, set>> = true;
template <>
inline constexpr bool is_reading<Term> = true;
template <>
inline constexpr bool is_reading<TermDual> = true;

/// What a formula's variables are, one type for each kernel.
template <class X>
concept Reading = is_reading<X>;

/// What a function takes that is called outside of a formula.
template <class X>
concept TensorOperand = std::same_as<X, Tensor> || std::same_as<X, Input> || ConvertsToTensor<X>;

/// What a function of one operand takes: a reading, or a tensor.
template <class X>
concept Operand = Reading<X> || TensorOperand<X>;

/// What may stand beside a tensor or a reading.
template <class X>
concept Number = std::is_arithmetic_v<X>;

/// What a function of two operands takes: one of them may be a number.
template <class X, class Y>
concept Operands = (Operand<X> && (Operand<Y> || Number<Y>)) || (Number<X> && Operand<Y>);

/// The same for operators, whose tensors come as Input to bring the caller's line.
template <class X, class Y>
concept Readings = Operands<X, Y> &&(Reading<X> || Reading<Y>);

/// The formulas of a family's functions, compiled in the family's .cpp file.
template <class List>
struct FormulaTable;
template <class... P>
struct FormulaTable<OpList<P...>> {
    std::array<const Formula*, sizeof...(P)> entries;

    template <class Function>
    const Formula& of() const {
        constexpr std::size_t position = [] {
            std::size_t before = 0;
            static_cast<void>(((__is_same(P, Function) || (++before, false)) || ...));
            return before;
        }();
        return *entries[position];
    }
};
/// The table that a function is in. A family's file says so for its list, at its end.
struct NoTable {};
template <class P>
inline constexpr NoTable table_of = {};
template <class P>
const Formula& formula_of() {
    static_assert(!std::same_as<decltype(table_of<P>), const NoTable>,
                  "the function is missing in the list at the end of its family's file");
    return table_of<P>.template of<P>();
}

template <class P>
concept HasFormula = requires(const Lanes<float>& x) {
    P::formula(x);
}
|| requires(const Lanes<float>& x) { P::formula(x, x); };

template <class P, class T>
[[gnu::always_inline]] inline Lanes<T> evaluate(const Lanes<T>& x) {
    return P::f(x.v);
}
template <class P, class T>
[[gnu::always_inline]] inline Lanes<T> evaluate(const Lanes<T>& x, const Lanes<T>& y) {
    return P::f(x.v, y.v);
}

/// The chain rule for one operand.
template <class P, class V, OperandSet set>
[[gnu::always_inline]] inline Dual<V, set> evaluate(const Dual<V, set>& x) {
    const V y = evaluate<P>(x.value);
    const V slope(P::df(x.value, y));
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
        return Dual<V, set>(y, {V(slope.v * x.partials[i].v)...});
    }
    (std::make_index_sequence<Dual<V, set>::count>{});
}

/// The chain rule for two operands, of which at least one is a Dual.
template <class P, class V, OperandSet x_set, OperandSet y_set, class X, class Y>
[[gnu::always_inline]] inline auto chain(const X& x, const Y& y) {
    const V a = value_of(x), b = value_of(y), z = evaluate<P>(a, b);
    // A slope that no operand has a use for is never read.
    V slope_x = a, slope_y = b;
    if constexpr (x_set != 0) slope_x = V(P::dfx(a, b, z));
    if constexpr (y_set != 0) slope_y = V(P::dfy(a, b, z));
    const auto partial = [&]<int i>(std::integral_constant<int, i>) -> V {
        constexpr bool by_x = contains(x_set, i), by_y = contains(y_set, i);
        if constexpr (by_x && by_y)
            return xsimd::fma(slope_x.v, partial_of<i>(x).v, slope_y.v * partial_of<i>(y).v);
        else if constexpr (by_x)
            return slope_x.v * partial_of<i>(x).v;
        else
            return slope_y.v * partial_of<i>(y).v;
    };
    const auto combine = [&]<int... i>(std::integer_sequence<int, i...>) {
        return Dual<V, (x_set | y_set)>(z, {partial(std::integral_constant<int, i>{})...});
    };
    return combine(operands_in<(x_set | y_set)>());
}
template <class P, class V, OperandSet x_set, OperandSet y_set>
[[gnu::always_inline]] inline auto evaluate(const Dual<V, x_set>& x, const Dual<V, y_set>& y) {
    return chain<P, V, x_set, y_set>(x, y);
}
template <class P, class V, OperandSet set>
[[gnu::always_inline]] inline auto evaluate(const Dual<V, set>& x, const V& y) {
    return chain<P, V, set, 0>(x, y);
}
template <class P, class V, OperandSet set>
[[gnu::always_inline]] inline auto evaluate(const V& x, const Dual<V, set>& y) {
    return chain<P, V, 0, set>(x, y);
}

template <class P, class X>
requires(std::same_as<X, Term> || std::same_as<X, TermDual>) X evaluate(const X& x) {
    return evaluate(formula_of<P>(), std::span<const X>(&x, 1));
}
template <class P, class X>
requires(std::same_as<X, Term> || std::same_as<X, TermDual>) X evaluate(const X& x, const X& y) {
    const std::array<X, 2> operands{x, y};
    return evaluate(formula_of<P>(), std::span<const X>(operands));
}

/// where(mask, yes(), no()), of which a register computes only what some of its elements need: for rules, where both
/// are costly.
template <class T, class Yes, class No>
[[gnu::always_inline]] inline Lanes<T> choose(const Mask<Lanes<T>>& mask, const Yes& yes, const No& no) {
    if (xsimd::all(mask.m)) return yes();
    if (!xsimd::any(mask.m)) return no();
    return where(mask, yes(), no());
}
template <class X, class Yes, class No>
X choose(const Mask<X>& mask, const Yes& yes, const No& no) {
    return where(mask, X(yes()), X(no()));
}

/// A comparison of values: which operands they depend on does not matter.
template <class P, class T>
[[gnu::always_inline]] inline Mask<Lanes<T>> compare(const Lanes<T>& x, const Lanes<T>& y) {
    return {P::f(x.v, y.v)};
}
template <class P>
Mask<Term> compare(const Term& x, const Term& y) {
    return {{evaluate<P>(x, y), (x.is_number() ? y : x).dtype()}};
}
template <class P>
Mask<TermDual> compare(const TermDual& x, const TermDual& y) {
    const Mask<Term> of_values = compare<P>(x.value, y.value);
    return {{of_values.m, of_values.dtype}};
}

/// The reading that a number becomes beside an X.
template <class X>
struct NumberBeside {
    using type = X;
};
template <class V, OperandSet set>
struct NumberBeside<Dual<V, set>> {
    using type = V;
};
/// x itself, or, if it is a number, that number as a reading like Other.
template <class Other, class X>
[[gnu::always_inline]] inline decltype(auto) beside(const X& x) {
    if constexpr (Number<X>)
        return typename NumberBeside<Other>::type(static_cast<double>(x));
    else
        return (x);
}

template <class X>
inline constexpr bool no_tensor_in_a_formula = !TensorOperand<X>;

/// The function P of readings: what every operator and function of a family file calls.
template <class P, Reading X>
[[gnu::always_inline]] inline auto read(const X& x) {
    if constexpr (HasFormula<P>)
        return P::formula(x);
    else
        return evaluate<P>(x);
}
template <class P, class X, class Y>
requires Readings<X, Y>
[[gnu::always_inline]] inline auto read(const X& x, const Y& y) {
    static_assert(no_tensor_in_a_formula<X> && no_tensor_in_a_formula<Y>,
                  "a formula computes with its operands and with numbers: pass the tensor to map() as an operand");
    if constexpr (no_tensor_in_a_formula<X> && no_tensor_in_a_formula<Y>) {
        if constexpr (HasFormula<P>)
            return P::formula(x, y);
        else
            return evaluate<P>(beside<Y>(x), beside<X>(y));
    } else {
        return 0.0;
    }
}
template <class P, class X, class Y>
requires Readings<X, Y>
[[gnu::always_inline]] inline auto read_comparison(const X& x, const Y& y) {
    static_assert(no_tensor_in_a_formula<X> && no_tensor_in_a_formula<Y>,
                  "a formula computes with its operands and with numbers: pass the tensor to map() as an operand");
    const auto value = []<class Z>(const Z& z) -> decltype(auto) {
        if constexpr (operand_set<Z> != 0)
            return value_of(z);
        else
            return (z);
    };
    return compare<P>(value(beside<Y>(x)), value(beside<X>(y)));
}

/// Applies a formula, of `bytes` bytes if it captures anything, to operands. Numbers become scalars of the tensors'
/// dtype. Throws what map() throws.
Tensor apply_formula(const Formula& formula, const void* f, std::size_t bytes, std::span<const Input> operands);

/// The function P of tensors: an op of the tape.
template <class P, std::same_as<Input>... X>
Tensor elementwise(const X&... x) {
    const std::array<Input, sizeof...(X)> operands{x...};
    return apply_formula(formula_of<P>(), nullptr, 0, operands);
}

/// The function P of a reading or of a tensor.
template <class P, Operand X>
[[gnu::always_inline]] inline auto call(const X& x, const SourceLine& where) {
    if constexpr (Reading<X>)
        return read<P>(x);
    else
        return elementwise<P>(Input(x, where));
}
template <class P, class X, class Y>
requires Operands<X, Y>
[[gnu::always_inline]] inline auto call(const X& x, const Y& y, const SourceLine& where) {
    if constexpr (Readings<X, Y>)
        return read<P>(x, y);
    else
        return elementwise<P>(Input(x, where), Input(y, where));
}

}  // namespace wengert
