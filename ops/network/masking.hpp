#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/random/random.hpp>

namespace wengert {

/// 1 at positions before each row's length, 0 after: lengths int64 [B] -> [B, n]. A constant.
Tensor length_mask(const Input& lengths, std::int64_t n, Dtype dtype = Dtype::float32);

/// x with `value` where `mask` is not 0. No gradient flows there. The mask broadcasts.
Tensor masked_fill(const Input& x, const Tensor& mask, double value);

/// Each element 0 with probability p, else x / (1 - p), so that the mean stays (Srivastava et al. 2014). Throws
/// ValueError unless 0 <= p < 1.
Tensor dropout(const Input& x, double p, Generator& generator);

}  // namespace wengert
