#include <cmath>
#include <wengert/ops/elementwise/internal/batch_math.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

template <class T>
void check_erfc(double low, double high, std::int64_t count) {
    using Batch = xsimd::batch<T>;
    constexpr auto width = static_cast<std::int64_t>(Batch::size);
    std::array<T, Batch::size> x, y;
    double worst = 0, at = 0;
    for (std::int64_t begin = 0; begin < count; begin += width) {
        for (std::int64_t i = 0; i < width; ++i)
            x[static_cast<std::size_t>(i)] =
                static_cast<T>(low + (high - low) * static_cast<double>(begin + i) / static_cast<double>(count));
        batch_math::erfc(Batch::load_unaligned(x.data())).store_unaligned(y.data());
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double distance = ulps(static_cast<double>(y[i]),
                                         static_cast<double>(std::erfc(static_cast<long double>(x[i]))), dtype_of<T>);
            if (distance <= worst) continue;
            worst = distance;
            at = static_cast<double>(x[i]);
        }
    }
    CAPTURE(at);
    CHECK(worst <= 3.5);  // half of one is this computer's
}

}  // namespace

TEST_CASE("batch_math: erfc to the end of the normal numbers") {
    check_erfc<float>(-5, 9.19, 200'000);
    check_erfc<double>(-6, 26.5, 200'000);
}
