#pragma once

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/formula.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>

namespace WENGERT_EXPORT wengert {

template <class R>
concept FormulaResult = Reading<R> || Number<R>;
template <class R>
inline constexpr bool is_formula_result = FormulaResult<R>;
template <TupleLike R>
inline constexpr bool is_formula_result<R> = [] {
    constexpr auto all = []<std::size_t... r>(std::index_sequence<r...>) {
        return sizeof...(r) >= 1 && sizeof...(r) <= most_results && (FormulaResult<std::tuple_element_t<r, R>> && ...);
    };
    return all(std::make_index_sequence<std::tuple_size_v<R>>{});
}();

template <std::size_t>
using FloatLanes = Lanes<float>;
template <class F, std::size_t... k>
consteval bool takes_lanes(std::index_sequence<k...>) {
    return std::is_invocable_v<const F&, FloatLanes<k>...>;
}

/// Says in a sentence what is wrong with a formula, before the compiler says it in pages. Whether nothing is.
template <class F, int N>
consteval bool is_formula() {
    constexpr bool small_number = N >= 1 && N <= most_operands;
    static_assert(small_number, "a formula takes 1 to 32 operands");
    constexpr bool captures_numbers =
        std::is_trivially_copyable_v<F> && sizeof(F) <= Captures::most_bytes && alignof(F) <= alignof(Captures);
    static_assert(captures_numbers,
                  "a formula may capture numbers only, 64 bytes of them: pass a tensor to map() as an operand");
    if constexpr (small_number && captures_numbers) {
        constexpr bool takes_operands = takes_lanes<F>(std::make_index_sequence<static_cast<std::size_t>(N)>{});
        static_assert(takes_operands,
                      "a formula is a generic lambda with one `auto` parameter for each operand that map() is given, "
                      "of functions "
                      "that formulas know: tanh(x) without std::, where() with one comparison");
        if constexpr (takes_operands) {
            constexpr bool has_value = is_formula_result<LaneResults<F, N>>;
            static_assert(has_value,
                          "a formula must return a value computed from its operands, or a std::tuple or std::array of "
                          "up to 8 of them");
            return has_value;
        }
    }
    return false;
}

/// An elementwise formula of 1 to 32 tensors, as one op:
///
///     Tensor next = map([](auto z, auto n, auto h) { return n + z * (h - n); }, z, n, h);
///
/// Shapes: the operands broadcast as in NumPy, and have one dtype, float32 or float64; at least one is a tensor, others
/// may be numbers. f is a generic lambda over the functions of elementwise.hpp (arithmetic, comparisons, where, exp,
/// tanh, ...). It may capture numbers, by value since backward evaluates it again, and must not branch on its operands:
/// where() chooses.
///
/// A formula of several results returns them as a std::tuple (or a std::array, if all depend on the same operands). It
/// is one op, whose results are slices of one tensor:
///
///     const auto [c, h] = map([](auto i, auto f, auto g, auto o, auto c) {
///         const auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
///         return std::tuple{next, sigmoid(o) * tanh(next)};
///     }, i, f, g, o, c);
///
/// Types differ along a formula, since which operands a value depends on is part of its type. A loop that accumulates
/// starts from the type of all that it will add, std::common_type_t, or is a fold():
///
///     map([](auto... x) { return fold([](auto sum, auto x) { return sum + x * x; }, 0.0, x...); }, a, b, c);
///
/// Derivative: needs no definition. Backward evaluates f with dual numbers, for all operands in one fused pass; higher
/// orders evaluate it with tensors. A second derivative is taken of both branches of a where(), and each must be
/// finite: write where(x > 0, sqrt(where(x > 0, x, 1)), 0) if one is not.
///
/// Throws ShapeError if operands do not broadcast, DtypeError if none is floating, ValueError if an operand is
/// undefined or all are numbers.
template <class F, class... Rest>
auto map(F f, const Input& first, const Rest&... rest) {
    constexpr int operands = 1 + static_cast<int>(sizeof...(Rest));
    if constexpr (is_formula<F, operands>()) {
        constexpr const Formula& formula = formula_table<F, operands, false>;
        // One expression: what an operand converts to lives no longer.
        const Tensor results = apply_formula(formula, &f, std::is_empty_v<F> ? 0 : sizeof(F),
                                             std::array<Input, operands>{first, Input(rest)...});
        if constexpr (TupleLike<LaneResults<F, operands>>) {
            std::array<Tensor, static_cast<std::size_t>(formula.results)> slices;
            for (int r = 0; r < formula.results; ++r)
                slices[static_cast<std::size_t>(r)] = select_result(results, r, first.where());
            return slices;
        } else {
            return results;
        }
    } else {
        return Tensor();
    }
}

/// The sum of map(f, ...) over axes, without the tensor that is summed: neither forward nor backward stores it.
///
///     Tensor scores = map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, v, keys, query);
///
/// `axes` are those of the operands' common shape. f has one result. Throws what map() throws, and ShapeError for an
/// axis that there is not.
template <class F, class... Rest>
Tensor map_sum(F f, const ReductionAxes& axes, const Input& first, const Rest&... rest) {
    constexpr int operands = 1 + static_cast<int>(sizeof...(Rest));
    if constexpr (is_formula<F, operands>()) {
        constexpr bool one_result = !TupleLike<LaneResults<F, operands>>;
        static_assert(one_result, "map_sum() takes a formula of one result");
        if constexpr (one_result) {
            return apply_sum(formula_table<F, operands, true>, &f, std::is_empty_v<F> ? 0 : sizeof(F), axes,
                             std::array<Input, operands>{first, Input(rest)...});
        }
    }
    return Tensor();
}

/// f(...f(f(start, x0), x1)..., xn) in a formula: for sums and products over operands, whose type grows with each.
template <class F, class Start>
[[gnu::always_inline]] inline auto fold(const F&, const Start& start) {
    return start;
}
template <class F, class Start, class X, class... Rest>
[[gnu::always_inline]] inline auto fold(const F& f, const Start& start, const X& x, const Rest&... rest) {
    return fold(f, f(start, x), rest...);
}

}  // namespace wengert
