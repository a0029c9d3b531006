#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <wengert/autograd/tensor/half.hpp>

using namespace wengert;

namespace {

/// What 16 bits say, by the definition of the format: a sign, an exponent and a fraction.
double value_of(std::uint32_t bits, int fraction_bits) {
    const int exponent_bits = 15 - fraction_bits, bias = (1 << (exponent_bits - 1)) - 1;
    const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
    const int fraction = static_cast<int>(bits & ((1u << fraction_bits) - 1));
    const int exponent = static_cast<int>(bits >> fraction_bits & ((1u << exponent_bits) - 1));
    if (exponent == (1 << exponent_bits) - 1)
        return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
    return sign * std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

template <class Half>
constexpr int fraction_bits = std::same_as<Half, Float16> ? 10 : 7;

template <class Half>
Half of_bits(std::uint32_t bits) {
    return std::bit_cast<Half>(static_cast<std::uint16_t>(bits));
}

/// Whether a number and its negative become these bits and those of the negative.
template <class Half, class T>
bool rounds_to(T number, std::uint32_t bits) {
    return Half(number).bits == bits && Half(-number).bits == (bits | 0x8000u);
}

}  // namespace

TEST_CASE_TEMPLATE("half: each of the 65,536 is the number that its bits say, and becomes itself", H, Float16,
                   Bfloat16) {
    int wrong = 0;
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const H half = of_bits<H>(bits);
        const float number = static_cast<float>(half);
        const double want = value_of(bits, fraction_bits<H>);
        const bool is_right =
            std::isnan(want) ? std::isnan(number) : number == want && std::signbit(number) == std::signbit(want);
        // The processor makes a signalling NaN a quiet one on its way to double.
        const std::uint32_t quiet = std::isnan(want) ? 1u << (fraction_bits<H> - 1) : 0;
        const std::uint32_t by_double = H(static_cast<double>(number)).bits;
        wrong += !is_right || H(number).bits != bits || (by_double | quiet) != (bits | quiet);
    }
    CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("half: between two neighbours the nearer one is taken, in the middle the even one", H, Float16,
                   Bfloat16) {
    const auto infinite = static_cast<std::uint32_t>(H(std::numeric_limits<float>::infinity()).bits);
    CHECK(infinite == (std::same_as<H, Float16> ? 0x7c00u : 0x7f80u));
    int wrong = 0;
    for (std::uint32_t below = 0; below < infinite; ++below) {
        // The number after the largest would be a power of two: whoever is nearer to that is infinite.
        const double a = value_of(below, fraction_bits<H>), b = below + 1 < infinite
                                                                    ? value_of(below + 1, fraction_bits<H>)
                                                                    : 2 * a - value_of(below - 1, fraction_bits<H>);
        const double middle = a + (b - a) / 2;
        const std::uint32_t even = below % 2 == 0 ? below : below + 1;
        wrong += !rounds_to<H>(middle, even);
        wrong += !rounds_to<H>(std::nextafter(middle, a), below);
        wrong += !rounds_to<H>(std::nextafter(middle, b), below + 1);
        const auto single = static_cast<float>(middle);
        wrong += single != middle;
        wrong += !rounds_to<H>(single, even);
        wrong += !rounds_to<H>(std::nextafter(single, static_cast<float>(a)), below);
        wrong += !rounds_to<H>(std::nextafter(single, std::numeric_limits<float>::infinity()), below + 1);
    }
    CHECK(wrong == 0);
    CHECK(H(std::numeric_limits<double>::max()).bits == infinite);
    CHECK(rounds_to<H>(std::numeric_limits<double>::denorm_min(), 0));
}

TEST_CASE("half: a NaN stays one, also if its upper bits are 0") {
    for (const std::uint32_t bits : {0x7f800001u, 0xff800001u, 0x7fc00000u, 0x7fffffffu}) {
        const auto nan = std::bit_cast<float>(bits);
        CHECK(std::isnan(static_cast<float>(Float16(nan))));
        CHECK(std::isnan(static_cast<float>(Bfloat16(nan))));
        CHECK((Float16(nan).bits >> 15) == (bits >> 31));
    }
}

TEST_CASE("half: a whole number is rounded once") {
    // One more than the middle between two neighbours, which neither a float nor a double holds.
    for (const int exponent : {30, 40, 55, 62}) {
        const std::int64_t power = std::int64_t{1} << exponent, middle = power + (power >> 8);
        const auto even = static_cast<std::uint32_t>(Bfloat16(std::ldexp(1.0, exponent)).bits);
        CHECK(rounds_to<Bfloat16>(middle, even));
        CHECK(rounds_to<Bfloat16>(middle - 1, even));
        CHECK(rounds_to<Bfloat16>(middle + 1, even + 1));
    }
    CHECK(Bfloat16(std::numeric_limits<std::int64_t>::min()).bits == 0xdf00);
    CHECK(rounds_to<Float16>(std::int64_t{65519}, 0x7bff));
    CHECK(rounds_to<Float16>(std::int64_t{65520}, 0x7c00));
    CHECK(rounds_to<Float16>(std::int64_t{2049}, 0x6800));
}
