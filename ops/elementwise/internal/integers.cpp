#include <fmt/format.h>

#include <algorithm>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/integers.hpp>
#include <wengert/ops/elementwise/internal/plain_rows.hpp>

namespace wengert {
namespace {

template <class T>
concept Integer = std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>;

/// What a function of a family is for integers: of two operands, or of one, which comes twice.
template <class P>
struct Integers;

template <>
struct Integers<Add> {
    static bool of(bool x, bool y) { return x || y; }
    template <Integer T>
    static T of(T x, T y) {
        T sum;
        static_cast<void>(__builtin_add_overflow(x, y, &sum));
        return sum;
    }
};
template <>
struct Integers<Sub> {
    template <Integer T>
    static T of(T x, T y) {
        T difference;
        static_cast<void>(__builtin_sub_overflow(x, y, &difference));
        return difference;
    }
};
template <>
struct Integers<Mul> {
    static bool of(bool x, bool y) { return x && y; }
    template <Integer T>
    static T of(T x, T y) {
        T product;
        static_cast<void>(__builtin_mul_overflow(x, y, &product));
        return product;
    }
};
template <>
struct Integers<Minimum> {
    static bool of(bool x, bool y) { return x && y; }
    template <Integer T>
    static T of(T x, T y) {
        return std::min(x, y);
    }
};
template <>
struct Integers<Maximum> {
    static bool of(bool x, bool y) { return x || y; }
    template <Integer T>
    static T of(T x, T y) {
        return std::max(x, y);
    }
};
template <>
struct Integers<Fmod> {
    template <Integer T>
    static T of(T x, T y) {
        if (y == 0) throw ValueError("a divisor is 0, for which integers have no remainder");
        return y == -1 ? T{0} : x % y;  // the processor stops at the least integer by -1
    }
};
template <>
struct Integers<Neg> {
    template <Integer T>
    static T of(T x, T) {
        return Integers<Sub>::of(T{0}, x);
    }
};
template <>
struct Integers<Square> {
    template <Integer T>
    static T of(T x, T) {
        return Integers<Mul>::of(x, x);
    }
};
template <>
struct Integers<Abs> {
    template <Integer T>
    static T of(T x, T) {
        return x < 0 ? Integers<Neg>::of(x, x) : x;
    }
};
template <>
struct Integers<Sign> {
    template <Integer T>
    static T of(T x, T) {
        return static_cast<T>((x > 0) - (x < 0));
    }
};
/// Those of whole numbers are the numbers themselves.
struct Whole {
    template <Integer T>
    static T of(T x, T) {
        return x;
    }
};
template <>
struct Integers<Floor> : Whole {};
template <>
struct Integers<Ceil> : Whole {};
template <>
struct Integers<Trunc> : Whole {};
template <>
struct Integers<Round> : Whole {};

using IntegerFunctions =
    OpList<Add, Sub, Mul, Minimum, Maximum, Fmod, Neg, Square, Abs, Sign, Floor, Ceil, Trunc, Round>;

/// Calls f with the function's type, as a null pointer; whether it has a form for integers.
template <class F, class... P>
bool with_function(const Formula& formula, const F& f, OpList<P...>) {
    return ((&formula == &formula_of<P>() && (f(static_cast<P*>(nullptr)), true)) || ...);
}

}  // namespace

bool has_integers(const Formula& formula) {
    return with_function(
        formula, [](auto*) {}, IntegerFunctions());
}

Shape IntegerOp::shape(const Inputs& in) const { return BoundFormula{*formula, nullptr}.space(in); }

void IntegerOp::forward(const Inputs& in, const Destination& out) const {
    const Tensor &x = in[0], &y = in[in.size() - 1];
    const auto store = [&]<class P>(P*) {
        visit_integral(x.dtype(), [&](auto type) {
            using T = decltype(type);
            constexpr bool takes = !std::same_as<T, bool> || requires { Integers<P>::of(true, true); };
            if constexpr (takes)
                store_plain<T, T, T>(out.tensor, {&x, &y}, [](T a, T b) { return Integers<P>::of(a, b); });
            else
                throw DtypeError("an operand is bool, which has add, mul, minimum and maximum alone: cast() it first");
        });
    };
    with_function(*formula, store, IntegerFunctions());
}

}  // namespace wengert
