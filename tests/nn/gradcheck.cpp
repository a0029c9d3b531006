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
