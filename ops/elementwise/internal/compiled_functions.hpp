#pragma once

#include <wengert/ops/elementwise/internal/formula.hpp>

/// The table entries of library functions: a family's .cpp file compiles those of its list, and nobody else does.
namespace wengert {

/// A function as a formula.
template <class P>
struct FunctionFormula {
    static constexpr std::string_view name = P::name;
    static constexpr bool linear = [] {
        if constexpr (requires { P::linear; })
            return P::linear;
        else
            return false;
    }();
    [[gnu::always_inline]] auto operator()(const auto&... x) const { return read<P>(x...); }
};

/// A comparison as a formula: 1 where it holds, 0 elsewhere.
template <class P>
struct ComparisonFormula {
    static constexpr std::string_view name = P::name;
    static constexpr bool not_differentiable = true;
    [[gnu::always_inline]] auto operator()(const auto& x, const auto& y) const {
        return where(read_comparison<P>(x, y), 1.0, 0.0);
    }
};

template <class P>
concept Comparison = requires {
    P::compares;
};

/// P's derivative by one operand.
template <class P>
Term slope_of(int operand, const Term* in, const Term& value) {
    if constexpr (requires { P::df(in[0], value); })
        return P::df(in[0], value);
    else if constexpr (requires { P::dfx(in[0], in[1], value); })
        return operand == 0 ? Term(P::dfx(in[0], in[1], value)) : Term(P::dfy(in[0], in[1], value));
    else
        return {};
}

/// The entry of P.
template <class P>
constexpr Formula compile_function() {
    if constexpr (Comparison<P>) {
        return make_formula<ComparisonFormula<P>, 2, false>();
    } else if constexpr (requires(const P& p, const Lanes<float>& x) { p(x, x, x); }) {
        return make_formula<P, 3, false>();
    } else {
        constexpr int operands = requires { P::domain_y; }
        ? 2 : 1;
        Formula formula = make_formula<FunctionFormula<P>, operands, false>();
        if constexpr (!HasFormula<P>) formula.slope = slope_of<P>;
        return formula;
    }
}
template <class P>
inline constexpr Formula compiled_function = compile_function<P>();

template <class... P>
consteval FormulaTable<OpList<P...>> compile_functions(OpList<P...>) {
    return {{&compiled_function<P>...}};
}

}  // namespace wengert
