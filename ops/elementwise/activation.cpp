#include <fmt/format.h>

#include <wengert/ops/elementwise/activation.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>
#include <wengert/ops/elementwise/map.hpp>

namespace wengert {

constinit const FormulaTable<ActivationFunctions> activation_formulas = compile_functions(ActivationFunctions{});

Tensor hardtanh(const Input& x, double low, double high) {
    return located("hardtanh", {x}, [&] {
        if (!(low < high)) throw ValueError(fmt::format("low {} is not below high {}", low, high));
        return map([low, high](auto x) { return hardtanh(x, low, high); }, x);
    });
}

}  // namespace wengert
