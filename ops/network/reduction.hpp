#pragma once

#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// What becomes of the losses of elements or rows.
enum class Reduction { none, mean, sum };

}  // namespace wengert
