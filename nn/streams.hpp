#pragma once

#include <cstdint>
#include <wengert/autograd/tensor/export.hpp>

/// The streams that a training draws from one seed, Generator(seed, streams::noise): what one draws is independent of
/// what another does. Initial values come from the first, which is also a generator's own default.
namespace WENGERT_EXPORT wengert {
namespace streams {

inline constexpr std::uint64_t weights = 0;  ///< initial values of parameters
inline constexpr std::uint64_t noise = 1;    ///< dropout
inline constexpr std::uint64_t batches = 2;  ///< the order of the examples
inline constexpr std::uint64_t search = 3;   ///< translations that are drawn at random

/// The numbered parts of a stream: of an epoch, say, or of a process. Numbers count up to 2^56.
constexpr std::uint64_t part(std::uint64_t stream, std::uint64_t number) { return number << 8 | stream; }

}  // namespace streams
}  // namespace wengert
