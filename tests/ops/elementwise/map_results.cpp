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

TEST_CASE("map: an infinite derivative of a result that nobody uses is no NaN, in a recorded pass neither") {
    const auto both = [](auto p, auto q) { return std::tuple{p * q, sqrt(p - p) * q, log(p - p)}; };
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        for (const std::int64_t n : {3, 16, 37, 200}) {
            for (const bool is_recorded : {false, true}) {
                const Tensor p = full({n}, 2, dtype), q = full({n}, 3, dtype);
                Tape tape;
                tape.watch(p);
                tape.watch(q);
                const auto results = map(both, p, q);
                const std::vector<Tensor> g = tape.gradient(sum(results[0]), {p, q}, {.create_graph = is_recorded});
                check_close(g[0], elements(q), 0);
                check_close(g[1], elements(p), 0);
            }
        }
    }
}

TEST_CASE("map: parts of results that are used leave the others out of a recorded pass") {
    const auto three = [](auto p) { return std::tuple{p * p, sqrt(p - p), p * p * p}; };
    const Tensor p = tensor({1, 2, 3}, {3}, Dtype::float64);
    Tape tape;
    tape.watch(p);
    const auto results = map(three, p);
    const Tensor used = sum(results[0]) + sum(results[2]) + sum(results[0]);
    const Tensor g = tape.gradient(used, p, {.create_graph = true});
    check_close(g, elements(4 * p + 3 * p * p), 1e-14);
    check_close(tape.gradient(sum(g), p), elements(4 + 6 * p), 1e-14);
}
