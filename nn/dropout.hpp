#pragma once

#include <wengert/ops/network/dropout.hpp>

namespace WENGERT_EXPORT wengert {

/// Random zeros while a model learns (see dropout()): with a source of noise, each element is 0 with probability p and
/// x / (1 - p) else; without one, x is as it was. With one it throws what dropout() throws.
struct Dropout {
    double p = 0;  ///< the probability that an element is 0; 0 leaves all as they are

    /// x [..] -> [..]
    Tensor operator()(const Input& x, Generator* noise) const {
        return noise != nullptr ? dropout(x, p, *noise) : x.tensor();
    }
};

}  // namespace wengert
