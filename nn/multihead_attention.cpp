#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <wengert/nn/initializers.hpp>
#include <wengert/nn/internal/attended.hpp>
#include <wengert/nn/multihead_attention.hpp>

namespace wengert {
namespace {

constexpr std::string_view multihead_name = "multi_head_attention";

void require_states(const char* what, const Tensor& x) {
    if (x.rank() != 3)
        throw ShapeError(fmt::format("the {} must be [B, T, features], not {}", what, to_string(x.shape())));
}

/// 1 where query t of `queries` must not see position s, because it comes later: [T, S].
Tensor later_positions(std::int64_t queries, std::int64_t positions, Dtype dtype) {
    const Tensor last = unsqueeze(arange(queries, dtype), 1) + (positions - queries);
    return arange(positions, dtype) > last;
}

constexpr double lowest = -std::numeric_limits<double>::infinity();

Tensor over_heads(const Tensor& padding) { return unsqueeze(unsqueeze(padding, 1), 1); }

/// 1 where a score must not count, of a shape that broadcasts with [B, heads, T, S]; undefined if all do.
Tensor hidden_scores(const Tensor& padding, const AttendOptions& options, const Shape& scores, Dtype dtype) {
    const Pause pause;
    Tensor hidden;
    const auto hide = [&](const Tensor& more) { hidden = hidden.defined() ? maximum(hidden, more) : more; };
    if (padding.defined()) hide(over_heads(padding));
    // One query sees everything, causal or not.
    if (options.causal && scores[2] > 1) hide(later_positions(scores[2], scores[3], dtype));
    const Tensor& mask = options.attn_mask;
    if (mask.defined()) hide(mask.dtype() == Dtype::boolean ? mask : mask == lowest);
    return hidden;
}

/// What is added to scores [B, heads, T, S]: minus infinity where they must not count; undefined if nothing is.
Tensor added_to_scores(const Tensor& padding, const Tensor& mask, Dtype dtype) {
    const auto infinite = [dtype](const Tensor& hidden) {
        const Pause pause;
        return where(hidden, lowest, zeros({}, dtype));
    };
    Tensor added = mask.defined() && mask.dtype() == Dtype::boolean ? infinite(mask) : mask;
    if (!padding.defined()) return added;
    const Tensor of_padding = infinite(over_heads(padding));
    return added.defined() ? added + of_padding : of_padding;
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t embed_dim, std::int64_t num_heads, Generator& generator,
                                       const MultiHeadOptions& options)
    : heads(num_heads), dropout(options.dropout) {
    const std::int64_t kdim = options.kdim == 0 ? embed_dim : options.kdim;
    const std::int64_t vdim = options.vdim == 0 ? embed_dim : options.vdim;
    require_features("MultiHeadAttention", {embed_dim, num_heads, kdim, vdim});
    if (embed_dim % num_heads != 0)
        throw ValueError(fmt::format("MultiHeadAttention: {} heads do not divide {} features", num_heads, embed_dim));
    if (!(dropout >= 0 && dropout < 1))
        throw ValueError(fmt::format("MultiHeadAttention: dropout is {}, outside [0, 1)", dropout));
    const auto drawn = [&](const Shape& shape) {
        const Tensor weight = Tensor::empty(shape);
        initialize::xavier_uniform(weight, generator);
        return weight;
    };
    if (kdim == embed_dim && vdim == embed_dim) {
        in_proj_weight = drawn({3 * embed_dim, embed_dim});
    } else {
        q_proj_weight = drawn({embed_dim, embed_dim});
        k_proj_weight = drawn({embed_dim, kdim});
        v_proj_weight = drawn({embed_dim, vdim});
    }
    out_proj = Linear(embed_dim, embed_dim, generator, options.bias);
    if (options.bias) {
        in_proj_bias = zeros({3 * embed_dim});
        out_proj.bias.fill(0);
    }
    name_parameters(*this);
}

/// x [B, T, in] -> [B, T, count * E], by `count` projections of q, k, v from number `first` on.
Tensor MultiHeadAttention::project(const Input& x, int first, int count) const {
    const std::int64_t features = out_proj.weight.dim(0), begin = first * features, end = begin + count * features;
    const std::array separate{&q_proj_weight, &k_proj_weight, &v_proj_weight};
    const Tensor weight =
        in_proj_weight.defined() ? slice(in_proj_weight, 0, begin, end) : *separate[static_cast<std::size_t>(first)];
    return in_proj_bias.defined() ? linear(x, weight, slice(in_proj_bias, 0, begin, end)) : linear(x, weight);
}

/// [B, T, E] -> [B, heads, T, d]
Tensor MultiHeadAttention::by_heads(const Tensor& x) const {
    return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
}

void MultiHeadAttention::require_parameters(const SourceLine& where) const {
    require_parameter(out_proj.weight, multihead_name, "out_proj.weight", where);
    if (in_proj_weight.defined()) return;
    const bool separate = q_proj_weight.defined() || k_proj_weight.defined() || v_proj_weight.defined();
    if (!separate) throw_missing(multihead_name, "in_proj_weight", where);
    require_parameter(q_proj_weight, multihead_name, "q_proj_weight", where);
    require_parameter(k_proj_weight, multihead_name, "k_proj_weight", where);
    require_parameter(v_proj_weight, multihead_name, "v_proj_weight", where);
}

MultiHeadAttention::Memory MultiHeadAttention::remember(const Input& key, const Input& value,
                                                        const Tensor& lengths) const {
    require_parameters(key.where());
    const Tensor &k = key.tensor(), &v = value.tensor();
    located(multihead_name, {&k, &v}, key.where(), [&] {
        require_states("key", k), require_states("value", v);
        if (k.dim(0) != v.dim(0) || k.dim(1) != v.dim(1))
            throw ShapeError(fmt::format("the value {} has not a row and a step for each of the key {}",
                                         to_string(v.shape()), to_string(k.shape())));
    });
    const Tensor padding = attended::padding(multihead_name, key, lengths);
    if (k.same_as(v) && in_proj_weight.defined()) {
        const auto [keys, values] = chunk<2>(project(key, 1, 2));
        return {by_heads(keys), by_heads(values), padding};
    }
    return {by_heads(project(key, 1, 1)), by_heads(project({v, key.where()}, 2, 1)), padding};
}

MultiHeadAttention::Memory MultiHeadAttention::extend(const Memory& past, const Input& states) const {
    const Memory added = remember(states);
    if (!past.keys.defined()) return added;
    return located(multihead_name, {&states.tensor()}, states.where(), [&]() -> Memory {
        if (past.padding.defined()) throw ValueError("a memory with padding cannot be extended");
        if (past.keys.dim(0) != added.keys.dim(0))
            throw ShapeError(fmt::format("the states {} are not one row for each of the memory's {}",
                                         to_string(states.tensor().shape()), past.keys.dim(0)));
        return {concat({past.keys, added.keys}, 2), concat({past.values, added.values}, 2), {}};
    });
}

MultiHeadAttention::Result MultiHeadAttention::operator()(const Input& query, const Memory& memory,
                                                          const AttendOptions& options) const {
    require_parameters(query.where());
    const Tensor& x = query.tensor();
    located(multihead_name, {&x}, query.where(), [&] {
        require_states("query", x);
        if (!memory.keys.defined()) throw ValueError("the memory is empty; remember() makes one");
        const std::int64_t rows = memory.keys.dim(0), positions = memory.keys.dim(2);
        if (x.dim(0) != rows && x.dim(0) != 1 && rows != 1)
            throw ShapeError(
                fmt::format("the query {} is not one row for each of the memory's {}", to_string(x.shape()), rows));
        if (memory.keys.dim(1) != heads || memory.keys.dim(3) * heads != out_proj.weight.dim(0))
            throw ShapeError(fmt::format("the memory's keys {} are of another layer, not of {} heads of {} features",
                                         to_string(memory.keys.shape()), heads, out_proj.weight.dim(0) / heads));
        if (options.causal && x.dim(1) > positions)
            throw ShapeError(fmt::format("causal: the query {} has more steps than the memory's {}",
                                         to_string(x.shape()), positions));
        const Tensor& mask = options.attn_mask;
        if (!mask.defined()) return;
        const Shape scores{std::max(x.dim(0), rows), heads, x.dim(1), positions};
        if (mask.rank() == 3)
            throw ShapeError(
                fmt::format("the attn_mask {} has three axes, which may be [B, T, S] or [heads, T, S]: make "
                            "it four, [B, heads, T, S], of which any may be 1",
                            to_string(mask.shape())));
        if (!stretches_to(mask.shape(), scores))
            throw ShapeError(
                fmt::format("the attn_mask {} does not fit the scores {}", to_string(mask.shape()), to_string(scores)));
        if (mask.dtype() != Dtype::boolean && mask.dtype() != x.dtype())
            throw DtypeError(fmt::format("the attn_mask is {}, neither bool nor {} as the query is",
                                         to_string(mask.dtype()), to_string(x.dtype())));
    });
    const auto output = [&](const Tensor& of_heads) {  // [B, heads, T, d]
        const Tensor found = permute(of_heads, {0, 2, 1, 3});
        return out_proj(reshape(found, {found.dim(0), found.dim(1), out_proj.weight.dim(0)}));
    };
    if (!options.need_weights) {
        const DotProductOptions attend{
            .mask = added_to_scores(memory.padding, options.attn_mask, query.tensor().dtype()),
            .causal = options.causal,
            .dropout = dropout,
            .noise = options.noise};
        const Tensor queries = by_heads(project(query, 0, 1));
        return {output(scaled_dot_product_attention(queries, memory.keys, memory.values, attend)), {}};
    }
    const double scale = 1 / std::sqrt(static_cast<double>(memory.keys.dim(3)));
    const Tensor queries = by_heads(project(query, 0, 1) * scale);
    Tensor scores = matmul(queries, transpose(memory.keys));  // [B, heads, T, S]
    const Tensor hidden = hidden_scores(memory.padding, options, scores.shape(), scores.dtype());
    if (options.attn_mask.defined() && is_floating(options.attn_mask.dtype())) scores = scores + options.attn_mask;
    const Tensor weights = Dropout{dropout}(attended::weigh(scores, hidden), options.noise);
    return {output(matmul(weights, memory.values)), weights};
}

}  // namespace wengert
