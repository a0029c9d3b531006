/// A training loop of one's own on several machines: `mpirun -np 4 data_parallel`. Three lines make it so.
#include <cstdio>
#include <wengert/models/line_chart.hpp>
#include <wengert/nn/nn.hpp>

using namespace wengert;

/// [n, 2] -> [n, 1]: sin(3 x) y.
static Tensor targets_of(const Tensor& points) { return sin(slice(points, 1, 0, 1) * 3) * slice(points, 1, 1, 2); }

struct Surface {
    Linear inner, outer;

    explicit Surface(Generator& generator) : inner(2, 64, generator), outer(64, 1, generator) {
        name_parameters(*this);
    }

    /// [n, 2] -> [n, 1]
    Tensor operator()(const Tensor& points) const { return outer(tanh(inner(points))); }

    void visit(auto&& f) {
        f("inner", inner);
        f("outer", outer);
    }
};

/// Draws what the model says for y = 1, and what it should say.
static void draw(const Surface& model, const std::string& file) {
    const Tensor x = linspace(-1, 1, 41), points = stack({x, ones(x.shape())}, 1);
    const Tensor learnt = model(points), aimed_at = targets_of(points);
    LineChart::Line function{"sin(3 x)", {}}, network{"the network", {}};
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        function.points.push_back({x.at({i}), aimed_at.at({i, 0})});
        network.points.push_back({x.at({i}), learnt.at({i, 0})});
    }
    write_svg({.title = "A function learnt by several ranks",
               .x_label = "x",
               .y_label = "f(x, 1)",
               .lines = {function, network}},
              file);
}

int main() try {
    const auto world = mpi_communicator();  // first line: the ranks that mpirun started, or this process alone
    const auto rank = static_cast<std::uint64_t>(world->rank());
    Generator weights(1), draws(1, streams::part(streams::batches, rank));  // each rank has points of its own
    const Surface model(weights);
    const std::vector<Tensor> trained = parameters(model);
    world->broadcast(trained);  // second line: all begin alike
    Adam optimizer(trained, {.learning_rate = 1e-2});
    for (int step = 1; step <= 400; ++step) {
        const Tensor points = uniform({64, 2}, -1, 1, draws);
        Tape tape;
        const Tensor loss = mse_loss(model(points), targets_of(points));
        std::vector<Tensor> gradients = tape.gradient(loss, trained);
        world->all_reduce(gradients, ReduceOp::mean);  // third line: the gradient of all ranks' points
        optimizer.step(gradients);
        if (rank == 0 && step % 100 == 0) std::printf("step %d  loss %.5f\n", step, loss.item());
    }
    const Tensor unseen = uniform({1000, 2}, -1, 1, weights);
    const double error = mse_loss(model(unseen), targets_of(unseen)).item();
    if (rank == 0) std::printf("%d ranks, squared error of new points: %.6f\n", world->size(), error);
    for (const double other : world->all_gather(error))
        if (other != error) return 1;  // the ranks have come apart, which they never do
    if (rank == 0) {
        draw(model, "data_parallel.svg");
        std::puts("what they have learnt is drawn in data_parallel.svg");
    }
} catch (const Error& error) {
    std::fprintf(stderr, "data_parallel: %s\n", error.what());
    return 1;
}
