#pragma once

#include <string>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// The page docs/ops.md: every op with its shapes, formula and derivative, from the lists of ops and beside them the
/// functions that are composed of ops.
std::string op_reference();

}  // namespace wengert
