#include <wengert/ops/elementwise/arithmetic.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>

namespace wengert {

constinit const FormulaTable<ArithmeticFunctions> arithmetic_formulas = compile_functions(ArithmeticFunctions{});

}  // namespace wengert
