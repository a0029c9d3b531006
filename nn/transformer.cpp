#include <fmt/format.h>

#include <wengert/autograd/tape/scope.hpp>
#include <wengert/nn/transformer.hpp>

namespace wengert {
namespace {

/// norm(x + dropout(f(x))), or x + dropout(f(norm(x))).
template <class F>
Tensor sublayer(const Tensor& x, const LayerNorm& norm, const TransformerOptions& options, Generator* noise,
                const SourceLine& where, const F& f) {
    const Dropout dropout{options.dropout};
    if (options.norm_first) return x + dropout({f(norm({x, where})), where}, noise);
    const Tensor sum = x + dropout({f(x), where}, noise);
    return norm({sum, where});
}

Tensor feed_forward(const Tensor& x, const Linear& linear1, const Linear& linear2, const TransformerOptions& options,
                    Generator* noise, const SourceLine& where) {
    const Scope scope("feed_forward");
    const Tensor inner = linear1({x, where});
    const Tensor active = options.activation == FeedForwardActivation::relu ? relu(inner) : gelu(inner);
    const Tensor kept = Dropout{options.dropout}({active, where}, noise);
    return linear2({kept, where});
}

template <class Layer>
std::vector<Layer> stack_of(std::string_view name, std::int64_t d_model, std::int64_t nhead, int num_layers,
                            Generator& generator, const TransformerOptions& options) {
    if (num_layers < 1) throw ValueError(fmt::format("{}: there must be at least one layer", name));
    std::vector<Layer> layers;
    for (int i = 0; i < num_layers; ++i) layers.emplace_back(d_model, nhead, generator, options);
    return layers;
}

Tensor finish(const Tensor& x, const LayerNorm& norm, const SourceLine& where) {
    return norm.weight.defined() ? norm({x, where}) : x;
}

std::string layer_name(std::size_t i) { return "layers." + std::to_string(i); }

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
                                                 const TransformerOptions& given)
    : self_attn(d_model, nhead, generator, {.dropout = given.dropout}),
      linear1(d_model, given.dim_feedforward, generator),
      linear2(given.dim_feedforward, d_model, generator),
      norm1(d_model, given.layer_norm_eps),
      norm2(d_model, given.layer_norm_eps),
      options(given) {
    name_parameters(*this);
}

Tensor TransformerEncoderLayer::operator()(const Input& input, const Tensor& lengths,
                                           const AttendOptions& attend) const {
    const SourceLine& where = input.where();
    const Tensor attended =
        sublayer(tensor_of(input, "transformer_encoder"), norm1, options, attend.noise, where, [&](const Tensor& x) {
            const Scope scope("self_attn");
            AttendOptions of_outputs = attend;
            of_outputs.need_weights = false;
            return self_attn({x, where}, self_attn.remember({x, where}, lengths), of_outputs).outputs;
        });
    return sublayer(attended, norm2, options, attend.noise, where,
                    [&](const Tensor& x) { return feed_forward(x, linear1, linear2, options, attend.noise, where); });
}

TransformerEncoder::TransformerEncoder(std::int64_t d_model, std::int64_t nhead, int num_layers, Generator& generator,
                                       const TransformerOptions& options)
    : layers(stack_of<TransformerEncoderLayer>("TransformerEncoder", d_model, nhead, num_layers, generator, options)) {
    if (options.final_norm) norm = LayerNorm(d_model, options.layer_norm_eps);
    name_parameters(*this);
}

Tensor TransformerEncoder::operator()(const Input& input, const Tensor& lengths, const AttendOptions& attend) const {
    if (layers.empty()) throw_missing("transformer_encoder", "layers", input.where());
    Tensor x = tensor_of(input, "transformer_encoder");
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Scope scope(layer_name(i));
        x = layers[i]({x, input.where()}, lengths, attend);
    }
    return finish(x, norm, input.where());
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
                                                 const TransformerOptions& given)
    : self_attn(d_model, nhead, generator, {.dropout = given.dropout}),
      multihead_attn(d_model, nhead, generator, {.dropout = given.dropout}),
      linear1(d_model, given.dim_feedforward, generator),
      linear2(given.dim_feedforward, d_model, generator),
      norm1(d_model, given.layer_norm_eps),
      norm2(d_model, given.layer_norm_eps),
      norm3(d_model, given.layer_norm_eps),
      options(given) {
    name_parameters(*this);
}

TransformerDecoderLayer::Step TransformerDecoderLayer::step(const Input& input,
                                                            const MultiHeadAttention::Memory& memory,
                                                            const MultiHeadAttention::Memory& past, Generator* noise,
                                                            const DecoderMasks& masks) const {
    const SourceLine& where = input.where();
    MultiHeadAttention::Memory seen;
    Tensor weights;
    const Tensor self_attended =
        sublayer(tensor_of(input, "transformer_decoder"), norm1, options, noise, where, [&](const Tensor& x) {
            const Scope scope("self_attn");
            seen = self_attn.extend(past, {x, where});
            return self_attn({x, where}, seen,
                             {.causal = true, .noise = noise, .need_weights = false, .attn_mask = masks.target})
                .outputs;
        });
    const Tensor attended = sublayer(self_attended, norm2, options, noise, where, [&](const Tensor& x) {
        const Scope scope("multihead_attn");
        const MultiHeadAttention::Result result =
            multihead_attn({x, where}, memory, {.noise = noise, .attn_mask = masks.memory});
        weights = result.weights;
        return result.outputs;
    });
    return {sublayer(attended, norm3, options, noise, where,
                     [&](const Tensor& x) { return feed_forward(x, linear1, linear2, options, noise, where); }),
            seen, weights};
}

TransformerDecoder::TransformerDecoder(std::int64_t d_model, std::int64_t nhead, int num_layers, Generator& generator,
                                       const TransformerOptions& options)
    : layers(stack_of<TransformerDecoderLayer>("TransformerDecoder", d_model, nhead, num_layers, generator, options)) {
    if (options.final_norm) norm = LayerNorm(d_model, options.layer_norm_eps);
    name_parameters(*this);
}

TransformerDecoder::Memory TransformerDecoder::remember(const Input& states, const Tensor& lengths) const {
    if (layers.empty()) throw_missing("transformer_decoder", "layers", states.where());
    Memory memory;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Scope scope(layer_name(i));
        memory.push_back(layers[i].remember(states, lengths));
    }
    return memory;
}

TransformerDecoder::Step TransformerDecoder::step(const Input& input, const Memory& memory, const Past& past,
                                                  Generator* noise, const DecoderMasks& masks) const {
    if (layers.empty()) throw_missing("transformer_decoder", "layers", input.where());
    Step result{tensor_of(input, "transformer_decoder"), {}, {}};
    located("transformer_decoder", {&result.outputs}, input.where(), [&] {
        if (memory.empty()) throw ValueError("the memory is empty; remember() makes one");
        if (memory.size() != layers.size())
            throw ValueError(
                fmt::format("the memory is of {} layers, and the decoder has {}", memory.size(), layers.size()));
        if (!past.empty() && past.size() != layers.size())
            throw ValueError(
                fmt::format("the past is of {} layers, and the decoder has {}", past.size(), layers.size()));
    });
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Scope scope(layer_name(i));
        const MultiHeadAttention::Memory before = past.empty() ? MultiHeadAttention::Memory() : past[i];
        const auto layer = layers[i].step({result.outputs, input.where()}, memory[i], before, noise, masks);
        result.outputs = layer.outputs;
        result.past.push_back(layer.past);
        result.weights = layer.weights;
    }
    result.outputs = finish(result.outputs, norm, input.where());
    return result;
}

}  // namespace wengert
