#pragma once

#include <wengert/autograd/tape/backward.hpp>

/// What rules that a caller wrote as functions have in common. Such a function may compute by ops or by loops of its
/// own, and the engine cannot see which.
namespace wengert {

/// The cotangent for such a function. In a recorded pass the tape follows it, so that it follows whatever ops make of
/// it.
Tensor cotangent_for_function(const Backward& back);

/// Throws NotDifferentiableError if a recorded pass got a contribution that the tape does not follow: its own
/// derivatives would silently be zero.
void require_followed(const Backward& back, const Tensor& contribution);

}  // namespace wengert
