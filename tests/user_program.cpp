// What a user's program includes and instantiates, compiled with more warnings than we use ourselves.
#include <cstdio>
#include <wengert/wengert.hpp>

using namespace wengert;

namespace {

/// A model of the user's own: layers in a struct with one `visit`.
struct Classifier {
    Gru gru;
    Linear output;

    explicit Classifier(Generator& generator) : gru(3, 8, generator), output(8, 4, generator) {
        name_parameters(*this);
    }

    Tensor operator()(const Tensor& x) const {
        const Scope scope("classifier");
        return mean(output(gru(x).outputs), 1);
    }

    void visit(auto&& f) {
        f("gru", gru);
        f("output", output);
    }
};

}  // namespace

int main() {
    Generator generator(1);
    Classifier model(generator);
    Adam optimizer(parameters(model), {.learning_rate = 0.01});
    const Tensor x = normal({4, 5, 3}, 0, 1, generator), labels = tensor({0, 1, 2, 3}, {4}, Dtype::int64);
    double first = 0, last = 0;
    for (int step = 0; step < 20; ++step) {
        Tape tape;
        // One fused op of every kind of function.
        const Tensor inputs = map(
            [](auto a, auto b) { return where(a > 0.15, a * tanh(b) + sqrt(abs(a) + 1.0), maximum(exp(-a), b) / 2.0); },
            x, x);
        const Tensor penalty = map_sum([](auto a, auto b) { return sigmoid(a) * sin(b) - pow(b, 2.0); }, -1, x, inputs);
        const Tensor loss = cross_entropy(model(inputs), labels) + mean(penalty) * 0.001;
        last = loss.item();
        if (step == 0) first = last;
        optimizer.step(tape.gradient(loss, parameters(model)));
    }
    std::printf("loss %g -> %g\n", first, last);
    return last < first ? 0 : 1;
}
