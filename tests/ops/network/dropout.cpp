#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

#include <wengert/autograd/transform/checkpoint.hpp>
#include <wengert/ops/network/dropout.hpp>
#include <wengert/ops/reduce/reductions.hpp>

using namespace brute_force;

TEST_CASE("dropout: it keeps the mean, and its gradient is what it multiplied by") {
    const double p = 0.3;
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = ones({100000}, dtype);
        Generator generator(1);
        Tensor y;
        const Tensor g = gradients([&](const auto& in) { return y = dropout(in[0], p, generator); }, {x}, x)[0];
        const Values values = elements(y);
        double zeros = 0;
        for (const double v : values) {
            if (v == 0)
                ++zeros;
            else
                CHECK(v == doctest::Approx(1 / (1 - p)));
        }
        // Five standard deviations of a count of independent draws.
        CHECK(std::abs(zeros / 1e5 - p) < 5 * std::sqrt(p * (1 - p) / 1e5));
        CHECK(elements(g) == values);
    }
}

TEST_CASE("dropout: in a checkpoint it drops the same elements again") {
    const Tensor x = sample_values({50, 7}, -1, 1, 3);
    const auto run = [&](bool checkpoints) {
        Generator generator(1);
        const auto f = [&](const Tensor& z) {
            Tensor y = dropout(z * z, 0.5, generator);
            return y * normal(y.shape(), 0, generator.uniform(), generator, y.dtype()) + generator.normal();
        };
        Tape tape;
        tape.watch(x);
        const Tensor y = checkpoints ? checkpoint(f, x) : f(x);
        const std::uint64_t position = generator.position();
        const Tensor other = uniform({3}, 0, 1, generator);  // what is drawn meanwhile changes nothing
        const Values gradient = elements(tape.gradient(sum(y), x));
        return std::tuple{elements(y), gradient, position, generator.position(), elements(other)};
    };
    CHECK(run(true) == run(false));
}

TEST_CASE("dropout: it follows its generator") {
    const Tensor x = ones({64});
    Generator a(1), b(1), c(2);
    const Values first = elements(dropout(x, 0.5, a));
    CHECK(elements(dropout(x, 0.5, b)) == first);
    CHECK(elements(dropout(x, 0.5, b)) != first);
    CHECK(elements(dropout(x, 0.5, c)) != first);
    CHECK(dropout(x, 0, a).same_as(x));
    check_refused<ValueError>("dropout: p is 1, outside [0, 1)", [&] { dropout(x, 1, a); });
    check_refused<ValueError>("dropout: p is -0.1, outside [0, 1)", [&] { dropout(x, -0.1, a); });
    CHECK_THROWS_AS(dropout(x, not_a_number, a), ValueError);
    check_refused<DtypeError>("dropout: the operand is int64; float32 or float64 is needed",
                              [&] { dropout(arange(3), 0.5, a); });
    check_refused<ValueError>("dropout: operand 0 is an undefined tensor", [&] { dropout(Tensor(), 0.5, a); });
}

TEST_CASE("dropout: along shared axes elements are dropped together") {
    const Tensor x = sample_values({4, 5, 6}, 1, 2, 3);
    for (int set = 0; set < 8; ++set) {
        CAPTURE(set);
        Generator generator(7), same(7);
        const Tensor y = dropout(x, 0.4, generator, axes_of(set, 3));
        // The mask is that of a tensor of length 1 along them.
        const Tensor mask = dropout(ones(without(x.shape(), set).first, Dtype::float64), 0.4, same);
        CHECK(generator.position() == same.position());
        CHECK(elements(y) == elements(x * mask));
        CHECK(dropout(x, 0, generator, axes_of(set, 3)).same_as(x));
    }
    // Each feature at all steps or at none, and both happen.
    Generator generator(1);
    const Tensor steps = dropout(ones({8, 5, 16}), 0.5, generator, 1);
    double dropped = 0;
    for_each_index({8, 1, 16}, [&](const Shape& at) {
        const double first = element(steps, at);
        dropped += first == 0;
        for (std::int64_t t = 1; t < 5; ++t) CHECK(element(steps, {at[0], t, at[2]}) == first);
    });
    CHECK(std::abs(dropped / 128 - 0.5) < 5 * std::sqrt(0.25 / 128));
    check_refused<ShapeError>("dropout: axis 3 does not exist in a tensor of 3 axes",
                              [&] { dropout(x, 0.4, generator, 3); });
    check_refused<ShapeError>("dropout: axis -4 does not exist in a tensor of 3 axes",
                              [&] { dropout(x, 0, generator, -4); });
}
