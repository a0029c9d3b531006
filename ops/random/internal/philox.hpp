#pragma once

#include <array>
#include <cstdint>

namespace wengert {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Philox4x32 with 10 rounds: 128 random bits, a function of the counter and the key alone (Salmon et al. 2011,
/// Parallel random numbers: as easy as 1, 2, 3). A loop over counters compiles to vector instructions.
constexpr PhiloxCounter philox4x32(PhiloxCounter c, PhiloxKey key) {
    // Each word stands in 64 bits, of which the lower 32 count, as in the lanes that vector instructions multiply.
    std::uint64_t c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3];
    std::uint32_t k0 = key[0], k1 = key[1];
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = 0xD2511F53 * (c0 & 0xffffffff), product1 = 0xCD9E8D57 * (c2 & 0xffffffff);
        c0 = product1 >> 32 ^ c1 ^ k0;
        c1 = product1;
        c2 = product0 >> 32 ^ c3 ^ k1;
        c3 = product0;
        k0 += 0x9E3779B9;  // the golden ratio,
        k1 += 0xBB67AE85;  // sqrt(3) - 1
    }
    return {static_cast<std::uint32_t>(c0), static_cast<std::uint32_t>(c1), static_cast<std::uint32_t>(c2),
            static_cast<std::uint32_t>(c3)};
}

}  // namespace wengert
