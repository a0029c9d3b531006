#include <algorithm>
#include <array>
#include <bit>
#include <wengert/ops/elementwise/comparison.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/elementwise/internal/plain_rows.hpp>
#include <wengert/ops/elementwise/promotion.hpp>
#include <wengert/ops/reduce/reductions.hpp>

namespace wengert {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// One of two elements, bit by bit: a branch would be guessed wrong half the time.
template <class T>
T chosen(bool condition, T yes, T no) {
    using Bits = std::conditional_t<sizeof(T) == 1, std::uint8_t,
                                    std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
    const auto mask = static_cast<Bits>(Bits{0} - static_cast<Bits>(condition));
    const Bits from_yes = std::bit_cast<Bits>(yes) & mask, from_no = std::bit_cast<Bits>(no) & static_cast<Bits>(~mask);
    return std::bit_cast<T>(static_cast<Bits>(from_yes | from_no));
}

/// Writes what a comparison of the list finds.
template <class... P>
void compare(const Formula& comparison, const Tensor& x, const Tensor& y, const Tensor& out, OpList<P...>) {
    visit_dtype(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto with = [&]<class Q>(Q*) {
            store_plain<bool, T, T>(out, {&x, &y}, [](T a, T b) { return static_cast<bool>(Q::f(a, b)); });
        };
        static_cast<void>(((&comparison == &formula_of<P>() && (with(static_cast<P*>(nullptr)), true)) || ...));
    });
}

}  // namespace

constinit const FormulaTable<ComparisonFunctions> comparison_formulas = compile_functions(ComparisonFunctions{});

void ComparisonOp::forward(const Inputs& in, const Destination& out) const {
    compare(*formula, in[0], in[1], out.tensor, ComparisonFunctions{});
}

Tensor logical_not(const Input& x) {
    return located("logical_not", {x}, [&] { return logical_xor(x, true); });
}
Tensor isnan(const Input& x) {
    return located("isnan", {x}, [&] { return x != x; });
}
Tensor isinf(const Input& x) {
    return located("isinf", {x}, [&] { return logical_or(x == infinity, x == -infinity); });
}
Tensor isfinite(const Input& x) {
    return located("isfinite", {x}, [&] { return logical_and(-infinity < x, x < infinity); });
}

// where

namespace {

/// A condition as bool, by an op, so that who observes ops sees all that a result came from.
Tensor truth_of(const Input& condition) {
    if (condition.is_number()) return cast(condition.as(Dtype::float64), Dtype::boolean);
    const Tensor& x = condition.tensor();
    return x.dtype() == Dtype::boolean || is_stored_only(x.dtype()) ? cast(x, Dtype::boolean) : condition != 0;
}

}  // namespace

Tensor where(const Input& condition, const Input& yes, const Input& no) {
    static_assert(is_listed<Where>, "the op is missing in its family's list");
    return located(Where::name, {condition, yes, no}, [&] {
        const std::array operands{condition, yes, no};
        if (std::ranges::all_of(operands, &Input::is_number)) throw ValueError("all operands are numbers");
        const std::span choices = std::span(operands).last(2);
        const bool by_condition = !condition.is_number() && is_floating(condition.tensor().dtype()) &&
                                  std::ranges::all_of(choices, &Input::is_number);
        const Dtype dtype = by_condition ? condition.tensor().dtype() : promoted_dtype(choices);
        const std::vector<Tensor> chosen = promoted(choices, dtype);
        const Tensor mask = truth_of(condition);
        return apply(Where{}, {&mask, &chosen[0], &chosen[1]}, condition.where());
    });
}

Shape Where::shape(const Inputs& in) const { return broadcast(broadcast(in[0].shape(), in[1].shape()), in[2].shape()); }

void Where::forward(const Inputs& in, const Destination& out) const {
    visit_dtype(in[1].dtype(), [&](auto type) {
        using T = decltype(type);
        store_plain<T, bool, T, T>(out.tensor, {&in[0], &in[1], &in[2]},
                                   [](bool condition, T yes, T no) { return chosen(condition, yes, no); });
    });
}

void Where::vjp(Backward& back) const {
    const Tensor &condition = back.saved(0), &ct = back.cotangent();
    if (back.needs(1)) back.add(1, sum_to(where(Input(condition, back.where()), ct, 0.0), back.input_shape(1)));
    if (back.needs(2)) back.add(2, sum_to(where(Input(condition, back.where()), 0.0, ct), back.input_shape(2)));
}

std::vector<Sample> Where::samples() {
    const auto f = [](const std::vector<Tensor>& in) { return where(in[0] > 0, in[0] * in[1], in[2]); };
    const auto values = [](const Shape& a, const Shape& b, const Shape& c) {
        return std::vector{sample_values(a, -1, 1, 1), sample_values(b, -1, 1, 2), sample_values(c, -1, 1, 3)};
    };
    return {{"[3, 5], [3, 5], [3, 5]", values({3, 5}, {3, 5}, {3, 5}), f},
            {"[4, 1], [19], []", values({4, 1}, {19}, {}), f},
            {"[2, 0], [1], []", values({2, 0}, {1}, {}), f}};
}

}  // namespace wengert
