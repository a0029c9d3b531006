#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "close.hpp"

using namespace wengert;

namespace {

struct Pair {
    Linear first, second;

    void visit(auto&& f) {
        f("first", first);
        f("second", second);
    }
};

struct SelfAttention {
    Linear query, key, value;

    Tensor operator()(const Tensor& x) const {  // [T, D] -> [T, D]
        return matmul(softmax(matmul(query(x), transpose(key(x)))), value(x));
    }
    void visit(auto&& f) {
        f("query", query);
        f("key", key);
        f("value", value);
    }
};

}  // namespace

TEST_CASE("gradcheck: a layer is checked by every parameter and every input, and stays as it is") {
    Generator generator(1);
    const Linear linear(3, 2, generator);
    const Tensor before = linear.weight.clone();
    Tensor x = sample_values({4, 3}, -1, 1, 2);
    const auto f = [](const Linear& linear, const std::vector<Tensor>& in) { return tanh(linear(in[0])); };
    CHECK(gradcheck(linear, {x}, f).message == "");
    CHECK(gradcheck(linear, {x}, f, {.order = 2}).message == "");
    CHECK(difference(linear.weight, before, 0) == "");
}

TEST_CASE("gradcheck: what is wrong about a layer is named") {
    Generator generator(1);
    Pair layer{Linear(3, 2, generator), Linear(2, 1, generator)};
    Tensor x = sample_values({4, 3}, -1, 1, 2);
    const auto cut = [](const Pair& layer, const std::vector<Tensor>& in) {
        const Linear& second = layer.second;
        return linear(layer.first(in[0]), second.weight, stop_gradient(second.bias));
    };
    const GradcheckResult parameter = gradcheck(layer, {x}, cut);
    CHECK(!parameter.passed);
    CHECK(parameter.message.find("second.bias") != std::string::npos);

    const auto deaf = [](const Pair& layer, const std::vector<Tensor>& in) {
        return layer.second(layer.first(stop_gradient(in[0])));
    };
    CHECK(gradcheck(layer, {x}, deaf).message.find("input 0") != std::string::npos);
    x.set_name("x");
    CHECK(gradcheck(layer, {x}, deaf).message.find("\"x\"") != std::string::npos);
}

TEST_CASE("gradcheck: a gradient that is 0 because its terms cancel passes") {
    // What a key's bias adds to the scores of a query is the same for all keys, and softmax takes no notice.
    const auto f = [](const SelfAttention& layer, const std::vector<Tensor>& in) { return layer(in[0]); };
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
        Generator generator(seed);
        const SelfAttention layer{{4, 4, generator}, {4, 4, generator}, {4, 4, generator}};
        CHECK(gradcheck(layer, {sample_values({5, 4}, -1, 1, seed)}, f, {.order = 2}).message == "");
    }
}
