#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/hyperbolic.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>

namespace wengert {

constinit const FormulaTable<HyperbolicFunctions> hyperbolic_formulas = compile_functions(HyperbolicFunctions{});

}  // namespace wengert
