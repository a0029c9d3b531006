#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/nn/batch_norm.hpp>
#include <wengert/nn/convolution.hpp>
#include <wengert/nn/group_norm.hpp>
#include <wengert/nn/layer_norm.hpp>
#include <wengert/nn/lstm.hpp>
#include <wengert/nn/rms_norm.hpp>
#include <wengert/nn/rnn.hpp>

#include "layer_check.hpp"

namespace wengert::program {
namespace {

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
    constexpr std::int64_t memory = 5;
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
    }
}

/// Convolutions, and normalisations over channels.
void check_images(const GradientCheckReport& report, Generator& generator) {
    const auto call = [](const auto& layer, const Tensors& x) { return layer(x[0]); };
    const Tensor sequence = values({batch, 2, 5}, 1), image = values({batch, 2, 4, 3}, 2);
    check(report, "Conv1d", Conv1d(2, 4, 3, generator, {.stride = 2, .padding = 1, .groups = 2}), {sequence}, call);
    check(report, "Conv2d", Conv2d(2, 3, {3, 2}, generator, {.padding = {1, 0}}), {image}, call);
    check(report, "Conv2d without bias", Conv2d(2, 2, 2, generator, {.dilation = 2}, false), {image}, call);
    check(report, "ConvTranspose2d", ConvTranspose2d(2, 3, 2, generator, {.stride = 2, .output_padding = 1}),
          {values({1, 2, 2, 2}, 3)}, call);
    check(report, "BatchNorm, training", BatchNorm(2), {sequence},
          [](const BatchNorm& layer, const Tensors& x) { return layer(x[0], NormStatistics::batch); });
    check(report, "BatchNorm, evaluation", BatchNorm(2), {sequence}, call);
    check(report, "GroupNorm", GroupNorm(2, 4), {values({batch, 4, 3}, 4)}, call);
    check(report, "RmsNorm", RmsNorm(features), {values({batch, steps, features}, 1)}, call);
}

/// The loss of each system, by every parameter: small as it is, and with what options add to it.
void check_systems(const GradientCheckReport& report, Generator& generator) {
    const Tensor source = ids({4, 5, 2, 4, 2, 0}, {batch, steps});
    const Tensor target = ids({1, 4, 3, 2, 1, 5, 2, 0}, {batch, 4});
    const SystemOptions plain{.source_vocabulary = 6,
                              .target_vocabulary = 6,
                              .embedding = 2,
                              .hidden = 2,
                              .attention = 2,
                              .layers = 2,
                              .window = 1,
                              .heads = 2,
                              .feed_forward = 3};
    SystemOptions rich = plain;
    rich.bidirectional = rich.residual = rich.layer_norm = rich.backward_bridge = true;
    rich.cell = CellKind::lstm;
    rich.readout = Readout::deep;
    rich.tying = Tying::all;
    SystemOptions reset = plain;
    reset.gru_reset = GruReset::before_product;
    for (const SystemEntry& entry : all_systems()) {
        const std::pair<std::string_view, SystemOptions> variants[]{
            {"", plain}, {", all options", rich}, {", reset before the product", reset}};
        for (const auto& [variant, of_variant] : variants) {
            SystemOptions options = of_variant;
            const bool is_plain = variant.empty(), is_rich = options.layer_norm;
            if (!is_plain && !is_rich && std::ranges::count(entry.unread, "gru_reset") > 0) continue;
            // A dot product compares states of one width.
            if (entry.name == "luong-dot") options.bidirectional = false;
            options.reverse_source = is_rich && (entry.name == "sutskever" || entry.name == "cho");
            const auto system = make_system(entry.name, options, generator)->to(Dtype::float64);
            std::uint64_t seed = 100;
            std::vector<Tensor> parameters = system->parameters();
            for (Tensor& p : parameters) p.copy_from(sample_values(p.shape(), -1.5, 1.5, ++seed));
            const auto loss = [&](const Tensors& in) {
                std::size_t next = 0;
                return system->with_parameters([&](const Tensor&) { return in[next++]; })
                    ->loss(source, lengths(), target);
            };
            const std::string name = fmt::format("{} loss{}", entry.name, variant);
            // Second order is that of ops and layers, and takes long.
            if (is_plain)
                check(report, name, parameters, loss);
            else
                report({name, 1, gradcheck(loss, parameters)});
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
    check_images(report, generator);
    check_recurrent(report, generator);
    check_lstm(report, generator);
    check_rnn(report, generator);
    check_normalised(report, generator);
    check_attention(report, generator);
    check_attentions(report, generator);
    check_systems(report, generator);
}

}  // namespace wengert::program
