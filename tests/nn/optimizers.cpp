#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/nn/adaptive_optimizers.hpp>
#include <wengert/nn/clipping.hpp>
#include <wengert/nn/linear.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/random/random.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

#include "optimizer_makers.hpp"
#include "parity.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

/// Every kind, with options that leave no term out.
const std::vector<std::pair<std::string, Maker>> optimizer_kinds{
    {"sgd", maker<Sgd>(SgdOptions{.learning_rate = 0.1, .weight_decay = 0.1})},
    {"momentum", maker<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1})},
    {"nesterov", maker<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true})},
    {"adam", maker<Adam>(AdamOptions{.learning_rate = 0.1, .weight_decay = 0.1})},
    {"adamw", maker<AdamW>(AdamWOptions{.learning_rate = 0.1, .weight_decay = 0.1})},
    {"adadelta", maker<Adadelta>(AdadeltaOptions{.weight_decay = 0.1})},
    {"rmsprop", maker<RmsProp>(RmsPropOptions{.momentum = 0.8, .weight_decay = 0.1, .centered = true})},
    {"adagrad", maker<Adagrad>(AdagradOptions{.learning_rate = 1, .learning_rate_decay = 0.01, .weight_decay = 0.1})},
    {"nadam", maker<NAdam>(NAdamOptions{.learning_rate = 0.1, .weight_decay = 0.1})},
    {"radam", maker<RAdam>(RAdamOptions{.learning_rate = 0.1, .weight_decay = 0.1})},
    {"lamb", maker<Lamb>(LambOptions{.learning_rate = 0.1})},
    {"lion", maker<Lion>(LionOptions{.learning_rate = 0.1, .weight_decay = 0.1})},
};

}  // namespace

TEST_CASE("four steps are PyTorch's") {
    const std::vector<std::pair<std::string, Maker>> cases{
        {"sgd", maker<Sgd>(SgdOptions{.learning_rate = 0.1})},
        {"sgd_momentum", maker<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9})},
        {"adam", maker<Adam>(AdamOptions{.learning_rate = 1e-2})},
        {"adamw", maker<AdamW>(AdamWOptions{.learning_rate = 1e-2})},
        {"adadelta", maker<Adadelta>(AdadeltaOptions{})},
        {"sgd_nesterov",
         maker<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true})},
        {"adam_decay", maker<Adam>(AdamOptions{
                           .learning_rate = 1e-2, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6, .weight_decay = 0.1})},
        {"adadelta_decay", maker<Adadelta>(AdadeltaOptions{.learning_rate = 0.5, .rho = 0.8, .weight_decay = 0.1})},
    };
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("optimisers", precision);
        for (const auto& [name, make] : cases) {
            CAPTURE(name);
            const Tensor p = parameter(fixture["start"]), after = fixture["after." + name];
            const auto optimizer = make({p});
            for (std::int64_t step = 0; step < after.dim(0); ++step) {
                optimizer->step({select(fixture["gradients"], 0, step)});
                CHECK(difference(p, select(after, 0, step), precision.tolerance) == "");
            }
            CHECK(optimizer->step_count() == 4);
        }
    }
}

TEST_CASE("Nesterov's momentum and weight decay, two steps by hand") {
    const Tensor p = parameter(tensor({1}, Dtype::float64)), g = tensor({0.5}, Dtype::float64);
    SUBCASE("SGD with weight decay") {
        Sgd optimizer({p}, {.learning_rate = 0.1, .weight_decay = 0.2});
        optimizer.step({g});
        CHECK(p.item() == doctest::Approx(1 - 0.1 * 0.7).epsilon(1e-14));
        optimizer.step({g});
        CHECK(p.item() == doctest::Approx(0.93 - 0.1 * (0.5 + 0.2 * 0.93)).epsilon(1e-14));
    }
    SUBCASE("Nesterov") {
        Sgd optimizer({p}, {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.2, .nesterov = true});
        optimizer.step({g});  // v = 0.7
        const double first = 1 - 0.1 * (0.7 + 0.9 * 0.7);
        CHECK(p.item() == doctest::Approx(first).epsilon(1e-14));
        optimizer.step({g});
        const double d = 0.5 + 0.2 * first, v = 0.9 * 0.7 + d;
        CHECK(p.item() == doctest::Approx(first - 0.1 * (d + 0.9 * v)).epsilon(1e-14));
    }
    SUBCASE("Adam's first step goes by the learning rate, whatever the decay added to the gradient") {
        Adam optimizer({p}, {.learning_rate = 0.1, .weight_decay = 0.2});
        optimizer.step({g});
        CHECK(p.item() == doctest::Approx(1 - 0.1 * 0.7 / (0.7 + 1e-8)).epsilon(1e-14));
    }
    SUBCASE("AdamW's decay goes past the averages") {
        AdamW optimizer({p}, {.learning_rate = 0.1, .weight_decay = 0.2});
        optimizer.step({g});
        CHECK(p.item() == doctest::Approx(1 - 0.1 * 0.2 - 0.1 * 0.5 / (0.5 + 1e-8)).epsilon(1e-14));
    }
    SUBCASE("Adadelta with weight decay") {
        Adadelta optimizer({p}, {.weight_decay = 0.2});
        optimizer.step({g});
        CHECK(p.item() == doctest::Approx(1 - std::sqrt(1e-6 / (0.1 * 0.49 + 1e-6)) * 0.7).epsilon(1e-14));
    }
}

TEST_CASE("every element of large parameters is updated once, on any number of threads") {
    Generator generator(1);
    const Tensor start = normal({123, 457}, 0, 1, generator), gradient = normal({123, 457}, 0, 1, generator);
    for (const auto& [name, make] : optimizer_kinds) {
        if (name == "lamb") continue;  // a row would be a parameter of another length
        CAPTURE(name);
        const Tensor whole = parameter(start);
        const auto optimizer = make({whole});
        for (int step = 0; step < 3; ++step) optimizer->step({gradient});
        const auto row_by_row = [&](std::int64_t row) {
            const Tensor p = parameter(select(start, 0, row));
            const auto small = make({p});
            for (int step = 0; step < 3; ++step) small->step({select(gradient, 0, row)});
            return p;
        };
        for (const std::int64_t row : {0, 1, 61, 122})
            CHECK(difference(select(whole, 0, row), row_by_row(row), 1e-6) == "");
    }
}

TEST_CASE("a gradient whose elements do not stand in order is taken by its indices") {
    const Tensor p = parameter(zeros({2, 3})), q = parameter(zeros({2, 3}));
    const Tensor g = tensor({1, 2, 3, 4, 5, 6}, {3, 2});
    Sgd optimizer({p, q}, {.learning_rate = 1});
    optimizer.step({transpose(g), expand(tensor({1, 2, 3}), {2, 3})});
    CHECK(p.to_vector<double>() == std::vector<double>{-1, -3, -5, -2, -4, -6});
    CHECK(q.to_vector<double>() == std::vector<double>{-1, -2, -3, -1, -2, -3});
}

TEST_CASE("every kind finds the minimum of a bowl") {
    for (const auto& [name, make] : optimizer_kinds) {
        CAPTURE(name);
        const Tensor p = parameter(tensor({3, -2}, Dtype::float64));
        const auto optimizer = make({p});
        double first = 0, last = 0;
        for (int step = 0; step < 300; ++step) {
            Tape tape;
            const Tensor loss = sum(p * p);
            last = loss.item();
            if (step == 0) first = last;
            optimizer->step({tape.gradient(loss, p)});
        }
        CHECK(last < (name == "adadelta" ? 0.9 : 0.01) * first);
    }
}

TEST_CASE("a step counts as a write, so a tape notices") {
    const Tensor p = parameter(ones({2}));
    Sgd optimizer({p});
    Tape tape;
    const Tensor loss = sum(p * p);
    optimizer.step({ones({2})});
    CHECK_THROWS_AS(tape.gradient(loss, p), TapeError);
}

TEST_CASE("steps allocate nothing") {
    for (const auto& [name, make] : optimizer_kinds) {
        CAPTURE(name);
        const Tensor p = parameter(ones({1000})), q = parameter(ones({3, 3}));
        const auto optimizer = make({p, q});
        const std::vector<Tensor> gradients{ones({1000}), ones({3, 3})};
        reset_peak_live_bytes();
        const AllocatorStatistics before = allocator_statistics();
        optimizer->step(gradients);
        const AllocatorStatistics after = allocator_statistics();
        CHECK(after.peak_live_bytes == before.live_bytes);
        CHECK(after.system_allocations == before.system_allocations);
    }
}

TEST_CASE("the learning rate can be changed between steps") {
    for (const auto& [name, make] : optimizer_kinds) {
        CAPTURE(name);
        const Tensor p = parameter(ones({1}, Dtype::float64)), g = ones({1}, Dtype::float64);
        const auto optimizer = make({p});
        optimizer->step({g});
        const double before = p.item();
        optimizer->set_learning_rate(0);
        CHECK(optimizer->learning_rate() == 0);
        optimizer->step({g});
        CHECK(p.item() == before);
        CHECK(optimizer->step_count() == 2);
        optimizer->set_learning_rate(0.5);
        optimizer->step({g});
        CHECK(p.item() < before);
        CHECK_THROWS_WITH_AS(optimizer->set_learning_rate(-1), "the learning rate is -1, not in [0, inf)", ValueError);
        CHECK_THROWS_AS(optimizer->set_learning_rate(std::numeric_limits<double>::quiet_NaN()), ValueError);
        CHECK_THROWS_AS(optimizer->set_learning_rate(std::numeric_limits<double>::infinity()), ValueError);
    }
}

TEST_CASE("an optimizer goes on from a saved state as if it had not stopped") {
    Generator generator(1);
    std::vector<std::vector<Tensor>> gradients;
    for (int step = 0; step < 6; ++step)
        gradients.push_back({normal({2, 3}, 0, 1, generator), normal({4}, 0, 1, generator)});
    for (const auto& [name, make] : optimizer_kinds) {
        CAPTURE(name);
        const auto start = [] { return std::vector{parameter(ones({2, 3}), "a.weight"), parameter(ones({4}))}; };
        const std::vector<Tensor> straight = start(), before = start();
        const auto whole = make(straight), first = make(before);
        for (int step = 0; step < 6; ++step) {
            if (step == 2) whole->set_learning_rate(0.03);
            whole->step(gradients[static_cast<std::size_t>(step)]);
        }
        for (int step = 0; step < 3; ++step) {
            if (step == 2) first->set_learning_rate(0.03);
            first->step(gradients[static_cast<std::size_t>(step)]);
        }
        NamedTensors state;
        for (const auto& [key, x] : first->state()) state.emplace_back(key, x.clone());

        const std::vector<Tensor> after{parameter(before[0], "a.weight"), parameter(before[1])};
        const auto second = make(after);
        second->load_state(state);
        CHECK(second->step_count() == 3);
        CHECK(second->learning_rate() == 0.03);
        for (int step = 3; step < 6; ++step) second->step(gradients[static_cast<std::size_t>(step)]);
        for (std::size_t i = 0; i < 2; ++i) CHECK(after[i].to_vector<float>() == straight[i].to_vector<float>());
    }
}

TEST_CASE("the state has PyTorch's names with the parameter's") {
    const auto keys = [](const Optimizer& optimizer) {
        std::vector<std::string> result;
        for (const auto& [key, x] : optimizer.state()) result.push_back(key);
        return result;
    };
    const std::vector<Tensor> parameters{parameter(ones({2}), "a.weight"), parameter(ones({}))};
    using Keys = std::vector<std::string>;
    CHECK(keys(Sgd(parameters)) == Keys{"step", "learning_rate"});
    CHECK(keys(Sgd(parameters, {.momentum = 0.5})) ==
          Keys{"step", "learning_rate", "momentum_buffer.a.weight", "momentum_buffer.1"});
    CHECK(keys(Adam(parameters)) ==
          Keys{"step", "learning_rate", "exp_avg.a.weight", "exp_avg_sq.a.weight", "exp_avg.1", "exp_avg_sq.1"});
    CHECK(keys(AdamW(parameters)) == keys(Adam(parameters)));
    CHECK(keys(Adadelta(parameters)) ==
          Keys{"step", "learning_rate", "square_avg.a.weight", "acc_delta.a.weight", "square_avg.1", "acc_delta.1"});
}

TEST_CASE("the state of another optimizer or of other parameters is refused") {
    Adam adam({parameter(ones({2}), "a")});
    CHECK_THROWS_AS(adam.load_state(Sgd({parameter(ones({2}), "a")}, {.momentum = 0.9}).state()), ValueError);
    CHECK_THROWS_AS(adam.load_state(Adam({parameter(ones({2}), "b")}).state()), ValueError);
    CHECK_THROWS_AS(adam.load_state(Adam({parameter(ones({3}), "a")}).state()), ValueError);
    NamedTensors negative = Adam({parameter(ones({2}), "a")}).state();
    negative[0].second.fill(-1);
    negative[2].second.fill(7);
    check_refused<ValueError>("load_state: the number of steps is -1", [&] { adam.load_state(negative); });
    NamedTensors rateless = Adam({parameter(ones({2}), "a")}).state();
    rateless[1].second.fill(std::numeric_limits<double>::quiet_NaN());
    rateless[2].second.fill(7);
    check_refused<ValueError>("load_state: the learning rate is nan, not in [0, inf)",
                              [&] { adam.load_state(rateless); });
    CHECK(adam.state()[2].second.to_vector<float>() == std::vector<float>{0, 0});
}

TEST_CASE("gradients that do not fit are named, and nothing changes") {
    const std::vector<Tensor> parameters{parameter(ones({2}), "encoder.bias"),
                                         parameter(ones({2, 3}), "encoder.weight")};
    Sgd optimizer(parameters, {.learning_rate = 1});
    check_refused<ShapeError>("step: 1 gradients for 2 parameters, the last of which is \"encoder.weight\"",
                              [&] { optimizer.step({ones({2})}); });
    check_refused<ShapeError>("step: the gradient of parameter \"encoder.weight\" [2, 3] has shape [3, 2]", [&] {
        optimizer.step({ones({2}), ones({3, 2})});
    });
    check_refused<DtypeError>("step: the gradient of parameter \"encoder.weight\" is float64, the parameter float32",
                              [&] {
                                  optimizer.step({ones({2}), ones({2, 3}, Dtype::float64)});
                              });
    check_refused<ValueError>("step: the gradient of parameter \"encoder.weight\" is undefined", [&] {
        optimizer.step({ones({2}), Tensor()});
    });
    CHECK(parameters[0].to_vector<double>() == std::vector{1.0, 1.0});
    CHECK(optimizer.step_count() == 0);
}

TEST_CASE("gradients that are not finite are named, and nothing changes") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const auto& [name, make] : optimizer_kinds) {
            CAPTURE(name);
            const Tensor a = parameter(ones({2}, dtype), "a"), b = parameter(ones({2, 2}, dtype), "b");
            const auto optimizer = make({a, b});
            std::vector<Tensor> gradients{ones({2}, dtype), tensor({1, nan, -infinity, 2}, {2, 2}, dtype)};
            // Clipping leaves it to the optimizer to say whose gradient it is.
            CHECK(std::isnan(clip_gradient_norm(gradients, 1)));
            check_refused<NonFiniteError>(
                "step: 2 of the 4 elements of the gradient of parameter \"b\" [2, 2] are NaN or infinite",
                [&] { optimizer->step(gradients); });
            CHECK(a.to_vector<double>() == std::vector{1.0, 1.0});
            CHECK(b.to_vector<double>() == std::vector{1.0, 1.0, 1.0, 1.0});
            CHECK(optimizer->step_count() == 0);
            // Large is not infinite, and the largest parameters are searched to the end.
            optimizer->step({ones({2}, dtype), full({2, 2}, 1e15, dtype)});
        }
    const Tensor large = parameter(ones({100003}), "large");
    Tensor gradient = ones({100003});
    gradient.mutable_data<float>()[100002] = std::numeric_limits<float>::infinity();
    Sgd sgd({large});
    check_refused<NonFiniteError>(
        "step: 1 of the 100003 elements of the gradient of parameter \"large\" [100003] is NaN or infinite",
        [&] { sgd.step({gradient}); });
}

TEST_CASE("an optimizer whose parameters are no longer the model's says so") {
    const std::string advice =
        "; an optimizer goes on with the parameters that it was made for, so after clone(), to() or an assignment to "
        "the "
        "model make a new one, and load_state()";
    Generator generator(1);
    Linear model(3, 2, generator);
    const Tensor x = ones({4, 3});
    const auto step = [&x](Optimizer& optimizer, const Linear& model) {
        Tape tape;
        optimizer.step(tape.gradient(sum(model(x)), parameters(model)));
    };
    SUBCASE("the model was replaced") {
        Sgd optimizer(parameters(model));
        step(optimizer, model);
        model = clone(model);
        CHECK_THROWS_WITH_AS(
            step(optimizer, model),
            doctest::Contains(("step: parameter \"weight\" [2, 3] is no model's any more" + advice).c_str()),
            ValueError);
    }
    SUBCASE("one layer was replaced") {
        Sgd optimizer(parameters(model));
        model.bias = Tensor(zeros({2})).set_name("bias").set_parameter();
        CHECK_THROWS_WITH_AS(step(optimizer, model), doctest::Contains("step: parameter \"bias\" [2] is no model's"),
                             ValueError);
    }
    SUBCASE("the gradients are another model's") {
        Sgd optimizer(parameters(model));
        const Linear other = clone(model);
        CHECK_THROWS_WITH_AS(step(optimizer, other),
                             doctest::Contains(("step: the tape has met none of the parameters, the first of which is "
                                                "\"weight\": the gradients are of other tensors" +
                                                advice)
                                                   .c_str()),
                             ValueError);
        // Without a tape, whoever made the gradients knows what they are.
        optimizer.step({ones({2, 3}), ones({2})});
        const Tape tape;
        const Pause pause;
        optimizer.step({ones({2, 3}), ones({2})});
    }
    SUBCASE("two optimizers share one tape") {
        const Linear other(3, 2, generator);
        Sgd first(parameters(model)), second(parameters(other));
        Tape tape;
        const Tensor loss = sum(model(x) * other(x));
        const std::vector<Tensor> by_first = tape.gradient(loss, parameters(model), {.retain_graph = true});
        const std::vector<Tensor> by_second = tape.gradient(loss, parameters(other));
        first.step(by_first);
        second.step(by_second);
    }
}

TEST_CASE("parameters that cannot be optimised are refused") {
    const Tensor p = parameter(ones({2, 3}), "w");
    CHECK_THROWS_WITH_AS(Sgd({}), "an optimizer needs parameters", ValueError);
    CHECK_THROWS_WITH_AS(Sgd({p, Tensor()}), "parameter 1 is undefined", ValueError);
    CHECK_THROWS_WITH_AS(Sgd({p, ones({2}), p}), "parameter \"w\" occurs twice", ValueError);
    CHECK_THROWS_WITH_AS(Sgd({ones({2}, Dtype::int64)}), "parameter \"0\" must be of float32 or float64, not int64",
                         DtypeError);
    CHECK_THROWS_WITH_AS(Sgd({p, transpose(ones({2, 3}))}), "parameter \"1\" is not contiguous", ValueError);
}

TEST_CASE("options outside their domains are refused") {
    const std::vector<Tensor> p{parameter(ones({1}))};
    CHECK_THROWS_WITH_AS(Sgd(p, {.learning_rate = -0.1}), "the learning rate is -0.1, not in [0, inf)", ValueError);
    CHECK_THROWS_AS(Sgd(p, {.momentum = -1}), ValueError);
    CHECK_THROWS_AS(Sgd(p, {.weight_decay = -1}), ValueError);
    CHECK_THROWS_WITH_AS(Sgd(p, {.nesterov = true}), "Nesterov's momentum needs a momentum above 0", ValueError);
    CHECK_THROWS_WITH_AS(Adam(p, {.beta1 = 1}), "beta1 is 1, not in [0, 1)", ValueError);
    CHECK_THROWS_AS(Adam(p, {.beta2 = -0.1}), ValueError);
    CHECK_THROWS_AS(Adam(p, {.epsilon = -1}), ValueError);
    CHECK_THROWS_AS(AdamW(p, {.beta2 = std::numeric_limits<double>::quiet_NaN()}), ValueError);
    CHECK_THROWS_AS(AdamW(p, {.weight_decay = -1}), ValueError);
    CHECK_THROWS_AS(Adadelta(p, {.rho = 1}), ValueError);
    CHECK_THROWS_AS(Adadelta(p, {.epsilon = -1}), ValueError);
}

TEST_CASE("parameters without elements, and scalars") {
    for (const auto& [name, make] : optimizer_kinds) {
        const Tensor none = parameter(zeros({0, 3})), one = parameter(scalar(1));
        const auto optimizer = make({none, one});
        optimizer->step({zeros({0, 3}), scalar(1)});
        CHECK(one.item() < 1);
    }
}
