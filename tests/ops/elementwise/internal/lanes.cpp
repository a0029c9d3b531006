#include <array>
#include <cmath>
#include <wengert/ops/elementwise/internal/lanes.hpp>

#include "ops/brute_force.hpp"

using namespace wengert;

namespace {

/// A part of a register is read, written and kept for itself; what stands behind it is not touched.
template <class T>
void check_parts() {
    constexpr std::int64_t size = Lanes<T>::size;
    std::array<T, static_cast<std::size_t>(2 * size)> from;
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i + 1);
    for (std::int64_t n = 1; n <= 2 * size; ++n) {
        std::array<T, static_cast<std::size_t>(size)> all{}, first{}, to{};
        to.fill(-1);
        const Lanes<T> lanes = Lanes<T>::load(from.data(), n);
        lanes.store(all.data());
        Lanes<T>::load(from.data()).first(n).store(first.data());
        Lanes<T>::load(from.data()).store(to.data(), n);
        double total = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const T want = i < n ? static_cast<T>(i + 1) : T{0};
            CHECK(all[at] == want);
            CHECK(first[at] == want);
            CHECK(to[at] == (i < n ? want : T{-1}));
            total += static_cast<double>(want);
        }
        CHECK(static_cast<double>(lanes.total()) == total);
    }
    const Lanes<T> nan(std::nan(""));
    CHECK(nan.first(0).total() == 0);
    CHECK(std::isnan(nan.first(1).total()));
}

}  // namespace

TEST_CASE("lanes: parts of a register") {
    check_parts<float>();
    check_parts<double>();
}
