// Mirrors no file: bfloat16 through the attention layers and the Transformer's.
#include <wengert/nn/nn.hpp>

#include "bfloat16.hpp"

using namespace wengert;
using namespace bfloat16_sizes;

namespace {

constexpr std::int64_t heads = 4;

Tensor weighed_results(const auto& result) { return weighed(result.context) + weighed(result.weights); }

}  // namespace

TEST_CASE("bfloat16: Luong's attention") {
    Generator generator(1);
    const std::vector<Tensor> inputs{sample({batch, hidden}, 1), sample({batch, steps, features}, 2)};
    for (const LuongScore kind : {LuongScore::general, LuongScore::concat})
        check_bfloat16(LuongAttention(hidden, features, generator, {.score = kind}), inputs, 2,
                       [](const LuongAttention& layer, const auto& in) {
                           return weighed_results(layer(in[0], layer.remember(in[1], lengths())));
                       });
    check_bfloat16(LocalPredictiveAttention(hidden, features, 2, generator), inputs, 3,
                   [](const LocalPredictiveAttention& layer, const auto& in) {
                       return weighed_results(layer(in[0], layer.remember(in[1], lengths())));
                   });
}

TEST_CASE("bfloat16: attention with coverage") {
    Generator generator(1);
    for (const CoverageKind kind : {CoverageKind::accumulated, CoverageKind::fertility, CoverageKind::neural})
        check_bfloat16(CoverageAttention(hidden, features, hidden, generator, {.kind = kind}),
                       {sample({batch, hidden}, 1), sample({batch, hidden}, 2), sample({batch, steps, features}, 3)}, 4,
                       [](const CoverageAttention& layer, const auto& in) {
                           const auto memory = layer.remember(in[2], lengths());
                           const auto first = layer(in[0], memory), second = layer(in[1], memory, first.coverage);
                           return weighed_results(first) + weighed_results(second) + weighed(second.coverage);
                       });
}

TEST_CASE("bfloat16: multi-head attention and a Transformer's layers") {
    Generator generator(1);
    const Tensor x = sample({batch, steps, features}, 1), states = sample({batch, steps, features}, 2);
    check_bfloat16(MultiHeadAttention(features, heads, generator), {x, states}, 5,
                   [](const MultiHeadAttention& layer, const auto& in) {
                       return weighed(layer(in[0], layer.remember(in[1], lengths())).outputs);
                   });
    // Rounding flips the sign of what is nearly 0, and there relu's derivative jumps: gelu's does not.
    const TransformerOptions options{.dim_feedforward = 128, .activation = FeedForwardActivation::gelu};
    check_bfloat16(TransformerEncoder(features, heads, 1, generator, options), {x}, 10,
                   [](const TransformerEncoder& layer, const auto& in) { return weighed(layer(in[0], lengths())); });
    check_bfloat16(TransformerDecoder(features, heads, 1, generator, options), {x, states}, 16,
                   [](const TransformerDecoder& layer, const auto& in) {
                       return weighed(layer(in[0], layer.remember(in[1], lengths())));
                   });
}
