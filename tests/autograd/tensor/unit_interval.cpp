#include <doctest/doctest.h>

#include <random>
#include <wengert/autograd/tensor/unit_interval.hpp>

using namespace wengert;

TEST_CASE("unit_interval: the highest 53 or 24 bits") {
    std::mt19937_64 random(1);
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t bits = random();
        CHECK(unit_interval(bits) == static_cast<double>(bits >> 11) * 0x1p-53);
        const auto half = static_cast<std::uint32_t>(bits);
        CHECK(unit_interval(half) == static_cast<float>(half >> 8) * 0x1p-24f);
    }
    CHECK(unit_interval(std::uint64_t{0}) == 0);
    CHECK(unit_interval(~std::uint64_t{0}) == 1 - 0x1p-53);
    CHECK(unit_interval(~std::uint32_t{0}) == 1 - 0x1p-24f);
}
