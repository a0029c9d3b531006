#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/compiled_functions.hpp>
#include <wengert/ops/elementwise/trigonometric.hpp>

namespace wengert {

constinit const FormulaTable<TrigonometricFunctions> trigonometric_formulas =
    compile_functions(TrigonometricFunctions{});

}  // namespace wengert
