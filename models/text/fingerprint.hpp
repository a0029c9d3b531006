#pragma once

#include <cstdint>
#include <string_view>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// A number that tells data from other data, but for a chance of about 2^-63, and is the same on every platform: FNV-1a
/// of 64 bits (Fowler, Noll and Vo). Not for secrets.
class Fingerprint {
  public:
    /// Goes on with these bytes.
    Fingerprint& add(std::string_view bytes) {
        for (const char byte : bytes) mix(static_cast<unsigned char>(byte));
        return *this;
    }
    /// Goes on with the 8 bytes of the number, the lowest first.
    Fingerprint& add(std::int64_t number) {
        for (int shift = 0; shift < 64; shift += 8) mix(static_cast<std::uint64_t>(number) >> shift & 0xff);
        return *this;
    }

    /// 0 or more. The upper bits depend on all of the data, the lowest on the lowest bits of its bytes alone.
    std::int64_t value() const { return static_cast<std::int64_t>(hash_ >> 1); }

  private:
    void mix(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }

    std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace wengert
