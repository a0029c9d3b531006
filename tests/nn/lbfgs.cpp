#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>
#include <wengert/nn/lbfgs.hpp>
#include <wengert/ops/ops.hpp>

#include "optimizer_makers.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

/// Rosenbrock's valley in any number of dimensions, whose least value is 0 at ones.
LossAndGradients rosenbrock(const Tensor& x) {
    Tape tape;
    tape.watch(x);
    const std::int64_t n = x.dim(0);
    const Tensor head = slice(x, 0, 0, n - 1), tail = slice(x, 0, 1, n);
    const Tensor loss = sum(100.0 * square(tail - square(head)) + square(1.0 - head));
    return {loss.item(), tape.gradient(loss, std::vector{x})};
}

Tensor valley_start() { return parameter(tensor({-1.2, 1, 0.5, -0.7}, Dtype::float64)); }

/// Σ weight (x - target)² / 2 of two parameters.
struct Bowl {
    Tensor a = parameter(zeros({2}, Dtype::float64), "a"), b = parameter(zeros({1, 2}, Dtype::float64), "b");
    int calls = 0;

    LossAndGradients operator()() {
        ++calls;
        const Tensor da = a - tensor({1, -2}, Dtype::float64), db = b - tensor({3, 0.5}, {1, 2}, Dtype::float64);
        return {(sum(square(da)) * 0.5 + sum(square(db)) * 5.0).item(), {da * 1.0, db * 10.0}};
    }
};

}  // namespace

TEST_CASE("lbfgs: its steps are PyTorch's, with as many evaluations") {
    const std::vector<std::pair<std::string, LbfgsOptions>> cases{
        {"fixed", {.learning_rate = 0.1, .max_iterations = 5}},
        {"short_history", {.learning_rate = 0.5, .max_iterations = 4, .history = 2}},
        {"wolfe", {.max_iterations = 5, .line_search = LineSearch::strong_wolfe}},
        {"few_evaluations",
         {.learning_rate = 3,
          .max_iterations = 6,
          .max_evaluations = 5,
          .history = 3,
          .line_search = LineSearch::strong_wolfe}},
    };
    const parity::Fixture fixture("adaptive_optimisers", parity::precisions[0]);
    for (const auto& [name, options] : cases) {
        CAPTURE(name);
        const Tensor x = valley_start(), after = fixture["lbfgs." + name];
        Lbfgs optimizer({x}, options);
        for (std::int64_t step = 0; step < after.dim(0); ++step) {
            CAPTURE(step);
            optimizer.step([&] { return rosenbrock(x); });
            CHECK(difference(x, slice(select(after, 0, step), 0, 0, 4), 1e-7) == "");
            CHECK(static_cast<double>(optimizer.evaluation_count()) == after.at<double>({step, 4}));
        }
    }
}

TEST_CASE("lbfgs: it finds the bottom of Rosenbrock's valley, in float32 too") {
    for (const Dtype dtype : {Dtype::float64, Dtype::float32}) {
        CAPTURE(to_string(dtype));
        const Tensor x = parameter(tensor({-1.2, 1}, dtype));
        Lbfgs optimizer({x}, {.max_iterations = 100, .line_search = LineSearch::strong_wolfe});
        optimizer.step([&] { return rosenbrock(x); });
        CHECK(difference(x, ones({2}, dtype), dtype == Dtype::float64 ? 1e-4 : 1e-3) == "");
        CHECK(optimizer.iteration_count() < 60);
    }
}

TEST_CASE("lbfgs: a quadratic function of several parameters") {
    for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
        Bowl bowl;
        Lbfgs optimizer({bowl.a, bowl.b}, {.line_search = line_search});
        const double before = optimizer.step([&] { return bowl(); });
        CHECK(before == doctest::Approx(0.5 * 5 + 5 * 9.25));
        CHECK(difference(bowl.a, tensor({1, -2}, Dtype::float64), 1e-6) == "");
        CHECK(difference(bowl.b, tensor({3, 0.5}, {1, 2}, Dtype::float64), 1e-5) == "");
        CHECK(optimizer.evaluation_count() == bowl.calls);
        // At the bottom there is nothing to do.
        const int calls = bowl.calls;
        const Tensor a = bowl.a.clone();
        optimizer.step([&] { return bowl(); });
        CHECK(bowl.calls <= calls + 2);
        CHECK(difference(bowl.a, a, 1e-8) == "");
    }
}

TEST_CASE("lbfgs: another optimizer goes on from a state") {
    const LbfgsOptions options{.learning_rate = 0.5, .max_iterations = 3, .history = 4};
    const Tensor x = valley_start();
    Lbfgs optimizer({x}, options);
    for (int i = 0; i < 3; ++i) optimizer.step([&] { return rosenbrock(x); });
    NamedTensors state;
    for (const auto& [name, tensor] : optimizer.state()) state.emplace_back(name, tensor.clone());
    const Tensor y = parameter(x);
    optimizer.step([&] { return rosenbrock(x); });

    Lbfgs other({y}, {.learning_rate = 7, .max_iterations = 3, .history = 4});
    other.load_state(state);
    CHECK(other.learning_rate() == 0.5);
    other.step([&] { return rosenbrock(y); });
    CHECK(difference(y, x, 0) == "");
    CHECK(other.iteration_count() == optimizer.iteration_count());
    CHECK(other.evaluation_count() == optimizer.evaluation_count());

    Lbfgs shorter({y}, {.history = 1});
    const auto of = [&](std::string_view what) {
        NamedTensors changed = state;
        std::erase_if(changed, [&](const auto& entry) { return entry.first == what; });
        return changed;
    };
    check_refused<ValueError>("load_state: 4 changes are more than the history of 1",
                              [&] { shorter.load_state(state); });
    check_refused<ValueError>("load_state: the tensors are not those that are needed; missing: d [4]",
                              [&] { other.load_state(of("d")); });
    NamedTensors negative = of("n_iter");
    negative.emplace_back("n_iter", tensor(std::vector<std::int64_t>{-1}, {}));
    check_refused<ValueError>("load_state: -1 iterations and 9 evaluations", [&] { other.load_state(negative); });
    CHECK(other.iteration_count() == optimizer.iteration_count());
}

TEST_CASE("lbfgs: what fails leaves the parameters as they were before the change") {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
        Bowl bowl;
        Lbfgs optimizer({bowl.a, bowl.b}, {.line_search = line_search});
        const auto fails_at = [&bowl](int call) {
            return [&bowl, call] {
                if (bowl.calls + 1 == call) throw ValueError("no data");
                return bowl();
            };
        };
        check_refused<ValueError>("step: no data", [&] { optimizer.step(fails_at(2)); });
        CHECK(bowl.a.to_vector<double>() == std::vector<double>{0, 0});
        CHECK(bowl.b.to_vector<double>() == std::vector<double>{0, 0});
    }
    Bowl bowl;
    Lbfgs optimizer({bowl.a, bowl.b});
    check_refused<NonFiniteError>("step: the loss is inf", [&] {
        optimizer.step([&] { return LossAndGradients{infinity, bowl().gradients}; });
    });
    const Tensor nan = full({2}, std::nan(""), Dtype::float64);
    check_refused<NonFiniteError>(
        "step: 2 of the 2 elements of the gradient of parameter \"a\" [2] are NaN or infinite", [&] {
            optimizer.step([&] { return LossAndGradients{1, {nan, bowl.b * 1.0}}; });
        });
    check_refused<ShapeError>("step: 1 gradients for 2 parameters, the last of which is \"b\"", [&] {
        optimizer.step([&] { return LossAndGradients{1, {bowl.a * 1.0}}; });
    });
}

TEST_CASE("lbfgs: a line search comes back from where the loss is infinite or NaN") {
    for (const double beyond : {std::numeric_limits<double>::infinity(), std::nan("")}) {
        const Tensor x = parameter(tensor({0.9}, Dtype::float64));
        Lbfgs optimizer({x}, {.learning_rate = 50, .line_search = LineSearch::strong_wolfe});
        optimizer.step([&]() -> LossAndGradients {
            const double at = x.item();
            if (at <= 0) return {beyond, {full({1}, std::nan(""), Dtype::float64)}};
            return {at - 0.5 * std::log(at), {tensor({1 - 0.5 / at}, Dtype::float64)}};
        });
        CHECK(x.item() == doctest::Approx(0.5).epsilon(1e-6));
    }
}

TEST_CASE("lbfgs: options outside their domain") {
    const std::vector<Tensor> p{parameter(ones({2}))};
    CHECK_THROWS_WITH_AS(Lbfgs(p, {.learning_rate = -1}), "the learning rate is -1, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Lbfgs(p, {.max_iterations = 0}), "max_iterations is 0, not in [1, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Lbfgs(p, {.max_evaluations = -1}), "max_evaluations is -1, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Lbfgs(p, {.tolerance_gradient = -1}), "tolerance_gradient is -1, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Lbfgs(p, {.tolerance_change = -1}), "tolerance_change is -1, not in [0, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Lbfgs(p, {.history = 0}), "history is 0, not in [1, inf)", ValueError);
    CHECK_THROWS_WITH_AS(Lbfgs({}), "an optimizer needs parameters", ValueError);
}
