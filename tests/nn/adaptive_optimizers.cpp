#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>
#include <wengert/nn/adaptive_optimizers.hpp>
#include <wengert/ops/shape/views.hpp>

#include "optimizer_makers.hpp"
#include "parity.hpp"

using namespace wengert;

TEST_CASE("adaptive optimizers: their steps are PyTorch's") {
    const std::vector<std::pair<std::string, Maker>> cases{
        {"rmsprop", maker<RmsProp>(RmsPropOptions{.alpha = 0.9})},
        {"rmsprop_momentum", maker<RmsProp>(RmsPropOptions{.alpha = 0.9, .momentum = 0.8})},
        {"rmsprop_centered", maker<RmsProp>(RmsPropOptions{.alpha = 0.9, .weight_decay = 0.1, .centered = true})},
        {"rmsprop_both", maker<RmsProp>(RmsPropOptions{.alpha = 0.9, .momentum = 0.8, .centered = true})},
        {"adagrad", maker<Adagrad>(AdagradOptions{.learning_rate_decay = 0.1, .weight_decay = 0.1})},
        {"nadam", maker<NAdam>(NAdamOptions{.learning_rate = 0.01, .weight_decay = 0.1, .momentum_decay = 0.1})},
        {"radam", maker<RAdam>(RAdamOptions{.learning_rate = 0.01, .beta2 = 0.99, .weight_decay = 0.1})},
    };
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("adaptive_optimisers", precision);
        for (const auto& [name, make] : cases) {
            CAPTURE(name);
            const Tensor p = parameter(fixture["start"]), after = fixture["after." + name];
            const auto optimizer = make({p});
            for (std::int64_t step = 0; step < after.dim(0); ++step) {
                optimizer->step({select(fixture["gradients"], 0, step)});
                CHECK(difference(p, select(after, 0, step), precision.tolerance) == "");
            }
        }
    }
}

TEST_CASE("adaptive optimizers: LAMB and Lion, two steps by hand") {
    const Tensor p = parameter(tensor({3, 4}, Dtype::float64)), g = tensor({0.5, 0}, Dtype::float64);
    SUBCASE("LAMB goes as far as the parameter is long") {
        Lamb optimizer({p}, {.learning_rate = 0.1, .epsilon = 0.5, .weight_decay = 0.1});
        double x = 3, y = 4;
        for (int step = 0; step < 2; ++step) {
            optimizer.step({g});
            // Corrected for its bias, each average of equal gradients is the gradient.
            const double dx = 0.5 / (0.5 + 0.5) + 0.1 * x, dy = 0.1 * y;
            const double scale = 0.1 * std::hypot(x, y) / std::hypot(dx, dy);
            x -= scale * dx;
            y -= scale * dy;
            CHECK(difference(p, tensor({x, y}, Dtype::float64), 1e-13) == "");
        }
    }
    SUBCASE("LAMB of a parameter of zeros") {
        const Tensor zero = parameter(zeros({2}, Dtype::float64));
        Lamb({zero}, {.learning_rate = 0.1, .epsilon = 0.5}).step({g});
        CHECK(difference(zero, tensor({-0.05, 0}, Dtype::float64), 1e-15) == "");
    }
    SUBCASE("Lion knows signs only") {
        Lion optimizer({p}, {.learning_rate = 0.1, .beta1 = 0.5, .beta2 = 0.75, .weight_decay = 0.2});
        optimizer.step({g});
        CHECK(difference(p, tensor({3 * 0.98 - 0.1, 4 * 0.98}, Dtype::float64), 1e-15) == "");
        optimizer.step({tensor({-0.1, 1}, Dtype::float64)});  // what is kept, 0.125, still outweighs -0.1
        CHECK(difference(p, tensor({(3 * 0.98 - 0.1) * 0.98 - 0.1, 4 * 0.98 * 0.98 - 0.1}, Dtype::float64), 1e-14) ==
              "");
    }
}

TEST_CASE("adaptive optimizers: NAdam goes on from a state of an earlier step") {
    const Tensor g = tensor({0.5, -0.2}, Dtype::float64), p = parameter(tensor({3, 4}, Dtype::float64));
    NAdam optimizer({p}, {.learning_rate = 0.1, .momentum_decay = 0.1});
    optimizer.step({g});
    NamedTensors state;
    for (const auto& [name, x] : optimizer.state()) state.emplace_back(name, x.clone());
    const Tensor before = p.clone();
    optimizer.step({g});
    const Tensor after = p.clone();
    optimizer.step({g});
    optimizer.load_state(state);
    write(before, {p});
    optimizer.step({g});
    CHECK(difference(p, after, 0) == "");
}

TEST_CASE("adaptive optimizers: options outside their domain") {
    const std::vector<Tensor> p{parameter(ones({2}))};
    CHECK_THROWS_WITH_AS(RmsProp(p, {.alpha = 1}), "alpha is 1, not in [0, 1)", ValueError);
    CHECK_THROWS_WITH_AS(RmsProp(p, {.momentum = -1}), "momentum is -1, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Adagrad(p, {.learning_rate_decay = -1}), "learning_rate_decay is -1, not in [0, inf)",
                         ValueError);
    CHECK_THROWS_WITH_AS(NAdam(p, {.momentum_decay = -1}), "momentum_decay is -1, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(RAdam(p, {.beta2 = 1}), "beta2 is 1, not in [0, 1)", ValueError);
    CHECK_THROWS_WITH_AS(Lamb(p, {.epsilon = -1}), "epsilon is -1, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Lion(p, {.beta1 = 2}), "beta1 is 2, not in [0, 1)", ValueError);
}
