/// A model of one's own: a GRU reads a curve and predicts its next point. Layers are structs with one `visit`.
#include <cmath>
#include <cstdio>
#include <wengert/models/line_chart.hpp>
#include <wengert/nn/nn.hpp>

using namespace wengert;

struct NextPoint {
    Gru gru;
    Linear output;

    explicit NextPoint(Generator& generator) : gru(1, 32, generator), output(32, 1, generator) {
        name_parameters(*this);
    }

    /// curve [B, T, 1] -> [B, T, 1]: what follows each point
    Tensor operator()(const Tensor& curve) const {
        const Scope scope("next_point");  // errors, pictures and reports name it
        return output(gru(curve).outputs);
    }

    void visit(auto&& f) {
        f("gru", gru);
        f("output", output);
    }
};

/// Sine waves of random frequency and phase: [B, T + 1, 1].
static Tensor waves(std::int64_t batch, std::int64_t points, Generator& generator) {
    std::vector<float> values;
    for (std::int64_t b = 0; b < batch; ++b) {
        const double frequency = 0.2 + 0.4 * generator.uniform(), phase = 6.28 * generator.uniform();
        for (std::int64_t t = 0; t <= points; ++t)
            values.push_back(static_cast<float>(std::sin(phase + frequency * static_cast<double>(t))));
    }
    return tensor(values, {batch, points + 1, 1});
}

/// Draws the points of a curve, and what the model says of each from those before it.
static void draw(const NextPoint& model, const Tensor& curve, const std::string& file) {
    const std::int64_t points = curve.dim(1) - 1;
    const Tensor predicted = model(slice(curve, 1, 0, points));
    LineChart::Line seen{"the curve", {}}, said{"predicted", {}};
    for (std::int64_t t = 0; t < points; ++t) {
        seen.points.push_back({static_cast<double>(t + 1), curve.at({0, t + 1, 0})});
        said.points.push_back({static_cast<double>(t + 1), predicted.at({0, t, 0})});
    }
    write_svg({.title = "The next point of a curve", .x_label = "point", .y_label = "value", .lines = {seen, said}},
              file);
}

/// Trains a model, one with the weights of a file if there is one: own_model [FILE]
int main(int argc, char** argv) try {
    Generator generator(1);
    NextPoint model(generator);
    if (argc > 1) load(model, argv[1]);
    Adam optimizer(parameters(model), {.learning_rate = 3e-3});
    std::printf("%lld parameters\n", static_cast<long long>(parameter_count(model)));
    for (int step = 1; step <= 300; ++step) {
        const Tensor curve = waves(32, 24, generator);
        Tape tape;
        const Tensor error = model(slice(curve, 1, 0, 24)) - slice(curve, 1, 1, 25);
        const Tensor loss = mean(error * error);
        optimizer.step(tape.gradient(loss, parameters(model)));
        if (step == 1 || step % 50 == 0) std::printf("step %d  loss %.5f\n", step, loss.item());
    }
    save(model, "next_point.safetensors");
    std::puts("saved as next_point.safetensors, which PyTorch reads too");
    draw(model, waves(1, 40, generator), "own_model.svg");
    std::puts("what it says of a new curve is drawn in own_model.svg");
} catch (const Error& error) {
    std::fprintf(stderr, "own_model: %s\n", error.what());
    return 1;
}
