#pragma once

#include <bit>
#include <cstdint>
#include <wengert/autograd/tensor/export.hpp>

/// The number formats of 16 bits. They are stored, not computed with: a number becomes one by rounding to the nearest,
/// of two that are equally near to the even one, and a NaN keeps the upper bits of its fraction.
namespace WENGERT_EXPORT wengert {

namespace half {

/// Of a float32.
inline constexpr std::uint32_t sign_bit = 0x80000000, infinity_bits = 0x7f800000;

/// A float that rounds to fewer digits as the number itself does: cut off, with the last bit set if that lost anything.
constexpr float cut_off(double number) {
    const float nearest = static_cast<float>(number);
    if (static_cast<double>(nearest) == number || number != number) return nearest;
    const double back = nearest;
    const bool is_too_long = number < 0 ? back < number : back > number;
    return std::bit_cast<float>((std::bit_cast<std::uint32_t>(nearest) - (is_too_long ? 1u : 0u)) | 1u);
}
constexpr float cut_off(std::int64_t number) {
    // What a double cannot hold loses 12 bits, of which one says whether the others were 0.
    if (number > std::int64_t{1} << 53 || number < -(std::int64_t{1} << 53))
        number = (number & ~std::int64_t{0xfff}) | ((number & 0xfff) != 0 ? 0x800 : 0);
    return cut_off(static_cast<double>(number));
}
constexpr float cut_off(float number) { return number; }

/// The upper 16 bits of a NaN, of which the lowest `fraction` bits are not all 0.
constexpr std::uint32_t nan_bits(std::uint32_t upper, int fraction) {
    const std::uint32_t all = (1u << fraction) - 1;
    return (upper & all) != 0 ? upper : upper | (all + 1) / 2;
}

}  // namespace half

/// IEEE 754's binary16: a sign, 5 bits of exponent, 10 of fraction. Beyond ±65504 it rounds to infinity.
struct Float16 {
    std::uint16_t bits = 0;  ///< sign, 5 bits of exponent, 10 of mantissa

    Float16() = default;
    /// Rounded to the nearest, of two to the even one; beyond the range, infinity.
    template <class T>
    constexpr explicit Float16(T number) : bits(encode(half::cut_off(number))) {}

    /// The same number, exactly.
    constexpr explicit operator float() const {
        // As a fraction of a float the exponent is too small by 112, also that of a subnormal number.
        const float small = std::bit_cast<float>((bits & 0x7fffu) << 13);
        const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(small * 0x1p112f);
        const bool is_finite = (bits & 0x7c00u) != 0x7c00u;
        const std::uint32_t special = half::infinity_bits | (bits & 0x3ffu) << 13;
        return std::bit_cast<float>((is_finite ? magnitude : special) | (bits & 0x8000u) << 16);
    }

  private:
    static constexpr std::uint16_t encode(float number) {
        const std::uint32_t all = std::bit_cast<std::uint32_t>(number), sign = all >> 16 & 0x8000u;
        const std::uint32_t magnitude = all & ~half::sign_bit;
        constexpr std::uint32_t overflow = 0x477ff000, least_normal = 0x38800000;  // 65520 and 2^-14
        std::uint32_t rounded = 0;
        if (magnitude > half::infinity_bits) {
            rounded = half::nan_bits(0x7c00u | (magnitude >> 13 & 0x3ffu), 10);
        } else if (magnitude >= overflow) {
            rounded = 0x7c00;
        } else if (magnitude >= least_normal) {
            rounded = (magnitude - (112u << 23) + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
        } else {
            // The last place of 0.5 is that of a subnormal number, so that the sum rounds as it should.
            rounded = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
        }
        return static_cast<std::uint16_t>(sign | rounded);
    }
};

/// The upper half of a float: a sign, 8 bits of exponent, 7 of fraction.
struct Bfloat16 {
    std::uint16_t bits = 0;  ///< the upper half of a float32

    Bfloat16() = default;
    /// Rounded to the nearest, of two to the even one.
    template <class T>
    constexpr explicit Bfloat16(T number) : bits(encode(half::cut_off(number))) {}

    /// The same number, exactly.
    constexpr explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

  private:
    static constexpr std::uint16_t encode(float number) {
        const std::uint32_t all = std::bit_cast<std::uint32_t>(number);
        const bool is_nan = (all & ~half::sign_bit) > half::infinity_bits;
        return static_cast<std::uint16_t>(is_nan ? half::nan_bits(all >> 16, 7)
                                                 : (all + 0x7fffu + (all >> 16 & 1u)) >> 16);
    }
};

}  // namespace wengert
