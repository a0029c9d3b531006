// Covers autograd/transform/draws.hpp
#include <doctest/doctest.h>

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/transform/checkpoint.hpp>
#include <wengert/autograd/transform/draws.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

/// Layers tanh(h w), each with a weight of its own.
struct Layers {
    std::vector<Tensor> weights;
    explicit Layers(int count, std::int64_t size = 2) {
        for (int k = 0; k < count; ++k) {
            Tensor w = Tensor::empty({size, size}, Dtype::float64);
            for (std::int64_t i = 0; i < w.numel(); ++i)
                w.mutable_data<double>()[i] = std::sin(static_cast<double>(i + 7 * k + 1)) / static_cast<double>(size);
            weights.push_back(w.set_parameter());
        }
    }
    Tensor operator()(std::size_t k, const Tensor& h) const { return tiny::tanh(product(h, weights[k])); }
};

/// A source of random numbers, as ops/random has it.
struct Source {
    std::uint64_t position = 0;
    Tensor scaled(const Tensor& x) { return scale(x, static_cast<double>(1 + Draws::take(position, 1))); }
};

}  // namespace

TEST_CASE("checkpoint: values and gradients are bit for bit those without") {
    const Layers layers(6);
    const Tensor x = matrix({0.5, -0.2, 0.9, 0.1}, 2);
    const auto run = [&](bool checkpoints) {
        Tape tape;
        tape.watch(x);
        Tensor h = x;
        for (std::size_t k = 0; k < 6; k += 2) {
            const auto two = [&layers, k](const Tensor& h) { return layers(k + 1, layers(k, h)); };
            h = checkpoints ? checkpoint(two, h) : two(h);
        }
        std::vector<Tensor> by = layers.weights;
        by.push_back(x);
        std::vector<Values> results{elements(h)};
        for (const Tensor& gradient : tape.gradient(sum(h), by)) results.push_back(elements(gradient));
        return results;
    };
    CHECK(run(true) == run(false));
}

TEST_CASE("checkpoint: the tape keeps the arguments alone, and memory is the square root of the length") {
    constexpr std::int64_t size = 64, bytes = size * size * 8;
    constexpr std::size_t count = 16;
    const Layers layers(static_cast<int>(count), size);
    const Tensor x = full({size, size}, 0.1, Dtype::float64);
    const auto peak_of = [&](bool checkpoints, std::size_t& saved) {
        Tape tape;
        Tensor h = x;
        for (std::size_t k = 0; k < count; k += 4) {
            const auto four = [&layers, k](Tensor h) {
                for (std::size_t i = 0; i < 4; ++i) h = layers(k + i, h);
                return h;
            };
            h = checkpoints ? checkpoint(four, h) : four(h);
        }
        const Tensor loss = sum(h);
        h = Tensor();
        saved = saved_bytes(tape);
        tape.gradient(loss, layers.weights[0]);
        return saved_bytes(tape);
    };
    std::size_t plain = 0, less = 0;
    CHECK(peak_of(false, plain) == 0);
    CHECK(peak_of(true, less) == 0);
    // Weights, x, and each layer's product and tanh; weights, and the four arguments.
    CHECK(plain >= (count + 1 + count) * bytes);
    CHECK(less == (count + 4) * bytes);
}

TEST_CASE("checkpoint: what the function captures gets its gradient, too") {
    const Tensor x = vector({2, 3});
    Tensor w = vector({5, 7});
    w.set_parameter();
    Tape tape;
    tape.watch(x);
    SUBCASE("a parameter, a watched tensor, and what was computed from both") {
        const Tensor u = mul(w, x);
        const Tensor y = checkpoint([&](const Tensor& z) { return mul(mul(z, u), mul(w, x)); }, mul(x, x));  // w^2 x^4
        CHECK(elements(y) == Values{25 * 16, 49 * 81});
        const std::vector<Tensor> gradients = tape.gradient(sum(y), {w, x, u});
        CHECK(elements(gradients[0]) == Values{2 * 5 * 16, 2 * 7 * 81});
        CHECK(elements(gradients[1]) == Values{4 * 25 * 8, 4 * 49 * 27});
        CHECK(elements(gradients[2]) == Values{4 * 10, 9 * 21});
    }
    SUBCASE("the argument itself") {
        const Tensor y = checkpoint([&](const Tensor& z) { return mul(z, x); }, x);
        CHECK(elements(tape.gradient(sum(y), x)) == Values{4, 6});
    }
    SUBCASE("twice the same argument, one that is not followed, and none that is") {
        const auto f = [](const Tensor& a, const Tensor& b, const Tensor& c) { return mul(a, mul(b, c)); };
        CHECK(elements(tape.gradient(sum(checkpoint(f, x, x, vector({10, 100}))), x, {.retain_graph = true})) ==
              Values{40, 600});
        const Tensor constant = checkpoint(f, vector({1}), vector({2}), vector({3}));
        CHECK(constant.item() == 6);
        CHECK(tape.find(constant) == no_node);
        const Tensor by_w = checkpoint([&](const Tensor& a) { return mul(a, w); }, vector({1, 2}));
        CHECK(elements(tape.gradient(sum(by_w), w)) == Values{1, 2});
    }
    SUBCASE("as its result") {
        CHECK(elements(tape.gradient(sum(checkpoint([](const Tensor& z) { return z; }, x)), x)) == Values{1, 1});
        const Tensor y = mul(x, x);
        const Tensor captured = checkpoint([&](const Tensor&) { return y; }, x);
        CHECK(tape.find(y) != tape.find(captured));
        CHECK(elements(tape.gradient(sum(captured), {x, y})[0]) == Values{4, 6});
    }
    SUBCASE("ids are arguments like others") {
        const auto f = [](const Tensor& a, const Tensor& n) { return scale(mul(a, a), n.item<double>()); };
        CHECK(elements(tape.gradient(sum(checkpoint(f, x, ids({3}))), x)) == Values{12, 18});
    }
}

TEST_CASE("checkpoint: in checkpoints, in gradients, twice over, and without a tape") {
    const Tensor x = vector({0.5, -2});
    const auto cube = [](const Tensor& z) { return mul(z, checkpoint([z](const Tensor& a) { return mul(a, z); }, z)); };
    const auto nested = [&](const Tensor& z) { return sum(checkpoint(cube, z)); };
    CHECK(elements(cube(x)) == Values{0.125, -8});
    CHECK(elements(grad(nested, x)) == Values{0.75, 12});
    CHECK(elements(hessian(nested, x)) == Values{3, 0, 0, -12});
    const auto gradient_inside = [&](const Tensor& z) {
        return sum(checkpoint([&](const Tensor& a) { return mul(a, grad(nested, a)); }, z));
    };
    CHECK(elements(grad(gradient_inside, x)) == Values{9 * 0.25, 36});
    Tape tape;
    tape.watch(x);
    const Tensor y = nested(x);
    CHECK(elements(tape.gradient(y, x, {.retain_graph = true})) == Values{0.75, 12});
    CHECK(elements(tape.gradient(y, x)) == Values{0.75, 12});
    const Pause pause;
    CHECK(tape.find(nested(x)) == no_node);
}

TEST_CASE("checkpoint: derivatives of second order, by captured tensors of all kinds") {
    const auto f = [](const std::vector<Tensor>& in) {
        const Tensor u = mul(in[1], in[0]);
        const auto inner = [u, in](const Tensor& z, const Tensor& t) {  // by value: it is called after f has returned
            return tiny::tanh(add(mul(z, mul(u, in[1])), mul(t, in[0])));
        };
        return mul(checkpoint(inner, mul(in[0], in[0]), in[1]), u);
    };
    const GradcheckResult result = gradcheck(f, {vector({0.5, -0.7}), vector({0.3, 0.9})}, {.order = 2});
    CHECK_MESSAGE(result.passed, result.message);
    const auto transposed = [](const std::vector<Tensor>& in) {
        return checkpoint([](const Tensor& z) { return product(z, z); }, tiny::transpose(in[0]));
    };
    CHECK(gradcheck(transposed, {matrix({1, 2, 3, 4}, 2)}, {.order = 2}).passed);
    CHECK(gradcheck(transposed, {Tensor::empty({0, 0}, Dtype::float64)}, {.order = 2}).passed);
}

TEST_CASE("checkpoint: the second run draws the numbers of the first, and moves no source on") {
    const Tensor x = vector({1});
    Source source;
    Tape tape;
    tape.watch(x);
    const auto noisy = [&](const Tensor& z) {
        Source own{100};
        return source.scaled(own.scaled(source.scaled(z)));
    };
    const Tensor a = checkpoint(noisy, x);  // 1 * 101 * 2
    const auto both = [&](const Tensor& z) {
        const Tensor first = checkpoint(noisy, z);
        return add(first, source.scaled(z));
    };
    const Tensor b = checkpoint(both, x);  // 3 * 101 * 4 + 5
    CHECK(a.item() == 202);
    CHECK(b.item() == 1217);
    CHECK(source.position == 5);
    source.position = 50;
    CHECK(tape.gradient(b, x, {.retain_graph = true}).item() == 1217);
    CHECK(tape.gradient(a, x, {.create_graph = true}).item() == 202);
    CHECK(source.position == 50);
}

TEST_CASE("checkpoint: a function that is another one the second time") {
    const Tensor x = vector({1, 2});
    const auto fails = [&](const TensorFunction& f, const char* message) {
        Tape tape;
        tape.watch(x);
        const Tensor y = checkpoint(f, {x});
        CHECK_THROWS_WITH_AS(tape.gradient(y, x, {.cotangent = ones(y.shape(), Dtype::float64)}),
                             doctest::Contains(message), TapeError);
    };
    int calls = 0;
    fails([&](const auto& in) { return slice(in[0], 0, 0, ++calls); },
          "checkpoint: a function that is run again computes [2] float64, and at first [1] float64");
    Source source;
    int draws = 0;
    fails([&](const auto& in) { return ++draws == 1 ? in[0] : source.scaled(in[0]); },
          "checkpoint: a function that is run again draws more random numbers than at first");
    int fewer = 0;
    fails([&](const auto& in) { return ++fewer == 2 ? in[0] : source.scaled(in[0]); },
          "checkpoint: a function that is run again draws fewer random numbers than at first");
    Tensor captured = vector({1, 2});
    captured.set_parameter();
    Tape tape;
    const Tensor y = checkpoint([&](const Tensor& z) { return mul(z, captured); }, x);
    captured.fill(3);
    CHECK_THROWS_WITH_AS(tape.gradient(sum(y), captured), doctest::Contains("was overwritten after the forward pass"),
                         TapeError);
}

TEST_CASE("checkpoint: what it does not take") {
    const auto same = [](const Tensor& z) { return z; };
    CHECK_THROWS_WITH_AS(checkpoint(same, Tensor()),
                         ("checkpoint: operand 0 is an undefined tensor" + at_line()).c_str(), ValueError);
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    CHECK_THROWS_WITH_AS(checkpoint([](const auto& in) { return in[0]; }, std::vector{x, Tensor()}),
                         ("checkpoint: argument 1 is an undefined tensor" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(checkpoint([](const Tensor&) { return Tensor(); }, x),
                         ("checkpoint: the result is an undefined tensor" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(tape.gradient(sum(checkpoint([](const Tensor& z) { return sign(z); }, x)), x),
                         doctest::Contains("the result comes from sign, which has no derivative"),
                         NotDifferentiableError);
}

TEST_CASE("tape: one apart of others, and derivatives that hold the other inputs") {
    const Tensor x = vector({2, 3});
    Tape tape;
    tape.watch(x);
    const Tensor y = mul(x, x);
    const NodeId size = tape.size();
    {
        Tape apart = Tape::apart();
        CHECK_THROWS_AS(mul(y, y), TapeError);
        apart.watch(y);
        CHECK(elements(apart.gradient(sum(mul(y, y)), y)) == Values{8, 18});
    }
    CHECK(tape.size() == size);
    const Tensor z = mul(y, x);
    CHECK(elements(tape.gradient(sum(z), {x, y}, {.retain_graph = true})[0]) == Values{12, 27});
    const std::vector<Tensor> held = tape.gradient(sum(z), {x, y}, {.partial = true});
    CHECK(elements(held[0]) == Values{4, 9});
    CHECK(elements(held[1]) == Values{2, 3});
}
