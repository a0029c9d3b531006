/// The adding problem (Hochreiter and Schmidhuber 1997, Long short-term memory): of a sequence of random numbers two
/// are marked, far from each other, and an LSTM that has read all is asked for their sum.
#include <fmt/format.h>

#include <wengert/models/line_chart.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

struct Adder {
    Lstm lstm;
    Linear output;

    explicit Adder(Generator& generator) : lstm(2, 48, generator), output(48, 1, generator) { name_parameters(*this); }

    /// numbers [B, T, 2] -> [B]
    Tensor operator()(const Tensor& numbers) const {
        const Tensor last = select(lstm(numbers).outputs, 1, -1);
        return squeeze(output(last), -1);
    }

    void visit(auto&& f) {
        f("lstm", lstm);
        f("output", output);
    }
};

struct Sums {
    Tensor numbers;  ///< [B, T, 2]: a number in [0, 1), and 1 if it is marked, else 0
    Tensor sums;     ///< [B]
};

/// One mark stands in the first half, one in the second.
static Sums draw(std::int64_t batch, std::int64_t length, Generator& generator) {
    const std::int64_t half = length / 2;
    std::vector<std::int64_t> first, second;
    for (std::int64_t b = 0; b < batch; ++b) {
        first.push_back(static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(half))));
        second.push_back(half + static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(length - half))));
    }
    const Tensor marks = one_hot(tensor(first, {batch}), length) + one_hot(tensor(second, {batch}), length);
    const Tensor values = uniform({batch, length}, 0, 1, generator);
    return {stack({values, marks}, -1), sum(values * marks, 1)};
}

static double squared_error(const Adder& model, const Sums& data) {
    const Pause pause;  // what is only looked at need not be recorded
    return mse_loss(model(data.numbers), data.sums).item();
}

int main(int argc, char** argv) {
    int steps = 1200;
    std::uint64_t seed = 1;
    std::int64_t length = 30;
    read_flags(argc, argv, "Trains an LSTM on the adding problem.",
               {{"--steps", &steps, "Steps of training", 1, 1'000'000},
                {"--seed", &seed, "Of data and first weights", 0, 1'000'000},
                {"--length", &length, "Numbers in a sequence", 2, 1000}});

    Generator generator(seed);
    Adder model(generator);
    Adam optimizer(parameters(model), {.learning_rate = 5e-3});
    const Sums held_out = draw(500, length, generator);
    LineChart::Line lstm{"LSTM", {}}, blind{"always 1", {}};
    for (int step = 1; step <= steps; ++step) {
        const Sums batch = draw(64, length, generator);
        Tape tape;
        const Tensor loss = mse_loss(model(batch.numbers), batch.sums);
        std::vector<Tensor> gradients = tape.gradient(loss, parameters(model));
        clip_gradient_norm(gradients, 1);
        optimizer.step(gradients);
        if (step % 50 == 0 || step == steps) {
            lstm.points.push_back({static_cast<double>(step), squared_error(model, held_out)});
            blind.points.push_back({static_cast<double>(step), 1.0 / 6});  // the variance of the sum of two
            fmt::print("step {:4}  squared error {:.5f}\n", step, lstm.points.back().y);
        }
    }
    const Tensor wrong = abs(model(held_out.numbers) - held_out.sums) > 0.1;
    fmt::print("squared error of new sequences: {:.5f}; always 1 has {:.5f}; wrong by more than 0.1: {:.1f} %\n",
               squared_error(model, held_out), 1.0 / 6, 100 * mean(convert(wrong, Dtype::float32)).item());
    write_svg({.title = "The adding problem", .x_label = "step", .y_label = "squared error", .lines = {lstm, blind}},
              "adding.svg");
    fmt::print("the error is drawn in adding.svg\n");
}
