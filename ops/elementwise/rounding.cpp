#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>
#include <wengert/ops/elementwise/rounding.hpp>

namespace wengert {

constinit const FormulaTable<RoundingFunctions> rounding_formulas = compile_functions(RoundingFunctions{});

}  // namespace wengert
