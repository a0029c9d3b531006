/// Two spirals that wind around each other (Lang and Witbrock 1988), told apart by a small perceptron. It draws what it
/// thinks of every point of the plane.
#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

struct Perceptron {
    Linear first, second, output;

    explicit Perceptron(Generator& generator)
        : first(2, 32, generator), second(32, 32, generator), output(32, 1, generator) {
        name_parameters(*this);
    }

    /// points [N, 2] -> [N]: above 0 for the second spiral
    Tensor operator()(const Tensor& points) const { return squeeze(output(tanh(second(tanh(first(points))))), -1); }

    void visit(auto&& f) {
        f("first", first);
        f("second", second);
        f("output", output);
    }
};

struct Spirals {
    Tensor points;  ///< [N, 2]
    Tensor labels;  ///< [N]: 0 or 1, which spiral
};

/// Both arms turn twice; the second is the first, turned by half a circle.
static Spirals spirals(std::int64_t count, Generator& generator) {
    const Tensor labels = bernoulli(full({count}, 0.5), generator);
    const Tensor radius = sqrt(uniform({count}, 0.01, 1, generator));
    const Tensor angle = 4 * std::numbers::pi * radius + std::numbers::pi * labels;
    const Tensor points = stack({radius * cos(angle), radius * sin(angle)}, -1);
    return {points + normal(points.shape(), 0, 0.02, generator), labels};
}

static double accuracy(const Perceptron& model, const Spirals& data) {
    const Pause pause;  // what is only looked at need not be recorded
    return mean(convert((model(data.points) > 0) == data.labels, Dtype::float32)).item();
}

/// The model's probabilities as colours, and the points upon them.
static void draw(const Perceptron& model, const Spirals& data, const char* file) {
    constexpr std::int64_t cells = 120, size = 4;  // of the grid, and of a cell in pixels
    constexpr double edge = 1.15;                  // the picture shows [-edge, edge] of both axes
    const Tensor centres = edge * ((cast(arange(cells), Dtype::float32) + 0.5) * (2.0 / cells) - 1);
    const auto grid = meshgrid({centres, centres});
    const Tensor plane = stack({flatten(grid[1]), flatten(grid[0])}, -1);
    const std::vector<double> probabilities = sigmoid(model(plane)).to_vector<double>();

    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{0}\">\n"
        "<title>Two spirals and where the model parts them</title>\n<g shape-rendering=\"crispEdges\">\n",
        cells * size);
    // Blue, white and orange in eleven shades; neighbours of one shade are one rectangle.
    const auto shade = [&](std::int64_t cell) {
        return std::lround(10 * probabilities[static_cast<std::size_t>(cell)]);
    };
    for (std::int64_t row = 0; row < cells; ++row)
        for (std::int64_t column = 0, end = 0; column < cells; column = end) {
            const long colour = shade(row * cells + column);
            while (end < cells && shade(row * cells + end) == colour) ++end;
            const long light = 255 - 28 * std::abs(colour - 5);
            svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"rgb({},{},{})\"/>\n",
                               column * size, row * size, (end - column) * size, size, colour < 5 ? light : 255,
                               (light + 255) / 2, colour < 5 ? 255 : light);
        }
    svg += "</g>\n";
    const double scale = cells * size / (2 * edge);
    for (std::int64_t i = 0; i < data.labels.numel(); ++i)
        svg += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\" stroke=\"white\" stroke-width=\"0.7\"/>\n",
            (data.points.at({i, 0}) + edge) * scale, (data.points.at({i, 1}) + edge) * scale,
            data.labels.at({i}) > 0 ? "#d55e00" : "#0072b2");
    write_picture(svg + "</svg>\n", file);
}

int main(int argc, char** argv) {
    int steps = 1000;
    std::uint64_t seed = 1;
    read_flags(argc, argv, "Trains a perceptron to tell two spirals apart.",
               {{"--steps", &steps, "Steps of training", 1, 1'000'000},
                {"--seed", &seed, "Of data and first weights", 0, 1'000'000}});

    Generator generator(seed);
    const Spirals training = spirals(400, generator), held_out = spirals(1000, generator);
    Perceptron model(generator);
    Adam optimizer(parameters(model), {.learning_rate = 1e-2});
    for (int step = 1; step <= steps; ++step) {
        Tape tape;
        const Tensor loss = binary_cross_entropy_with_logits(model(training.points), training.labels);
        optimizer.step(tape.gradient(loss, parameters(model)));
        if (step % 100 == 0)
            fmt::print("step {:4}  loss {:.4f}  accuracy {:.3f}\n", step, loss.item(), accuracy(model, training));
    }
    fmt::print("accuracy on points that it has not seen: {:.3f}\n", accuracy(model, held_out));
    draw(model, training, "spirals.svg");
    fmt::print("the boundary is drawn in spirals.svg\n");
}
