#pragma once

#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// What becomes of the losses of elements or rows. `batchmean` is kl_div()'s alone: the sum over the length of axis 0.
enum class Reduction { none, mean, sum, batchmean };

/// Throws ValueError for a reduction that only kl_div() has.
void require_common(Reduction reduction);

}  // namespace wengert
