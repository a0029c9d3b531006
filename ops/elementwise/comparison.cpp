#include <algorithm>
#include <array>
#include <wengert/ops/elementwise/comparison.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>
#include <wengert/ops/elementwise/promotion.hpp>

namespace wengert {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Before an infinity becomes a scalar of x's dtype.
void require_floating(const Tensor& x) {
    if (!is_floating(x.dtype())) throw DtypeError("an operand is int64; float32 or float64 is needed");
}

}  // namespace

constinit const FormulaTable<ComparisonFunctions> comparison_formulas = compile_functions(ComparisonFunctions{});

Tensor where(const Input& condition, const Input& yes, const Input& no) {
    const std::array choices{yes, no};
    if (condition.is_number() || std::ranges::any_of(choices, &Input::is_undefined) || condition.is_undefined())
        return elementwise<Where>(condition, yes, no);
    // What is chosen decides on the dtype; the condition only chooses.
    const Dtype dtype = promoted_dtype(choices);
    if (dtype == Dtype::int64 || condition.tensor().dtype() == dtype) return elementwise<Where>(condition, yes, no);
    const Tensor mask = cast(condition.tensor(), dtype);
    return elementwise<Where>(Input(mask, condition.where()), yes, no);
}

Tensor logical_not(const Input& x) {
    return located("logical_not", {x}, [&] { return x == 0.0; });
}
Tensor isnan(const Input& x) {
    return located("isnan", {x}, [&] { return x != x; });
}
Tensor isinf(const Input& x) {
    return located("isinf", {x}, [&] {
        require_floating(x.tensor());
        return logical_or(x == infinity, x == -infinity);
    });
}
Tensor isfinite(const Input& x) {
    return located("isfinite", {x}, [&] {
        require_floating(x.tensor());
        return logical_and(-infinity < x, x < infinity);
    });
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
