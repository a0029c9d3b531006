#pragma once

#include <wengert/ops/elementwise/activation.hpp>
#include <wengert/ops/elementwise/arithmetic.hpp>
#include <wengert/ops/elementwise/comparison.hpp>
#include <wengert/ops/elementwise/exponential.hpp>
#include <wengert/ops/elementwise/hyperbolic.hpp>
#include <wengert/ops/elementwise/rounding.hpp>
#include <wengert/ops/elementwise/special.hpp>
#include <wengert/ops/elementwise/trigonometric.hpp>

/// The elementary functions of tensors, and of the readings of a formula. Operands broadcast as in NumPy, and are
/// converted to one dtype, which the result has (see promotion.hpp). Throws DtypeError for integers where a function
/// has no form for them, ShapeError if shapes do not broadcast, ValueError for an undefined tensor.
namespace WENGERT_EXPORT wengert {

using ElementwiseFunctions = Join<ArithmeticFunctions, RoundingFunctions, ExponentialFunctions, TrigonometricFunctions,
                                  HyperbolicFunctions, ActivationFunctions, SpecialFunctions, ComparisonFunctions>;

}  // namespace wengert
