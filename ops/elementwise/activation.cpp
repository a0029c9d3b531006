#include <wengert/ops/elementwise/activation.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>

namespace wengert {

constinit const FormulaTable<ActivationFunctions> activation_formulas = compile_functions(ActivationFunctions{});

}  // namespace wengert
