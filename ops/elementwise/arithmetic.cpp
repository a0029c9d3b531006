#include <algorithm>
#include <array>
#include <wengert/ops/elementwise/arithmetic.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>

namespace wengert {

constinit const FormulaTable<ArithmeticFunctions> arithmetic_formulas = compile_functions(ArithmeticFunctions{});

namespace {

/// Samples of f(x, y, z), whose values are from three ranges.
std::vector<Sample> samples_of_three(Tensor (*f)(const Input&, const Input&, const Input&), Range x, Range y, Range z) {
    const auto apply = [f](const std::vector<Tensor>& in) { return f(in[0], in[1], in[2]); };
    const auto values = [=](const Shape& a, const Shape& b, const Shape& c) {
        return std::vector{sample_values(a, x.low, x.high, 1), sample_values(b, y.low, y.high, 2),
                           sample_values(c, z.low, z.high, 3)};
    };
    return {{"[3, 5], [3, 5], [3, 5]", values({3, 5}, {3, 5}, {3, 5}), apply},
            {"[4, 1], [19], []", values({4, 1}, {19}, {}), apply},
            {"[2, 0], [1], []", values({2, 0}, {1}, {}), apply}};
}

}  // namespace

Tensor clamp(const Input& x, const Input& low, const Input& high) {
    const std::array operands{x, low, high};
    const auto is_whole = [](const Input& in) {
        return in.is_number() ? !is_floating(in.number_dtype())
                              : !in.is_undefined() && is_integral(in.tensor().dtype());
    };
    const auto is_tensor = [](const Input& in) { return !in.is_number(); };
    if (!std::ranges::all_of(operands, is_whole) || std::ranges::none_of(operands, is_tensor))
        return elementwise<Clamp>(x, low, high);
    return located(Clamp::name, {x, low, high},
                   [&] { return elementwise<Minimum>(Input(elementwise<Maximum>(x, low), x.where()), high); });
}
std::vector<Sample> Clamp::samples() { return samples_of_three(clamp, {-2, 2}, {-1.2, -0.8}, {0.8, 1.2}); }

Tensor lerp(const Input& x, const Input& y, const Input& w) { return elementwise<Lerp>(x, y, w); }
std::vector<Sample> Lerp::samples() { return samples_of_three(lerp, {-2, 2}, {-2, 2}, {0.1, 0.9}); }

}  // namespace wengert
