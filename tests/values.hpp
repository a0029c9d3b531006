#pragma once

#include <cstdint>
#include <limits>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

using Values = std::vector<double>;

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline Values elements(const wengert::Tensor& x) { return x.to_vector<double>(); }

/// int64 [n]
inline wengert::Tensor ids(const std::vector<std::int64_t>& values) {
    return wengert::tensor(values, {static_cast<std::int64_t>(values.size())});
}
