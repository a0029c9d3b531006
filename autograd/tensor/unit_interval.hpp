#pragma once

#include <cstdint>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Uniform in [0, 1) from random bits: the highest 53 of them as a multiple of 2^-53. The two halves are converted
/// apart, which is exact and, other than a conversion of 64 bits, has a vector instruction on every processor.
constexpr double unit_interval(std::uint64_t bits) {
    const auto high = static_cast<std::int32_t>(bits >> 38), low = static_cast<std::int32_t>(bits >> 11 & 0x7ffffff);
    return static_cast<double>(high) * 0x1p-26 + static_cast<double>(low) * 0x1p-53;
}

/// The same for float32: the highest 24 bits as a multiple of 2^-24.
constexpr float unit_interval(std::uint32_t bits) {
    return static_cast<float>(static_cast<std::int32_t>(bits >> 8)) * 0x1p-24f;
}

}  // namespace wengert
