#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/nn/nn.hpp>

#include "../close.hpp"
#include "../parity.hpp"
#include "../recurrent.hpp"

/// What Gru, Lstm and Rnn have in common, of each. What a GRU alone has is tested with it.
using namespace wengert;

namespace {

/// A layer of the same width throughout, in float64.
template <class Layer, class Options>
Layer layer_of(std::int64_t in, std::int64_t hidden, const Options& options) {
    Generator generator(1);
    return to(Layer(in, hidden, generator, options), Dtype::float64);
}

/// Gives `to` the parameters that `from` has under the names of another layer.
void take_layer(auto& to, const auto& from, const std::string& layer) {
    NamedTensors found;
    for (const auto& [name, parameter] : named_parameters(from))
        if (const auto place = name.find("_" + layer); place != std::string::npos)
            found.emplace_back(std::string(name).replace(place, layer.size() + 1, "_l0"), parameter);
    assign(named_parameters(to), found);
}

template <class Layer>
struct Kind;
template <>
struct Kind<Gru> {
    using Options = GruOptions;
    static constexpr const char* name = "gru";
};
template <>
struct Kind<Lstm> {
    using Options = LstmOptions;
    static constexpr const char* name = "lstm";
};
template <>
struct Kind<Rnn> {
    using Options = RnnOptions;
    static constexpr const char* name = "rnn";
};

}  // namespace

TEST_CASE_TEMPLATE("recurrent stack: a row's results depend neither on its padding nor on the other rows", Layer, Gru,
                   Lstm, Rnn) {
    using Options = typename Kind<Layer>::Options;
    const std::vector<std::int64_t> lengths{3, 6, 1, 0};
    for (const bool bidirectional : {false, true})
        for (const bool extended : {false, true}) {
            const auto layer = layer_of<Layer>(
                2, 3,
                Options{.layers = 2, .bidirectional = bidirectional, .residual = extended, .layer_norm = extended});
            const Tensor x = sample_values({4, 6, 2}, -1, 1, 2);
            const Tensor real = unsqueeze(length_mask(ids(lengths), 6, Dtype::float64), 2);
            const auto batch = layer(x, ids(lengths));
            CHECK(difference(joined_results(layer(where(real, x, 1e3), ids(lengths))), joined_results(batch), 0) == "");
            for (std::int64_t row = 0; row < 3; ++row) {
                const std::int64_t length = lengths[static_cast<std::size_t>(row)];
                const auto alone = layer(slice(slice(x, 0, row, row + 1), 1, 0, length));
                const Tensor outputs = slice(batch.outputs, 0, row, row + 1);
                CHECK(difference(slice(outputs, 1, 0, length), alone.outputs, 1e-14) == "");
                CHECK(difference(slice(outputs, 1, length, 6), zeros({1, 6 - length, outputs.dim(2)}, Dtype::float64),
                                 0) == "");
                for (std::size_t k = 0; k < parts(batch.state).size(); ++k)
                    CHECK(difference(slice(parts(batch.state)[k], 1, row, row + 1), parts(alone.state)[k], 1e-14) ==
                          "");
            }
            // A row of length 0 keeps the first state, which is 0.
            CHECK(difference(select(batch.outputs, 0, 3), zeros({6, 3 * layer.directions()}, Dtype::float64), 0) == "");
            for (const Tensor& part : parts(batch.state))
                CHECK(difference(select(part, 1, 3), zeros({2 * layer.directions(), 3}, Dtype::float64), 0) == "");
        }
}

TEST_CASE_TEMPLATE("recurrent stack: a sequence in pieces, each from the state of the one before, is the whole", Layer,
                   Gru, Lstm, Rnn) {
    using Options = typename Kind<Layer>::Options;
    const auto layer = layer_of<Layer>(2, 3, Options{.layers = 2, .residual = true, .layer_norm = true});
    const Tensor x = sample_values({4, 6, 2}, -1, 1, 2);
    const auto lengths = [](std::int64_t begin, std::int64_t end) {
        std::vector<std::int64_t> result;
        for (const std::int64_t length : {6, 5, 2, 0})
            result.push_back(std::clamp<std::int64_t>(length, begin, end) - begin);
        return ids(result);
    };
    const auto whole = layer(x, lengths(0, 6));
    typename Layer::State state;
    std::vector<Tensor> outputs;
    for (std::int64_t begin = 0; begin < 6; begin += 2) {
        const auto piece = layer(slice(x, 1, begin, begin + 2), lengths(begin, begin + 2), state);
        outputs.push_back(piece.outputs);
        state = piece.state;
    }
    CHECK(difference(concat(outputs, 1), whole.outputs, 1e-14) == "");
    for (std::size_t k = 0; k < parts(state).size(); ++k)
        CHECK(difference(parts(state)[k], parts(whole.state)[k], 1e-14) == "");
}

TEST_CASE_TEMPLATE("recurrent stack: the reverse direction reads from the last real step to the first", Layer, Gru,
                   Lstm, Rnn) {
    using Options = typename Kind<Layer>::Options;
    const auto both = layer_of<Layer>(2, 3, Options{.bidirectional = true});
    auto one = layer_of<Layer>(2, 3, Options{});
    take_layer(one, both, "l0_reverse");
    const Tensor x = sample_values({1, 4, 2}, -1, 1, 2);
    std::vector<Tensor> backwards;
    for (const int t : {2, 1, 0}) backwards.push_back(select(x, 1, t));
    const auto forwards = one(stack(backwards, 1)), result = both(x, ids({3}));
    for (int t = 0; t < 3; ++t)
        CHECK(difference(slice(select(result.outputs, 1, t), 1, 3, 6), select(forwards.outputs, 1, 2 - t), 1e-15) ==
              "");
    for (std::size_t k = 0; k < parts(result.state).size(); ++k)
        CHECK(difference(select(parts(result.state)[k], 0, 1), select(parts(forwards.state)[k], 0, 0), 1e-15) == "");
}

TEST_CASE_TEMPLATE("recurrent stack: dropout acts between layers, if there is noise", Layer, Gru, Lstm, Rnn) {
    using Options = typename Kind<Layer>::Options;
    Generator noise(2), same(2);
    const Tensor x = sample_values({2, 4, 2}, -1, 1, 1);
    const auto one = layer_of<Layer>(2, 3, Options{.dropout = 0.5});
    const auto two = layer_of<Layer>(2, 3, Options{.layers = 2, .dropout = 0.5});
    CHECK(difference(one(x, {}, &noise).outputs, one(x).outputs, 0) == "");
    const auto dropped = two(x, {}, &noise);
    CHECK(difference(dropped.outputs, two(x).outputs, 0) != "");
    CHECK(difference(two(x, {}, &same).outputs, dropped.outputs, 0) == "");
    for (std::size_t k = 0; k < parts(dropped.state).size(); ++k)
        CHECK(difference(select(parts(dropped.state)[k], 0, 0), select(parts(two(x).state)[k], 0, 0), 0) == "");
}

TEST_CASE_TEMPLATE("recurrent stack: from the second layer on, a residual layer's input is added to its output", Layer,
                   Gru, Lstm, Rnn) {
    using Options = typename Kind<Layer>::Options;
    for (const bool bidirectional : {false, true}) {
        const std::int64_t width = bidirectional ? 6 : 3;
        // The first layer's input has the width of its output too, and is not added.
        const auto stack = layer_of<Layer>(
            width, 3, Options{.layers = 3, .bidirectional = bidirectional, .dropout = 0.5, .residual = true});
        std::vector<Layer> layers(3, layer_of<Layer>(width, 3, Options{.bidirectional = bidirectional}));
        for (std::size_t i = 0; i < 3; ++i) {
            layers[i] = clone(layers[i]);
            take_layer(layers[i], stack, "l" + std::to_string(i));
        }
        const Tensor x = sample_values({2, 4, width}, -1, 1, 2), lengths = ids({4, 3});
        Tensor outputs = layers[0](x, lengths).outputs;
        for (std::size_t i = 1; i < 3; ++i) outputs = layers[i](outputs, lengths).outputs + outputs;
        CHECK(difference(stack(x, lengths).outputs, outputs, 1e-15) == "");

        // What is added has not been through dropout.
        Generator noise(5), same(5);
        outputs = layers[0](x, lengths).outputs;
        for (std::size_t i = 1; i < 3; ++i) outputs = layers[i](dropout(outputs, 0.5, same), lengths).outputs + outputs;
        CHECK(difference(stack(x, lengths, &noise).outputs, outputs, 1e-15) == "");
    }
}

TEST_CASE_TEMPLATE("recurrent stack: layer norms and residuals, values and gradients are PyTorch's", Layer, Gru, Lstm,
                   Rnn) {
    using Options = typename Kind<Layer>::Options;
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture(std::string(Kind<Layer>::name) + "_layer_norm", precision);
        const Layer layer =
            fixture.load(layer_of<Layer>(4, 5, Options{.layers = 2, .residual = true, .layer_norm = true}));
        const Tensor x = fixture["input"];
        Tape tape;
        tape.watch(x);
        const auto result = layer(x);
        fixture.check("outputs", result.outputs);
        Tensor total = sum(result.outputs * fixture["cotangent.outputs"]);
        const std::vector<Tensor> states = parts(result.state);
        for (std::size_t k = 0; k < states.size(); ++k) {
            const std::string name = k == 0 ? "h_n" : "c_n";
            fixture.check(name, states[k]);
            total = total + sum(states[k] * fixture["cotangent." + name]);
        }
        NamedTensors inputs = named_parameters(layer);
        inputs.emplace_back("input", x);
        fixture.check_gradients(tape, total, inputs);
    }
}

TEST_CASE_TEMPLATE("recurrent stack: gradients with layer norms and residuals", Layer, Gru, Lstm, Rnn) {
    using Options = typename Kind<Layer>::Options;
    Tensor x = sample_values({2, 3, 2}, -1, 1, 2);
    x.set_name("x");
    for (const bool bidirectional : {false, true}) {
        Layer layer = layer_of<Layer>(
            2, 3, Options{.layers = 2, .bidirectional = bidirectional, .residual = true, .layer_norm = true});
        std::uint64_t seed = 10;
        for_each_parameter(
            layer, [&](const std::string&, Tensor& p) { p.copy_from(sample_values(p.shape(), -1, 1, ++seed)); });
        for (const int order : {1, 2}) {
            if (order == 2 && bidirectional) continue;  // says no more, and takes long
            const GradcheckResult result = gradcheck(layer, {x},
                                                     [](const Layer& layer, const std::vector<Tensor>& in) {
                                                         return joined_results(layer(in[0], ids({3, 2})));
                                                     },
                                                     {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
    }
}

TEST_CASE_TEMPLATE("recurrent stack: no rows give no states", Layer, Gru, Lstm, Rnn) {
    using Options = typename Kind<Layer>::Options;
    const auto layer =
        layer_of<Layer>(2, 3, Options{.layers = 2, .bidirectional = true, .residual = true, .layer_norm = true});
    const auto result = layer(zeros({0, 4, 2}, Dtype::float64), ids({}));
    CHECK(result.outputs.shape() == Shape{0, 4, 6});
    for (const Tensor& part : parts(result.state)) CHECK(part.shape() == Shape{4, 0, 3});
}

TEST_CASE("recurrent stack: norms are named as layers of the cells, and begin as LayerNorm does") {
    Generator generator(1);
    const std::vector<std::pair<std::string, Shape>> norms{
        {"norm_ih_l0.weight", {10}}, {"norm_ih_l0.bias", {10}}, {"norm_hh_l0.weight", {10}}, {"norm_hh_l0.bias", {10}},
        {"norm_in_l0.weight", {5}},  {"norm_in_l0.bias", {5}},  {"norm_hn_l0.weight", {5}},  {"norm_hn_l0.bias", {5}}};
    const auto named = named_parameters(Gru(4, 5, generator, {.layer_norm = true}));
    REQUIRE(named.size() == 4 + norms.size());
    for (std::size_t i = 0; i < norms.size(); ++i) {
        const auto& [name, parameter] = named[4 + i];
        CHECK(name == norms[i].first);
        CHECK(parameter.name() == name);
        CHECK(parameter.is_parameter());
        CHECK(difference(parameter, full(norms[i].second, name.ends_with("weight") ? 1 : 0), 0) == "");
    }
    const auto of_cell = named_parameters(LstmCell(4, 5, generator, true));
    REQUIRE(of_cell.size() == 8);
    CHECK(of_cell[4].first == "norm_ih.weight");
    CHECK(of_cell[7].first == "norm_hh.bias");
    for (std::size_t i = 4; i < 8; ++i) CHECK(of_cell[i].second.shape() == Shape{20});
    CHECK(named_parameters(Rnn(4, 5, generator, {.layers = 2, .layer_norm = true})).size() == 16);
    CHECK(named_parameters(RnnCell(4, 5, generator)).size() == 4);
}

TEST_CASE("recurrent stack: a GRU's norms with the reset before the product") {
    Generator generator(1);
    GruCell cell = to(GruCell(3, 4, generator, GruReset::before_product, true), Dtype::float64);
    std::uint64_t seed = 10;
    for_each_parameter(cell,
                       [&](const std::string&, Tensor& p) { p.copy_from(sample_values(p.shape(), -1, 1, ++seed)); });
    Tensor x = sample_values({2, 3}, -1, 1, 2), h = sample_values({2, 4}, -1, 1, 3);
    const auto rows = [](const Tensor& t, std::int64_t begin, std::int64_t end) { return slice(t, 0, begin, end); };
    const auto product = [&](const Tensor& v, const Tensor& weight, const Tensor& bias, std::int64_t begin,
                             std::int64_t end) { return linear(v, rows(weight, begin, end), rows(bias, begin, end)); };
    const Tensor gates = sigmoid(cell.norm_ih(product(x, cell.weight_ih, cell.bias_ih, 0, 8)) +
                                 cell.norm_hh(product(h, cell.weight_hh, cell.bias_hh, 0, 8)));
    const Tensor r = slice(gates, 1, 0, 4), z = slice(gates, 1, 4, 8);
    const Tensor n = tanh(cell.norm_in(product(x, cell.weight_ih, cell.bias_ih, 8, 12)) +
                          cell.norm_hn(product(r * h, cell.weight_hh, cell.bias_hh, 8, 12)));
    CHECK(difference(cell(cell.project(x), h), (1 - z) * n + z * h, 1e-15) == "");
    x.set_name("x"), h.set_name("h");
    for (const int order : {1, 2}) {
        const GradcheckResult result = gradcheck(
            cell, {x, h},
            [](const GruCell& cell, const std::vector<Tensor>& in) { return cell(cell.project(in[0]), in[1]); },
            {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}
