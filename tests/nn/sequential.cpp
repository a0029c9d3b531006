#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

const auto rectify = [](const Tensor& x) { return relu(x); };

/// A function of x and a number beside it, which no layer takes.
struct Times {
    Tensor operator()(const Tensor& x, double factor) const { return x * factor; }
};

template <class M, class... Extras>
concept CallableWith = requires(const M& model, const Tensor& x, const Extras&... extras) {
    model(x, extras...);
};

}  // namespace

TEST_CASE("sequential: layers and functions follow one another") {
    Generator generator(1);
    const Linear first(3, 4, generator), last(4, 2, generator);
    const Sequential model{first, rectify, last};
    const Tensor x = normal({5, 3}, 0, 1, generator);
    CHECK(difference(model(x), last(relu(first(x))), 0) == "");
    CHECK(Sequential()(x).same_as(x));
}

TEST_CASE("sequential: its parameters are numbered, and trained, saved and copied as those of a struct") {
    Generator generator(1);
    Sequential model{Linear(3, 4, generator), rectify, Sequential(BatchNorm(4), Linear(4, 2, generator, false))};
    name_parameters(model);
    std::vector<std::string> names;
    for (const auto& [name, tensor] : named_parameters(model)) names.push_back(name);
    CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "2.0.weight", "2.0.bias", "2.1.weight"});
    CHECK(named_state(model).size() == 8);
    const auto copy = clone(model);
    CHECK_FALSE(std::get<0>(copy.layers).weight.same_as(std::get<0>(model.layers).weight));

    const Tensor x = normal({5, 3}, 0, 1, generator);
    Sgd optimizer(parameters(model), {.learning_rate = 0.01});
    const auto loss = [&] { return sum(square(model(x, NormStatistics::batch))); };
    const double before = loss().item();
    Tape tape;
    optimizer.step(tape.gradient(loss(), parameters(model)));
    CHECK(loss().item() < before);
}

TEST_CASE("sequential: what a call has beside x goes to those that take it, in nested ones too") {
    Generator generator(1), noise(2), same(2);
    const BatchNorm norm(3);
    const Sequential model{norm, Sequential(Dropout{0.5}, Times())};
    const Tensor x = normal({6, 3}, 0, 1, generator);
    const Tensor got = model(x, &noise, NormStatistics::batch, 2.0);
    CHECK(difference(got, dropout(norm(x, NormStatistics::batch), 0.5, same) * 2.0, 0) == "");
    CHECK(CallableWith<decltype(model), Generator*, double>);
    CHECK_FALSE(CallableWith<decltype(model), Generator*, double, std::string>);
}

TEST_CASE("sequential: a layer takes several of them together, and one alone has the line of its errors") {
    Generator generator(1), noise(2), same(2);
    const TransformerDecoderLayer layer(4, 2, generator, {.dim_feedforward = 8, .dropout = 0.5});
    const Tensor x = normal({2, 3, 4}, 0, 1, generator), states = normal({2, 5, 4}, 0, 1, generator);
    const auto memory = layer.remember(states);
    const Sequential model{layer};
    CHECK(difference(model(x, memory, &noise), layer(x, memory, &same), 0) == "");
    CHECK_FALSE(CallableWith<decltype(model), Generator*>);

    const Sequential words{Embedding(3, 2, generator), rectify};
    const Tensor ids = tensor(std::vector<std::int64_t>{7}, {1});
    check_refused<ValueError>(
        "embedding: id 7 at position 0 is outside a table of 3 rows\n  in weight = parameter \"weight\"",
        [&] { words(ids); });
}

TEST_CASE("sequential: errors of its layers have the caller's line, and gradients pass the check") {
    Generator generator(1);
    Sequential model{Linear(3, 4, generator), [](const Tensor& x) { return tanh(x); }, Linear(4, 1, generator)};
    name_parameters(model);
    check_refused<ShapeError>(
        "linear: inner dimensions differ: x [2, 5] x weight [4, 3] transposed (5 != 3)\n  in weight = parameter "
        "\"0.weight\"; bias = parameter \"0.bias\"",
        [&] {
            model(ones({2, 5}));
        });
    const auto loss = [](const auto& m, const auto& in) { return sum(m(in[0])); };
    CHECK(gradcheck(model, {sample_values({2, 3}, -1, 1, 2)}, loss).passed);
}
