#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/exponential.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>

namespace wengert {

constinit const FormulaTable<ExponentialFunctions> exponential_formulas = compile_functions(ExponentialFunctions{});

}  // namespace wengert
