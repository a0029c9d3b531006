#include <fmt/format.h>

#include <functional>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/models/seq2seq/seq2seq.hpp>
#include <wengert/nn/layer_norm.hpp>
#include <wengert/nn/lstm.hpp>
#include <wengert/nn/rnn.hpp>

#include "gradient_checks.hpp"

namespace wengert::program {
namespace {

using Tensors = std::vector<Tensor>;

constexpr std::int64_t batch = 2, steps = 3, features = 3, hidden = 4;

Tensor values(const Shape& shape, std::uint64_t seed) { return sample_values(shape, -1, 1, seed); }
Tensor ids(std::initializer_list<double> numbers, const Shape& shape) { return tensor(numbers, shape, Dtype::int64); }
/// One full row and one that is padded.
Tensor lengths() { return tensor({steps, steps - 1}, Dtype::int64); }

/// A row for each order, of `run(options)`.
template <class F>
void check_orders(const GradientCheckReport& report, const std::string& subject, const F& run) {
    for (const int order : {1, 2}) {
        const GradcheckResult result = run(GradcheckOptions{.order = order});
        report({subject, order, result.worst_error, result.passed ? Verdict::passed : Verdict::failed, result.message});
    }
}

void check(const GradientCheckReport& report, const std::string& subject, const Tensors& inputs,
           const GradcheckFunction& f) {
    check_orders(report, subject, [&](const GradcheckOptions& options) { return gradcheck(f, inputs, options); });
}

/// The same for f(layer, inputs), by every parameter of the layer too. With a layer's small first values an attention
/// is nearly even, and gradients that nearly vanish prove little; so it gets larger ones.
template <Module M, class F>
void check(const GradientCheckReport& report, const std::string& subject, const M& layer, const Tensors& inputs,
           const F& f) {
    M lively = to(layer, Dtype::float64);
    std::uint64_t seed = 100;
    for_each_parameter(
        lively, [&](const std::string&, Tensor& p) { p.copy_from(sample_values(p.shape(), -1.5, 1.5, ++seed)); });
    check_orders(report, subject,
                 [&](const GradcheckOptions& options) { return gradcheck(lively, inputs, f, options); });
}

void check_formulas(const GradientCheckReport& report) {
    Tensors seven;
    for (std::uint64_t seed = 1; seed <= 7; ++seed) seven.push_back(values({batch, 5}, seed));
    check(report, "map: GRU gates, 7 operands", seven, [](const Tensors& x) {
        return map(
            [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h) {
                const auto r = sigmoid(xr + hr);
                const auto z = sigmoid(xz + hz);
                const auto n = tanh(xn + r * hn);
                return n + z * (h - n);
            },
            x[0], x[1], x[2], x[3], x[4], x[5], x[6]);
    });
    check(report, "map_sum: attention scores",
          {values({1, 5}, 1), values({batch, steps, 5}, 2), values({batch, 1, 5}, 3)}, [](const Tensors& x) {
              return map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, x[0], x[1], x[2]);
          });
    const Tensor sequence = values({batch, steps, features}, 1);
    check(report, "linear", {sequence, values({hidden, features}, 2), values({hidden}, 3)},
          [](const Tensors& x) { return linear(x[0], x[1], x[2]); });
    check(report, "mean", {sequence}, [](const Tensors& x) { return mean(x[0], 1); });
    check(report, "masked_fill", {values({batch, steps}, 1)},
          [](const Tensors& x) { return masked_fill(x[0], 1 - length_mask(lengths(), steps, Dtype::float64), -7); });
    check(report, "dropout", {sequence}, [](const Tensors& x) {
        Generator noise(1);
        return dropout(x[0], 0.4, noise);
    });
}

void check_recurrent(const GradientCheckReport& report, Generator& generator) {
    for (const GruReset reset : {GruReset::after_product, GruReset::before_product}) {
        const std::string convention = reset == GruReset::after_product ? "reset after" : "reset before";
        const Tensors step_inputs{values({batch, features}, 1), values({batch, hidden}, 2)};
        check(report, "GruCell, " + convention, GruCell(features, hidden, generator, reset), step_inputs,
              [](const GruCell& cell, const Tensors& x) { return cell(cell.project(x[0]), x[1]); });
        for (const bool bidirectional : {false, true}) {
            for (const bool padded : {false, true}) {
                const Gru gru(features, hidden, generator,
                              {.layers = 2, .bidirectional = bidirectional, .reset = reset});
                const std::string subject =
                    fmt::format("Gru, 2 layers, {}{}{}", convention, bidirectional ? ", bidirectional" : "",
                                padded ? ", lengths" : "");
                check(report, subject, gru, {values({batch, steps, features}, 3)},
                      [padded](const Gru& layer, const Tensors& x) {
                          const Gru::Result result = layer(x[0], padded ? lengths() : Tensor());
                          return concat({reshape(result.outputs, {-1}), reshape(result.state, {-1})}, 0);
                      });
            }
        }
    }
}

void check_lstm(const GradientCheckReport& report, Generator& generator) {
    check(report, "LstmCell", LstmCell(features, hidden, generator),
          {values({batch, features}, 1), values({batch, hidden}, 2), values({batch, hidden}, 3)},
          [](const LstmCell& cell, const Tensors& x) {
              const LstmState next = cell(cell.project(x[0]), {x[1], x[2]});
              return concat({next.h, next.c}, 1);
          });
    const Lstm lstm(features, hidden, generator, {.layers = 2, .bidirectional = true});
    check(report, "Lstm, 2 layers, bidirectional, lengths", lstm, {values({batch, steps, features}, 3)},
          [](const Lstm& layer, const Tensors& x) {
              const auto [outputs, state] = layer(x[0], lengths());
              return concat({reshape(outputs, {-1}), reshape(state.h, {-1}), reshape(state.c, {-1})}, 0);
          });
}

void check_rnn(const GradientCheckReport& report, Generator& generator) {
    for (const RnnNonlinearity f : {RnnNonlinearity::tanh, RnnNonlinearity::relu})
        check(report, f == RnnNonlinearity::tanh ? "RnnCell, tanh" : "RnnCell, relu",
              RnnCell(features, hidden, generator, f), {values({batch, features}, 1), values({batch, hidden}, 2)},
              [](const RnnCell& cell, const Tensors& x) { return cell(cell.project(x[0]), x[1]); });
    const Rnn rnn(features, hidden, generator, {.layers = 2, .bidirectional = true});
    check(report, "Rnn, 2 layers, bidirectional, lengths", rnn, {values({batch, steps, features}, 3)},
          [](const Rnn& layer, const Tensors& x) {
              const auto [outputs, state] = layer(x[0], lengths());
              return concat({reshape(outputs, {-1}), reshape(state, {-1})}, 0);
          });
}

/// Layer normalisation in the cells, and a layer's input added to its output.
void check_normalised(const GradientCheckReport& report, Generator& generator) {
    const auto outputs = [](const auto& layer, const Tensors& x) { return layer(x[0], lengths()).outputs; };
    const Tensors input{values({batch, steps, features}, 3)};
    check(report, "Gru, 2 layers, layer norms, residual",
          Gru(features, hidden, generator, {.layers = 2, .residual = true, .layer_norm = true}), input, outputs);
    check(report, "Lstm, 2 layers, layer norms, residual",
          Lstm(features, hidden, generator, {.layers = 2, .residual = true, .layer_norm = true}), input, outputs);
    check(report, "Rnn, 2 layers, layer norms, residual",
          Rnn(features, hidden, generator, {.layers = 2, .residual = true, .layer_norm = true}), input, outputs);
}

void check_attention(const GradientCheckReport& report, Generator& generator) {
    constexpr std::int64_t memory = 5, vocabulary = 6;
    for (const bool padded : {false, true}) {
        const std::string suffix = padded ? ", lengths" : "";
        const Tensor valid = padded ? lengths() : Tensor();
        const BahdanauAttention attention(hidden, memory, 3, generator);
        check(report, "BahdanauAttention" + suffix, attention,
              {values({batch, hidden}, 1), values({batch, steps, memory}, 2)},
              [valid](const BahdanauAttention& layer, const Tensors& x) {
                  const auto result = layer(x[0], layer.remember(x[1], valid));
                  return concat({result.context, result.weights}, 1);
              });
        const Decoder decoder(vocabulary, features, hidden, memory, 3, 0, generator);
        check(report, "Decoder, one step" + suffix, decoder,
              {values({batch, hidden}, 3), values({batch, steps, memory}, 4)},
              [valid](const Decoder& layer, const Tensors& x) {
                  const auto seen = layer.remember(x[1], valid);
                  const auto next = layer.step(layer.project(ids({1, 5}, {batch})), x[0], seen);
                  return concat({layer.output(next.state), next.weights}, 1);
              });
    }
}

void check_model(const GradientCheckReport& report, Generator& generator) {
    const Tensor source = ids({4, 5, 2, 4, 2, 0}, {batch, steps});
    const Tensor target = ids({1, 4, 3, 2, 1, 5, 2, 0}, {batch, 4});
    for (const bool bidirectional : {false, true}) {
        for (const bool padded : {false, true}) {
            const Seq2Seq model({.source_vocabulary = 6,
                                 .target_vocabulary = 7,
                                 .embedding = 2,
                                 .hidden = 3,
                                 .attention = 2,
                                 .layers = 2,
                                 .bidirectional = bidirectional},
                                generator);
            const std::string subject =
                fmt::format("Seq2Seq loss{}{}", bidirectional ? ", bidirectional" : "", padded ? ", lengths" : "");
            check(report, subject, model, {}, [&](const Seq2Seq& m, const Tensors&) {
                return m.loss(source, padded ? lengths() : Tensor(), target);
            });
        }
    }
}

}  // namespace

void check_layers(const GradientCheckReport& report) {
    Generator generator(1);
    check_formulas(report);
    check(report, "Linear", Linear(features, hidden, generator), {values({batch, steps, features}, 1)},
          [](const Linear& layer, const Tensors& x) { return layer(x[0]); });
    check(report, "Linear without bias", Linear(features, hidden, generator, false), {values({batch, features}, 1)},
          [](const Linear& layer, const Tensors& x) { return layer(x[0]); });
    check(report, "Embedding", Embedding(5, features, generator), {}, [](const Embedding& layer, const Tensors&) {
        return layer(ids({4, 0, 4, 2}, {2, 2}));
    });
    check(report, "LayerNorm", LayerNorm(features), {values({batch, steps, features}, 1)},
          [](const LayerNorm& layer, const Tensors& x) { return layer(x[0]); });
    check_recurrent(report, generator);
    check_lstm(report, generator);
    check_rnn(report, generator);
    check_normalised(report, generator);
    check_attention(report, generator);
    check_model(report, generator);
}

}  // namespace wengert::program
