#include <doctest/doctest.h>

#include <wengert/autograd/tape/tape.hpp>
#include <wengert/nn/gradcheck.hpp>
#include <wengert/nn/module.hpp>

#include "refused.hpp"

using namespace wengert;

namespace {

struct Affine {
    Tensor weight, bias;
    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

struct TwoLayers {
    Affine first, second;
    Tensor scale;
    void visit(auto&& f) {
        f("first", first);
        f("second", second);
        f("scale", scale);
    }
};

static_assert(Module<Affine> && Module<TwoLayers> && !Module<Tensor>);

/// The second layer has no bias.
TwoLayers make_two() {
    TwoLayers layers{{full({2, 3}, 1), full({2}, 2)}, {full({4, 2}, 3), {}}, scalar(4)};
    name_parameters(layers);
    return layers;
}

std::vector<std::string> names(const TwoLayers& layers) {
    std::vector<std::string> result;
    for (const auto& [name, parameter] : named_parameters(layers)) result.push_back(name);
    return result;
}

}  // namespace

TEST_CASE("parameters have dotted names in the order of visit, and undefined ones are passed over") {
    const TwoLayers layers = make_two();
    CHECK(names(layers) == std::vector<std::string>{"first.weight", "first.bias", "second.weight", "scale"});
    const std::vector<Tensor> all = parameters(layers);
    REQUIRE(all.size() == 4);
    CHECK(all[0].same_as(layers.first.weight));
    CHECK(all[3].same_as(layers.scale));
    CHECK(parameter_count(layers) == 6 + 2 + 8 + 1);
}

TEST_CASE("name_parameters names and marks") {
    Affine affine{ones({1, 1}), ones({1})};
    CHECK(!affine.weight.is_parameter());
    name_parameters(affine, "encoder.l0");
    CHECK(affine.weight.name() == "encoder.l0.weight");
    CHECK(affine.bias.name() == "encoder.l0.bias");
    CHECK(affine.bias.is_parameter());
}

TEST_CASE("a tape follows the parameters of a layer without being told") {
    const TwoLayers layers = make_two();
    Tape tape;
    const Tensor y = sum(linear(linear(ones({1, 3}), layers.first.weight, layers.first.bias), layers.second.weight));
    const std::vector<Tensor> gradients = tape.gradient(y * layers.scale, parameters(layers));
    REQUIRE(gradients.size() == 4);
    CHECK(gradients[0].to_vector<double>() == std::vector<double>(6, 4 * 3 * 4));
    CHECK(gradients[3].item() == 4 * 2 * 3 * (3 + 2));
}

TEST_CASE("a copy shares the parameters, a clone has its own") {
    const TwoLayers layers = make_two();
    const TwoLayers copy = layers, cloned = clone(layers);
    Tensor(layers.first.weight).fill(7);
    CHECK(copy.first.weight.at({0, 0}) == 7);
    CHECK(cloned.first.weight.at({0, 0}) == 1);
    CHECK(cloned.first.weight.name() == "first.weight");
    CHECK(cloned.first.weight.is_parameter());
    CHECK(!cloned.second.bias.defined());
    CHECK(names(cloned) == names(layers));
}

TEST_CASE("to another dtype and back keeps values, names and marks, and leaves the layer alone") {
    const TwoLayers layers = make_two();
    const TwoLayers wide = to(layers, Dtype::float64);
    CHECK(layers.first.weight.dtype() == Dtype::float32);
    for (const auto& [name, parameter] : named_parameters(wide)) {
        CHECK(parameter.dtype() == Dtype::float64);
        CHECK(parameter.name() == name);
        CHECK(parameter.is_parameter());
    }
    CHECK(wide.second.weight.to_vector<double>() == std::vector<double>(8, 3));
    const TwoLayers same = to(layers, Dtype::float32);
    Tensor(same.scale).fill(0);
    CHECK(layers.scale.item() == 4);
}

namespace {

/// Its author forgot the second layer.
struct Forgetful {
    Affine first, second;
    void visit(auto&& f) { f("first", first); }

    Tensor operator()(const Tensor& x) const {
        return linear(linear(x, first.weight, first.bias), second.weight, second.bias);
    }
};

}  // namespace

TEST_CASE("a parameter that visit does not name is found when it is used") {
    Forgetful model{{full({3, 2}, 1), zeros({3})}, {full({1, 3}, 1), zeros({1})}};
    name_parameters(model);
    name_parameters(model.second, "second");
    Tape tape;
    const Tensor y = model(ones({4, 2}));
    check_refused<ValueError>(
        "require_visited: the tape has used parameter \"second.weight\" [1, 3], which the model's visit does not name, "
        "so that it would not be trained",
        [&] { require_visited(tape, model); });
    CHECK_NOTHROW(require_visited(tape, model, tape.size()));
    const TwoLayers whole{model.first, model.second, {}};
    CHECK_NOTHROW(require_visited(tape, whole));
    // Under the check of a layer, which one's own layer passes first.
    const auto f = [](const Forgetful& model, const std::vector<Tensor>& in) { return model(in[0]); };
    Forgetful wide = model;
    wide.second = to(model.second, Dtype::float64);
    const Tensor x = ones({4, 2}, Dtype::float64);
    check_refused<ValueError>(
        "require_visited: the tape has used parameter \"second.weight\" [1, 3], which the model's visit does not name, "
        "so that it would not be trained",
        [&] { gradcheck(wide, {x}, f); });
}

namespace {

struct Counting {
    Tensor weight;
    Buffer seen, unused;
    void visit(auto&& f) {
        f("weight", weight);
        f("seen", seen);
        f("unused", unused);
    }
};

struct Outer {
    Counting inner;
    void visit(auto&& f) { f("inner", inner); }
};

}  // namespace

TEST_CASE("buffers are state, but no parameters") {
    Outer outer{{ones({2}), {tensor({3}, Dtype::int64)}, {}}};
    name_parameters(outer);
    CHECK(outer.inner.seen.tensor.name() == "inner.seen");
    CHECK(!outer.inner.seen.tensor.is_parameter());
    REQUIRE(named_parameters(outer).size() == 1);
    CHECK(parameter_count(outer) == 2);
    const NamedTensors state = named_state(outer);
    REQUIRE(state.size() == 2);
    CHECK(state[0].first == "inner.weight");
    CHECK(state[1].first == "inner.seen");
    CHECK(state[1].second.same_as(outer.inner.seen.tensor));
    const Outer cloned = clone(outer), wide = to(outer, Dtype::float64);
    const Outer replaced = with_parameters(outer, [](const Tensor&) { return zeros({2}); });
    CHECK(replaced.inner.seen.tensor.same_as(outer.inner.seen.tensor));
    outer.inner.seen.tensor.fill(5);
    CHECK(cloned.inner.seen.tensor.item() == 3);
    CHECK(wide.inner.seen.tensor.item<std::int64_t>() == 3);
    CHECK(wide.inner.weight.dtype() == Dtype::float64);
}

TEST_CASE("to() takes no whole numbers") {
    CHECK_THROWS_WITH_AS(to(make_two(), Dtype::int64), "to: parameters are float32 or float64, not int64", DtypeError);
}
