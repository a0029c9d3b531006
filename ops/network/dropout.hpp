#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/random/random.hpp>

namespace WENGERT_EXPORT wengert {

/// Each element 0 with probability p, else x / (1 - p), so that the mean stays (Srivastava et al. 2014): [..] -> the
/// same. x itself, without a draw, for p = 0. Derivative: ct times what x was multiplied by. Throws ValueError unless 0
/// <= p < 1, DtypeError for int64.
Tensor dropout(const Input& x, double p, Generator& generator);

/// Rows of the op reference for functions that are composed of ops.
inline constexpr OpDoc composed_noise[] = {{"dropout(x, p, generator)", "[..] -> same",
                                            "0 with probability p, else x / (1 - p)",
                                            "ct where x was kept, over 1 - p"}};

}  // namespace wengert
