#pragma once

#include <limits>
#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/ops/elementwise/arithmetic.hpp>
#include <wengert/ops/elementwise/reading.hpp>

/// Comparisons, and the choice that they are for. Their results are tensors of bool, or conditions of a formula. They
/// have no derivative: the result is a constant, and asking for a gradient through it throws NotDifferentiableError.
/// Operands may be of any dtype that computes; bool compares as 0 and 1. elementwise.hpp says what they throw.
namespace WENGERT_EXPORT wengert {

struct Greater {
    static constexpr std::string_view name = "greater";
    static constexpr OpDoc doc{"x > y", broadcast_shape, "whether it holds, bool", "none"};
    static constexpr bool compares = true;
    static auto f(const auto& x, const auto& y) { return x > y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator>(const X& x, const Y& y) { return read_comparison<Greater>(x, y); }
inline Tensor operator>(const Input& x, const Input& y) { return elementwise<Greater>(x, y); }

struct GreaterEqual {
    static constexpr std::string_view name = "greater_equal";
    static constexpr OpDoc doc{"x >= y", broadcast_shape, "whether it holds, bool", "none"};
    static constexpr bool compares = true;
    static auto f(const auto& x, const auto& y) { return x >= y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator>=(const X& x, const Y& y) { return read_comparison<GreaterEqual>(x, y); }
inline Tensor operator>=(const Input& x, const Input& y) { return elementwise<GreaterEqual>(x, y); }

struct Less {
    static constexpr std::string_view name = "less";
    static constexpr OpDoc doc{"x < y", broadcast_shape, "whether it holds, bool", "none"};
    static constexpr bool compares = true;
    static auto f(const auto& x, const auto& y) { return x < y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator<(const X& x, const Y& y) { return read_comparison<Less>(x, y); }
inline Tensor operator<(const Input& x, const Input& y) { return elementwise<Less>(x, y); }

struct LessEqual {
    static constexpr std::string_view name = "less_equal";
    static constexpr OpDoc doc{"x <= y", broadcast_shape, "whether it holds, bool", "none"};
    static constexpr bool compares = true;
    static auto f(const auto& x, const auto& y) { return x <= y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator<=(const X& x, const Y& y) { return read_comparison<LessEqual>(x, y); }
inline Tensor operator<=(const Input& x, const Input& y) { return elementwise<LessEqual>(x, y); }

struct Equal {
    static constexpr std::string_view name = "equal";
    static constexpr OpDoc doc{"x == y", broadcast_shape, "whether it holds, bool", "none"};
    static constexpr bool compares = true;
    static auto f(const auto& x, const auto& y) { return x == y; }
};
template <class X, class Y>
requires Readings<X, Y>
auto operator==(const X& x, const Y& y) { return read_comparison<Equal>(x, y); }
inline Tensor operator==(const Input& x, const Input& y) { return elementwise<Equal>(x, y); }

struct NotEqual {
    static constexpr std::string_view name = "not_equal";
    static constexpr OpDoc doc{"x != y", broadcast_shape, "whether it holds, bool", "none"};
    static constexpr bool compares = true;
    static auto f(const auto& x, const auto& y) { return !(x == y); }  // a NaN differs from everything
};
template <class X, class Y>
requires Readings<X, Y>
auto operator!=(const X& x, const Y& y) { return read_comparison<NotEqual>(x, y); }
inline Tensor operator!=(const Input& x, const Input& y) { return elementwise<NotEqual>(x, y); }

struct LogicalAnd {
    static constexpr std::string_view name = "logical_and";
    static constexpr OpDoc doc{"logical_and(x, y)", broadcast_shape, "whether both are not 0, bool", "none"};
    static constexpr bool compares = true;
    template <class T>
    static auto f(const T& x, const T& y) {
        const T zero(0);
        return !((x == zero) | (y == zero));
    }
};
inline Tensor logical_and(const Input& x, const Input& y) { return elementwise<LogicalAnd>(x, y); }

struct LogicalOr {
    static constexpr std::string_view name = "logical_or";
    static constexpr OpDoc doc{"logical_or(x, y)", broadcast_shape, "whether one is not 0, bool", "none"};
    static constexpr bool compares = true;
    template <class T>
    static auto f(const T& x, const T& y) {
        const T zero(0);
        return !((x == zero) & (y == zero));
    }
};
inline Tensor logical_or(const Input& x, const Input& y) { return elementwise<LogicalOr>(x, y); }

struct LogicalXor {
    static constexpr std::string_view name = "logical_xor";
    static constexpr OpDoc doc{"logical_xor(x, y)", broadcast_shape, "whether one of them alone is not 0, bool",
                               "none"};
    static constexpr bool compares = true;
    template <class T>
    static auto f(const T& x, const T& y) {
        const T zero(0);
        const auto no_x = x == zero, no_y = y == zero;
        return (no_x | no_y) & !(no_x & no_y);
    }
};
inline Tensor logical_xor(const Input& x, const Input& y) { return elementwise<LogicalXor>(x, y); }

/// Whether x is 0.
Tensor logical_not(const Input& x);

/// Whether x is that; no integer is NaN or infinite.
Tensor isnan(const Input& x);
Tensor isinf(const Input& x);
Tensor isfinite(const Input& x);
template <Reading X>
auto isnan(const X& x) {
    return x != x;
}
template <Reading X>
auto isinf(const X& x) {
    return abs(x) == std::numeric_limits<double>::infinity();
}
template <Reading X>
auto isfinite(const X& x) {
    return abs(x) < std::numeric_limits<double>::infinity();
}

/// `yes` where `condition` is not 0, `no` elsewhere, of one dtype: that of yes and no by promotion, of which the
/// condition has no part; two numbers take it of a floating condition. No gradient flows to the condition, nor to the
/// operand not taken: its cotangent is 0 there, which a rule that divides by 0 further up turns into NaN.
Tensor where(const Input& condition, const Input& yes, const Input& no);

struct Where {
    static constexpr std::string_view name = "where";
    static constexpr OpDoc doc{"where(condition, yes, no)", broadcast_shape, "yes where condition ≠ 0, else no",
                               "ct to the one taken"};
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 1;
    static constexpr std::array<std::string_view, 3> operands{"condition", "yes", "no"};
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs& in) const { return in[1].dtype(); }
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

// clang-format off
using ComparisonFunctions = OpList<
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Equal,
    NotEqual,
    LogicalAnd,
    LogicalOr,
    LogicalXor>;
// clang-format on

extern const FormulaTable<ComparisonFunctions> comparison_formulas;
template <class P>
requires is_in<P, ComparisonFunctions>
inline constexpr auto& table_of<P> = comparison_formulas;

// clang-format off
using ChoiceOps = OpList<
    Where>;
// clang-format on
template <class Op>
requires is_in<Op, ChoiceOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
