#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>
#include <wengert/ops/elementwise/special.hpp>

namespace wengert {

constinit const FormulaTable<SpecialFunctions> special_formulas = compile_functions(SpecialFunctions{});

}  // namespace wengert
