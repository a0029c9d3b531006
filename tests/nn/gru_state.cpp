#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "recurrent.hpp"

/// A stack that begins with a state.
using namespace wengert;

TEST_CASE("gru: a sequence in pieces, each from the state of the one before, is the whole") {
    Generator generator(1);
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product}) {
        const Gru gru = to(Gru(2, 3, generator, {.layers = 2, .reset = reset}), Dtype::float64);
        const Tensor x = sample_values({4, 6, 2}, -1, 1, 2);
        const auto lengths = [](std::int64_t begin, std::int64_t end) {
            std::vector<std::int64_t> parts;
            for (const std::int64_t length : {6, 5, 2, 0})
                parts.push_back(std::clamp<std::int64_t>(length, begin, end) - begin);
            return ids(parts);
        };
        const Gru::Result whole = gru(x, lengths(0, 6));
        Tensor state;
        std::vector<Tensor> outputs;
        for (std::int64_t begin = 0; begin < 6; begin += 2) {
            const Gru::Result piece = gru(slice(x, 1, begin, begin + 2), lengths(begin, begin + 2), state);
            outputs.push_back(piece.outputs);
            state = piece.state;
        }
        CHECK(difference(concat(outputs, 1), whole.outputs, 1e-15) == "");
        CHECK(difference(state, whole.state, 1e-15) == "");
    }
}

TEST_CASE("gru: each cell begins with its part of the state") {
    Generator generator(1);
    const Gru gru = to(Gru(2, 3, generator, {.layers = 2, .bidirectional = true}), Dtype::float64);
    const Tensor x = sample_values({2, 4, 2}, -1, 1, 2), state = sample_values({4, 2, 3}, -1, 1, 3);
    // A stack by hand, with PyTorch's parameters and its order of the states: layer by layer, forward before reverse.
    const auto named = named_parameters(gru);
    const auto cell_named = [&](const std::string& suffix) {
        GruCell cell;
        for (const auto& [name, parameter] : named) {
            if (name == "weight_ih_" + suffix) cell.weight_ih = parameter;
            if (name == "weight_hh_" + suffix) cell.weight_hh = parameter;
            if (name == "bias_ih_" + suffix) cell.bias_ih = parameter;
            if (name == "bias_hh_" + suffix) cell.bias_hh = parameter;
        }
        return cell;
    };
    Tensor input = x;
    std::vector<Tensor> last;
    for (const std::string layer : {"l0", "l1"}) {
        std::vector<Tensor> sides;
        for (const bool reverse : {false, true}) {
            const GruCell cell = cell_named(layer + (reverse ? "_reverse" : ""));
            Tensor h = select(state, 0, static_cast<std::int64_t>(last.size()));
            std::vector<Tensor> outputs(4);
            for (const int i : {0, 1, 2, 3}) {
                const int t = reverse ? 3 - i : i;
                outputs[static_cast<std::size_t>(t)] = h = cell(cell.project(select(input, 1, t)), h);
            }
            last.push_back(h);
            sides.push_back(stack(outputs, 1));
        }
        input = concat(sides, 2);
    }
    const Gru::Result result = gru(x, {}, state);
    CHECK(difference(result.outputs, input, 1e-15) == "");
    CHECK(difference(result.state, stack(last, 0), 1e-15) == "");
    CHECK(difference(gru(x, {}, zeros({4, 2, 3}, Dtype::float64)).outputs, gru(x).outputs, 0) == "");
}

TEST_CASE("gru: gradients by the first state") {
    Generator generator(1);
    Tensor x = sample_values({3, 3, 2}, -1, 1, 2);
    x.set_name("x");
    for (const bool bidirectional : {false, true}) {
        const Gru gru(2, 2, generator, {.layers = 2, .bidirectional = bidirectional});
        Tensor state = sample_values({2 * gru.directions(), 3, 2}, -1, 1, 3);
        state.set_name("state");
        const GradcheckResult result = gradcheck(gru, {x, state}, [](const Gru& gru, const std::vector<Tensor>& in) {
            return joined_results(gru(in[0], ids({3, 0, 2}), in[1]));
        });
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("gru: stop_gradient(state) truncates backpropagation") {
    Generator generator(1);
    const Gru gru(2, 3, generator);
    const Tensor x = uniform({2, 4, 2}, -1, 1, generator);
    Tape tape;
    tape.watch(x);
    const Tensor early = gru(x).state;
    CHECK(difference(tape.gradient(sum(gru(ones({2, 3, 2}), {}, stop_gradient(early)).outputs), x), zeros({2, 4, 2}),
                     0) == "");
    CHECK(difference(tape.gradient(sum(gru(ones({2, 3, 2}), {}, early).outputs), x), zeros({2, 4, 2}), 0) != "");
}
