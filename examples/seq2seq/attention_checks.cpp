#include <array>
#include <utility>

#include "layer_check.hpp"

namespace wengert::program {
namespace {

constexpr std::int64_t memory = 4, heads = 2;
constexpr std::array spellings{std::pair{false, ""}, std::pair{true, ", lengths"}};

Tensor joined(const auto& result) { return concat({result.context, result.weights}, 1); }

void check_luong(const GradientCheckReport& report, Generator& generator) {
    const Tensors inputs{values({batch, hidden}, 1), values({batch, steps, memory}, 2)};
    for (const auto& [padded, suffix] : spellings) {
        const Tensor valid = padded ? lengths() : Tensor();
        for (const auto& [kind, name] : {std::pair{LuongScore::dot, "dot"}, std::pair{LuongScore::general, "general"},
                                         std::pair{LuongScore::concat, "concat"}})
            check(report, std::string("LuongAttention, ") + name + suffix,
                  LuongAttention(hidden, memory, generator, {.score = kind, .attention = 3}), inputs,
                  [valid](const LuongAttention& layer, const Tensors& x) {
                      return joined(layer(x[0], layer.remember(x[1], valid)));
                  });
        check(report, std::string("LocalMonotonicAttention") + suffix,
              LocalMonotonicAttention(hidden, memory, 1, generator), inputs,
              [valid](const LocalMonotonicAttention& layer, const Tensors& x) {
                  return joined(layer(x[0], layer.remember(x[1], valid), 2));
              });
        check(report, std::string("LocalPredictiveAttention") + suffix,
              LocalPredictiveAttention(hidden, memory, 2, generator), inputs,
              [valid](const LocalPredictiveAttention& layer, const Tensors& x) {
                  return joined(layer(x[0], layer.remember(x[1], valid)));
              });
    }
}

void check_coverage(const GradientCheckReport& report, Generator& generator) {
    const Tensors inputs{values({batch, hidden}, 1), values({batch, hidden}, 2), values({batch, steps, memory}, 3)};
    for (const auto& [padded, suffix] : spellings) {
        const Tensor valid = padded ? lengths() : Tensor();
        for (const auto& [kind, name] :
             {std::pair{CoverageKind::accumulated, "accumulated"}, std::pair{CoverageKind::fertility, "fertility"},
              std::pair{CoverageKind::neural, "neural"}})
            check(report, std::string("CoverageAttention, two steps, ") + name + suffix,
                  CoverageAttention(hidden, memory, 3, generator, {.kind = kind, .features = 2}), inputs,
                  [valid](const CoverageAttention& layer, const Tensors& x) {
                      const auto seen = layer.remember(x[2], valid);
                      const auto first = layer(x[0], seen), second = layer(x[1], seen, first.coverage);
                      return concat({joined(second), reshape(second.coverage, {batch, -1})}, 1);
                  });
    }
}

void check_transformer(const GradientCheckReport& report, Generator& generator) {
    const Tensor x = values({batch, steps, hidden}, 1), states = values({batch, steps, hidden}, 2);
    for (const auto& [padded, suffix] : spellings) {
        const Tensor valid = padded ? lengths() : Tensor();
        check(report, std::string("MultiHeadAttention, causal") + suffix, MultiHeadAttention(hidden, heads, generator),
              {x}, [valid](const MultiHeadAttention& layer, const Tensors& in) {
                  return layer(in[0], layer.remember(in[0], valid), {.causal = true}).outputs;
              });
        check(report, std::string("MultiHeadAttention, kdim and vdim") + suffix,
              MultiHeadAttention(hidden, heads, generator, {.kdim = 2, .vdim = 3}),
              {x, values({batch, steps, 2}, 3), values({batch, steps, 3}, 4)},
              [valid](const MultiHeadAttention& layer, const Tensors& in) {
                  return layer(in[0], layer.remember(in[1], in[2], valid)).outputs;
              });
        for (const bool norm_first : {false, true}) {
            // A large epsilon, since differences of a norm of four numbers that are nearly alike have few right digits.
            const TransformerOptions options{.dim_feedforward = 3,
                                             .dropout = 0,
                                             .activation = FeedForwardActivation::gelu,
                                             .layer_norm_eps = 0.25,
                                             .norm_first = norm_first};
            const std::string place = norm_first ? ", norm first" : "";
            check(report, "TransformerEncoder" + place + suffix,
                  TransformerEncoder(hidden, heads, 1, generator, options), {x},
                  [valid](const TransformerEncoder& layer, const Tensors& in) { return layer(in[0], valid); });
            check(report, "TransformerDecoder" + place + suffix,
                  TransformerDecoder(hidden, heads, 1, generator, options), {x, states},
                  [valid](const TransformerDecoder& layer, const Tensors& in) {
                      return layer(in[0], layer.remember(in[1], valid));
                  });
        }
    }
    check(report, "LearnedEncoding", LearnedEncoding(steps, hidden, generator), {x},
          [](const LearnedEncoding& layer, const Tensors& in) { return tanh(layer(in[0])); });
}

}  // namespace

void check_attentions(const GradientCheckReport& report, Generator& generator) {
    check_luong(report, generator);
    check_coverage(report, generator);
    check_transformer(report, generator);
}

}  // namespace wengert::program
