#include <wengert/ops/elementwise/internal/term.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/reduce/reductions.hpp>

using namespace wengert;

TEST_CASE("term: a long loop in a formula has a second derivative, and its length is not that of the stack") {
    constexpr int steps = 20'000;
    const Tensor x = tensor({0.1, 0.2}, Dtype::float64);
    Tape tape;
    tape.watch(x);
    const Tensor y = map(
        [](auto x) {
            auto y = 1.0 * x;
            for (int i = 0; i < steps; ++i) y = 0.5 * y * y + x;
            return y;
        },
        x);
    const Tensor slope = tape.gradient(sum(y), x, {.create_graph = true});
    const Tensor curvature = tape.gradient(sum(slope), x);
    // y = 1 - sqrt(1 - 2 x), the limit.
    for (const std::size_t i : {0U, 1U}) {
        const double root = std::sqrt(1 - 2 * x.to_vector<double>()[i]);
        CHECK(slope.to_vector<double>()[i] == doctest::Approx(1 / root));
        CHECK(curvature.to_vector<double>()[i] == doctest::Approx(1 / (root * root * root)));
    }
}
