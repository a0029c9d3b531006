#include <doctest/doctest.h>

#include <cmath>
#include <wengert/nn/averages.hpp>
#include <wengert/nn/linear.hpp>

#include "close.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

Tensor named(const Tensor& value, const std::string& name) { return Tensor(value.clone()).set_name(name); }

}  // namespace

TEST_CASE("ema: the averages are PyTorch's, after every update") {
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("averages", precision);
        const Tensor steps = fixture["parameters"], want = fixture["ema"];  // [updates, 2, 3]
        Tensor p = named(zeros({2, 3}, precision.dtype), "p");
        Ema ema({p}, {.decay = 0.9});
        for (std::int64_t k = 0; k < steps.dim(0); ++k) {
            p.copy_from(select(steps, 0, k));
            ema.update({p});
            CHECK(difference(ema.averages()[0], select(want, 0, k), precision.tolerance) == "");
        }
        CHECK(ema.update_count() == steps.dim(0));
    }
}

TEST_CASE("ema: of n values it is their weighted sum, in every element and for any layout") {
    Generator generator(1);
    const Tensor a = normal({123, 457}, 0, 1, generator, Dtype::float64);
    const Tensor b = normal({457, 123}, 0, 1, generator, Dtype::float64);
    Ema ema({a}, {.decay = 0.75});
    CHECK(difference(ema.averages()[0], a, 0) == "");
    ema.update({a});
    ema.update({transpose(b)});
    ema.update({a});
    CHECK(difference(ema.averages()[0], 0.75 * (0.75 * a + 0.25 * transpose(b)) + 0.25 * a, 1e-15) == "");
}

TEST_CASE("ema: the average of what does not change is bit for bit that") {
    Generator generator(1);
    const Tensor p = normal({1000}, 0, 1, generator);
    Ema ema({p});
    for (int k = 0; k < 10; ++k) ema.update({p});
    CHECK(difference(ema.averages()[0], p, 0) == "");
    CHECK(!ema.averages()[0].same_as(p));
    CHECK(!ema.averages()[0].is_parameter());
}

TEST_CASE("ema: another one goes on from its state") {
    Generator generator(1);
    const Linear model(3, 2, generator);
    const auto next = [&] {
        for (Tensor& p : parameters(model)) p.copy_from(uniform(p.shape(), -1, 1, generator));
    };
    Ema whole(parameters(model)), second(parameters(model));
    whole.update(parameters(model));
    next();
    whole.update(parameters(model));
    const NamedTensors state = whole.state();
    REQUIRE(state.size() == 3);
    CHECK(state[0].first == "n_averaged");
    CHECK(state[1].first == "weight");
    CHECK(state[2].first == "bias");
    second.load_state(state);
    CHECK(second.update_count() == 2);
    next();
    whole.update(parameters(model)), second.update(parameters(model));
    for (std::size_t i = 0; i < 2; ++i) CHECK(difference(second.averages()[i], whole.averages()[i], 0) == "");
    CHECK(Ema({zeros({2}), zeros({3})}).state()[2].first == "1");
}

TEST_CASE("ema: while a scope lives the parameters are the averages, then what they were") {
    Generator generator(1);
    Linear model(3, 2, generator);
    Ema ema(parameters(model), {.decay = 0.5});
    ema.update(parameters(model));
    const Linear first = clone(model);
    model.weight.fill(5), model.bias.fill(6);
    ema.update(parameters(model));
    const Tensor x = uniform({4, 3}, -1, 1, generator), before = model(x);
    {
        const EmaScope averaged(ema, parameters(model));
        CHECK(difference(model.weight, (first.weight + 5) / 2, 1e-6) == "");
        CHECK(difference(model(x), (first(x) + before) / 2, 1e-5) == "");
        model.bias.fill(77);
        const EmaScope again(ema, parameters(model));
        CHECK(difference(model.bias, ema.averages()[1], 0) == "");
    }
    CHECK(difference(model(x), before, 0) == "");
    CHECK(difference(model.bias, full({2}, 6), 0) == "");
    CHECK(difference(ema.averages()[0], (first.weight + 5) / 2, 1e-6) == "");
    // A copy of the model takes them as well.
    const Linear copy = clone(model);
    const EmaScope averaged(ema, parameters(copy));
    CHECK(difference(copy.bias, ema.averages()[1], 0) == "");
    CHECK(difference(model.bias, full({2}, 6), 0) == "");
}

TEST_CASE("ema: what does not fit is an error, and changes nothing") {
    const Tensor a = named(ones({2}), "a"), b = named(ones({3}), "b");
    CHECK_THROWS_WITH_AS(Ema({}), "Ema: there are no parameters", ValueError);
    CHECK_THROWS_WITH_AS(Ema({a, {}}), "Ema: parameter 1 is undefined", ValueError);
    CHECK_THROWS_WITH_AS(Ema({a, a}), "Ema: the name \"a\" occurs twice", ValueError);
    CHECK_THROWS_WITH_AS(Ema({a}, {.decay = 1}), "Ema: decay is 1, not in [0, 1)", ValueError);
    CHECK_THROWS_WITH_AS(Ema({named(zeros({2}, Dtype::int64), "a")}),
                         "Ema: parameter 0 \"a\" must be of float32 or float64, not int64", DtypeError);
    Ema ema({a, b});
    const Tensor other = full({2}, 7);
    check_refused<ShapeError>("update: 1 parameters for 2 averages, the last of which is \"b\"",
                              [&] { ema.update({other}); });
    check_refused<ShapeError>("update: parameter \"b\" is [2], its average [3]", [&] { ema.update({other, other}); });
    check_refused<DtypeError>("update: parameter \"b\" is float64, its average float32", [&] {
        ema.update({other, zeros({3}, Dtype::float64)});
    });
    check_refused<ValueError>("update: parameter 1 is undefined, not \"b\"", [&] { ema.update({other, {}}); });
    check_refused<ShapeError>("EmaScope: parameter \"b\" is [2], its average [3]", [&] {
        const EmaScope scope(ema, {other, other});
    });
    CHECK(difference(other, full({2}, 7), 0) == "");
    NamedTensors state = Ema({a, b}).state();
    state[0].second = tensor(std::vector<std::int64_t>{-1}, {});
    check_refused<ValueError>("load_state: the number of updates is -1", [&] { ema.load_state(state); });
    state[0].second = tensor(std::vector<std::int64_t>{4}, {});
    state[2].first = "c";
    check_refused<ValueError>(
        "load_state: the tensors are not those that are needed; missing: b [3]; unexpected: c [3]",
        [&] { ema.load_state(state); });
    CHECK(ema.update_count() == 0);
    CHECK(difference(ema.averages()[0], a, 0) == "");
}

TEST_CASE("average_weights: the mean of each tensor, by its name") {
    Generator generator(1);
    std::vector<NamedTensors> sets;
    for (int k = 0; k < 3; ++k)
        sets.push_back(
            {{"weight", normal({20, 30}, 0, 1, generator)}, {"bias", normal({20}, 0, 1, generator, Dtype::float64)}});
    std::swap(sets[1][0], sets[1][1]);
    sets[2][1].second = cast(sets[2][1].second, Dtype::float32);
    const NamedTensors average = average_weights(sets);
    REQUIRE(average.size() == 2);
    CHECK(average[0].first == "weight");
    CHECK(average[1].first == "bias");
    const auto mean = [](const Tensor& a, const Tensor& b, const Tensor& c) {
        return (cast(a, Dtype::float64) + cast(b, Dtype::float64) + cast(c, Dtype::float64)) / 3;
    };
    CHECK(difference(average[0].second,
                     cast(mean(sets[0][0].second, sets[1][1].second, sets[2][0].second), Dtype::float32), 1e-7) == "");
    CHECK(difference(average[1].second, mean(sets[0][1].second, sets[1][0].second, sets[2][1].second), 1e-15) == "");
}

TEST_CASE("average_weights: of equal sets it is each of them, and a copy") {
    Generator generator(1);
    const Linear model(30, 20, generator);
    const NamedTensors one = named_parameters(model);
    const NamedTensors average = average_weights({one, one, one});
    for (std::size_t i = 0; i < one.size(); ++i) {
        CHECK(difference(average[i].second, one[i].second, 0) == "");
        CHECK(!average[i].second.shares_storage(one[i].second));
    }
    CHECK(!average_weights({{{"b", model.bias}}})[0].second.shares_storage(model.bias));
}

TEST_CASE("average_weights: what does not fit is an error that says which set") {
    const Tensor a = ones({2}), b = ones({3});
    CHECK_THROWS_WITH_AS(average_weights({}), "average_weights: there is no set of weights", ValueError);
    CHECK_THROWS_WITH_AS(average_weights({{{"a", a}}, {{"b", b}}}),
                         "average_weights: set 1: the tensors are not those that are needed; missing: a [2]; "
                         "unexpected: b [3]",
                         ValueError);
    CHECK_THROWS_WITH_AS(average_weights({{{"a", a}}, {{"a", b}}}),
                         "average_weights: set 1: the tensors are not those that are needed; of another shape: a [3], "
                         "not [2]",
                         ValueError);
    CHECK_THROWS_WITH_AS(average_weights({{{"a", a}, {"a", a}}}), "average_weights: set 0: the name \"a\" occurs twice",
                         ValueError);
    CHECK_THROWS_WITH_AS(average_weights({{{"a", Tensor()}}}), "average_weights: \"a\" is an undefined tensor",
                         ValueError);
    CHECK_THROWS_WITH_AS(average_weights({{{"a", zeros({2}, Dtype::int64)}}}),
                         "average_weights: \"a\" must be of a floating dtype, not int64", DtypeError);
    const NamedTensors mean = average_weights({{{"a", tensor({1, 3}, Dtype::float16)}}, {{"a", tensor({2, 4})}}});
    CHECK(mean[0].second.dtype() == Dtype::float16);
    CHECK(mean[0].second.to_vector<double>() == std::vector<double>{1.5, 3.5});
}
