// Mirrors no file: the option of the three recurrent layers.

#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "recurrent.hpp"

using namespace wengert;

namespace {

/// The state of a cell that begins with h: an LSTM's memory is 0.5 everywhere.
Tensor state_from(const GruCell&, const Tensor& h) { return h; }
Tensor state_from(const RnnCell&, const Tensor& h) { return h; }
LstmState state_from(const LstmCell&, const Tensor& h) { return {h, full(h.shape(), 0.5, h.dtype())}; }

Tensor first_state(const auto&) { return zeros({4, 2}); }
LstmState first_state(const LstmCell&) { return {zeros({4, 2}), zeros({4, 2})}; }

/// What a step computes, in one tensor.
Tensor joined(const auto& state) { return concat(parts(state), -1); }

void check_cell(const auto& cell) {
    Generator generator(3);
    const Tensor x = sample_values({4, 3}, -1, 1, 2), h = sample_values({4, 2}, -1, 1, 3);
    const Tensor drop = dropout(ones({4, 2}, Dtype::float64), 0.5, generator);
    for (const int order : {1, 2}) {
        const GradcheckResult result =
            gradcheck(cell, {x, h},
                      [&](const auto& cell, const std::vector<Tensor>& in) {
                          return joined(cell(cell.project(in[0]), state_from(cell, in[1]), {}, drop));
                      },
                      {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
    const auto precise = to(cell, Dtype::float64);
    const Tensor projection = precise.project(x);
    const auto step = [&](const Tensor& state, const Tensor& mask) {
        return joined(precise(projection, state_from(precise, state), {}, mask));
    };
    CHECK(identical(step(h, ones({4, 2}, Dtype::float64)), step(h, {})));
    CHECK(!identical(step(h, drop), step(h, {})));
    CHECK_THROWS_AS(step(h, ones({4, 1}, Dtype::float64)), ShapeError);
}

/// A stack of one layer against a loop over its cell, with the mask that the same noise gives.
template <class Stack, class Cell>
void check_stack() {
    Generator generator(1), again(1), noise(5), same(5);
    const Stack stack(3, 2, generator, {.recurrent_dropout = 0.5});
    const Cell cell(3, 2, again);
    const Tensor x = uniform({4, 6, 3}, -1, 1, generator);
    const auto result = stack(x, {}, &noise);
    const Tensor drop = dropout(ones({4, 2}), 0.5, same);
    auto state = first_state(cell);
    for (std::int64_t t = 0; t < 6; ++t) {
        state = cell(cell.project(select(x, 1, t)), state, {}, drop);
        CHECK(difference(select(result.outputs, 1, t), parts(state)[0], 1e-6) == "");
    }
    Generator once_more(1);
    CHECK(identical(stack(x).outputs, Stack(3, 2, once_more)(x).outputs));  // without noise nothing is dropped
    CHECK(!identical(stack(x).outputs, result.outputs));
}

}  // namespace

TEST_CASE("recurrent dropout: gradients of cells that multiply a part of their state") {
    Generator generator(1);
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product})
        check_cell(GruCell(3, 2, generator, reset));
    check_cell(LstmCell(3, 2, generator));
    check_cell(RnnCell(3, 2, generator));
}

TEST_CASE("recurrent dropout: what a cell keeps of its state is not dropped") {
    Generator generator(1);
    const Tensor x = uniform({4, 3}, -1, 1, generator), h = uniform({4, 2}, -1, 1, generator), none = zeros({4, 2});
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product}) {
        const GruCell cell(3, 2, generator, reset);
        const Tensor z = sigmoid(slice(cell.project(x) + cell.bias_hh, 1, 2, 4));
        const Tensor kept = cell(cell.project(x), h, {}, none) - cell(cell.project(x), none, {}, none);
        CHECK(difference(kept, z * h, 1e-6) == "");
    }
    const LstmCell lstm(3, 2, generator);
    const auto after = [&](const Tensor& c) { return lstm(lstm.project(x), {h, c}, {}, none).c; };
    const Tensor forget = sigmoid(slice(lstm.project(x) + lstm.bias_hh, 1, 2, 4));
    CHECK(difference(after(h) - after(none), forget * h, 1e-6) == "");
}

TEST_CASE("recurrent dropout: a stack has one mask for all steps, if there is noise") {
    check_stack<Gru, GruCell>();
    check_stack<Lstm, LstmCell>();
    check_stack<Rnn, RnnCell>();
    Generator generator(1);
    CHECK_THROWS_WITH_AS(Gru(2, 3, generator, {.recurrent_dropout = 1}),
                         "Gru: recurrent_dropout is 1.000000, outside [0, 1)", ValueError);
}

TEST_CASE("recurrent dropout: padding changes nothing") {
    Generator generator(1), noise(5), same(5);
    const Gru gru(3, 4, generator, {.layers = 2, .bidirectional = true, .recurrent_dropout = 0.5});
    const Tensor x = uniform({2, 5, 3}, -1, 1, generator);
    const Tensor padded = gru(concat({x, ones({2, 2, 3})}, 1), tensor({5, 5}, {2}, Dtype::int64), &noise).outputs;
    const Tensor plain = gru(x, {}, &same).outputs;
    CHECK(identical(slice(padded, 1, 0, 5), plain));
}

TEST_CASE("variational: between layers a feature is dropped at all steps or at none") {
    Generator generator(1), again(1), noise(2), same(2);
    const Rnn both(3, 4, generator, {.layers = 2, .dropout = 0.5, .variational = true});
    const Rnn lower(3, 4, again), upper(4, 4, again);  // draw the same numbers
    const Tensor x = uniform({2, 5, 3}, -1, 1, generator);
    const Tensor between = dropout(lower(x).outputs, 0.5, same, 1);
    CHECK(identical(both(x, {}, &noise).outputs, upper(between).outputs));
}
