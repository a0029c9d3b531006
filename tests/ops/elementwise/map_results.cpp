#include "ops/brute_force.hpp"

#include <tuple>
#include <wengert/ops/elementwise/map.hpp>

using namespace brute_force;

TEST_CASE("map: a result that nobody uses has no part in the gradient, in whole registers and in the rest of one") {
    const auto both = [](auto x, auto y) { return std::tuple{x * y, x * x + y}; };
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        for (const std::int64_t n : {3, 16, 37, 200}) {
            const Tensor x = cast(sample_values({n}, -1, 1, 1), dtype), y = cast(sample_values({n}, -1, 1, 2), dtype);
            for (const std::size_t used : {0, 1}) {
                const auto g =
                    gradients([&](const auto& in) { return map(both, in[0], in[1])[used]; }, {x, y}, ones({n}, dtype));
                check_close(g[0], elements(used == 0 ? y : 2 * x), 0);
                check_close(g[1], elements(used == 0 ? x : ones({n}, dtype)), 0);
            }
        }
    }
}
