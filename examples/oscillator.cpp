/// A differential equation solved by a network (Raissi et al. 2019, Physics-informed neural networks,
/// doi:10.1016/j.jcp.2018.10.045): the loss is how far u(t) is from obeying u'' + 2 d u' + w^2 u = 0, u(0) = 1, u'(0) =
/// 0. The derivatives by t are those of a jvp within a jvp, and the tape differentiates them by the parameters.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <wengert/models/line_chart.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

namespace {

constexpr double damping = 0.4, frequency = 3, end = 4;

struct Network {
    Linear hidden, further, output;

    explicit Network(Generator& generator)
        : hidden(1, 32, generator), further(32, 32, generator), output(32, 1, generator) {
        name_parameters(*this);
    }

    /// t [n, 1] -> u [n, 1]. That u(0) = 1 and u'(0) = 0 is a matter of form: 1 + t^2 of anything has it.
    Tensor operator()(const Tensor& t) const {
        const Scope scope("network");
        return 1 + square(t) * output(tanh(further(tanh(hidden(t - end / 2)))));
    }

    void visit(auto&& f) {
        f("hidden", hidden);
        f("further", further);
        f("output", output);
    }
};

double exact(double t) {
    const double w = std::sqrt(frequency * frequency - damping * damping);
    return std::exp(-damping * t) * (std::cos(w * t) + damping / w * std::sin(w * t));
}

/// u'' + 2 d u' + w^2 u at each t [n, 1].
Tensor residual(const Network& network, const Tensor& t) {
    const Tensor one = ones(t.shape(), t.dtype());
    const auto slope = [&](const Tensor& at) { return jvp(network, at, one).tangent; };
    const auto [first, second] = jvp(slope, t, one);
    return second + 2 * damping * first + frequency * frequency * network(t);
}

}  // namespace

int main(int argc, char** argv) {
    int steps = 50;
    std::uint64_t seed = 1;
    read_flags(argc, argv, "Solves a damped oscillator's equation by a network.",
               {{"--steps", &steps, "Steps of training, of 20 iterations of L-BFGS each", 1, 1'000'000},
                {"--seed", &seed, "Of the first weights", 0, 1'000'000}});

    Generator generator(seed);
    Network network = to(Network(generator), Dtype::float64);
    Lbfgs optimizer(parameters(network), {.line_search = LineSearch::strong_wolfe});
    const Tensor times = unsqueeze(linspace(0, end, 81, Dtype::float64), 1);
    for (int step = 1; step <= steps; ++step) {
        const double loss = optimizer.step([&]() -> LossAndGradients {
            Tape tape;
            const Tensor square_mean = mean(square(residual(network, times)));
            return {square_mean.item<double>(), tape.gradient(square_mean, parameters(network))};
        });
        if (step % 10 == 0) fmt::print("step {:3}  mean square of the residual {:.3e}\n", step, loss);
    }

    const Tensor u = network(times);
    LineChart::Line solved{"the network", {}}, truth{"the solution", {}};
    double worst = 0;
    for (std::int64_t i = 0; i < times.numel(); ++i) {
        const double t = times.at<double>({i, 0}), value = u.at<double>({i, 0});
        solved.points.push_back({t, value});
        truth.points.push_back({t, exact(t)});
        worst = std::max(worst, std::abs(value - exact(t)));
    }
    fmt::print("largest error: {:.2e}\n", worst);
    write_svg({.title = "A damped oscillator", .x_label = "t", .y_label = "u", .lines = {solved, truth}},
              "oscillator.svg");
    fmt::print("both curves are drawn in oscillator.svg\n");
}
