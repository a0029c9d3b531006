/// A regression that knows how sure it is: a perceptron says of each x a mean and a deviation, trained by the
/// likelihood of what was seen. Where data are noisy the deviation is large.
#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <wengert/models/line_chart.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

namespace {

struct Distribution {
    Tensor mean, deviation;  // [n]
};

struct Network {
    Linear hidden, further, output;

    explicit Network(Generator& generator)
        : hidden(1, 24, generator), further(24, 24, generator), output(24, 2, generator) {
        name_parameters(*this);
    }

    /// Of each x [n].
    Distribution operator()(const Tensor& x) const {
        const Scope scope("network");
        const Tensor y = output(tanh(further(tanh(hidden(unsqueeze(x, 1))))));
        return {select(y, 1, 0), softplus(select(y, 1, 1)) + 1e-3};
    }

    void visit(auto&& f) {
        f("hidden", hidden);
        f("further", further);
        f("output", output);
    }
};

/// - log N(y; mean, deviation), of each example.
Tensor surprise(const Distribution& d, const Tensor& y) {
    return map(
        [](auto y, auto mean, auto deviation) {
            const auto z = (y - mean) / deviation;
            return 0.5 * (z * z + std::log(2 * std::numbers::pi)) + log(deviation);
        },
        y, d.mean, d.deviation);
}

/// The deviation that the data have: small at the left, large at the right.
Tensor noise_at(const Tensor& x) { return 0.05 + 0.12 * (x + 2); }

struct Data {
    Tensor x, y;  // [n]
};
Data draw(std::int64_t n, Generator& generator) {
    const Tensor x = uniform({n}, -2, 2, generator);
    return {x, sin(2 * x) + noise_at(x) * normal({n}, 0, 1, generator)};
}

LineChart::Line line(const std::string& name, const Tensor& x, const Tensor& y) {
    LineChart::Line result{name, {}};
    for (std::int64_t i = 0; i < x.numel(); ++i) result.points.push_back({x.at({i}), y.at({i})});
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    int steps = 1000;
    std::uint64_t seed = 1;
    read_flags(argc, argv, "Fits a curve, and how far data scatter around it.",
               {{"--steps", &steps, "Steps of training", 1, 1'000'000},
                {"--seed", &seed, "Of data and first weights", 0, 1'000'000}});

    Generator generator(seed);
    const Data training = draw(1000, generator), held_out = draw(4000, generator);
    Network network(generator);
    Adam optimizer(parameters(network), {.learning_rate = 5e-3});
    for (int step = 1; step <= steps; ++step) {
        Tape tape;
        const Tensor loss = mean(surprise(network(training.x), training.y));
        optimizer.step(tape.gradient(loss, parameters(network)));
        if (step % 100 == 0) fmt::print("step {:4}  negative log likelihood {:.4f}\n", step, loss.item());
    }

    const Distribution seen = network(held_out.x);
    const Tensor inside = abs(held_out.y - seen.mean) < 1.96 * seen.deviation;
    const double error = mean(abs(seen.deviation - noise_at(held_out.x))).item();
    fmt::print("new points within 1.96 deviations of the mean, of which there should be 95 %: {:.1f} %\n",
               100 * mean(cast(inside, Dtype::float32)).item());
    fmt::print("mean error of the deviation, which is 0.29 in the mean: {:.3f}\n", error);

    const Tensor x = linspace(-2, 2, 81);
    const Distribution fitted = network(x);
    write_svg({.title = "A regression and how sure it is",
               .x_label = "x",
               .y_label = "y",
               .lines = {line("mean", x, fitted.mean), line("97.5 % below", x, fitted.mean + 1.96 * fitted.deviation),
                         line("2.5 % below", x, fitted.mean - 1.96 * fitted.deviation),
                         line("the true mean", x, sin(2 * x))}},
              "regression.svg");
    fmt::print("the curve and its band are drawn in regression.svg\n");
}
