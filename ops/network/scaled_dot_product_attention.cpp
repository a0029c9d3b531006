#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/internal/attention_blocks.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

using namespace attention_blocks;

namespace {

constexpr double lowest = -std::numeric_limits<double>::infinity();

/// The factors of dropout for all weights, as the blocks draw them.
Tensor all_kept(const DotProductAttention& op, const Cut& cut, const Shape& scores, Dtype dtype) {
    const Tensor factors = Tensor::empty(scores, dtype);
    for (std::int64_t i = 0; i < cut.matrices * cut.in_matrix; ++i) {
        const Block block = cut.block(i);
        const Tensor part =
            factors.view({block.rows, cut.keys}, {cut.keys, 1}, (block.number * cut.queries + block.first) * cut.keys);
        write(kept(op, cut, block, dtype), {part});
    }
    return factors;
}

/// 0 where a query sees the key, minus infinity elsewhere: [Tq, Tk].
Tensor unseen(const Cut& cut, Dtype dtype) {
    const Tensor last = unsqueeze(arange(cut.queries, dtype), 1) + (cut.keys - cut.queries);
    return where(arange(cut.keys, dtype) > last, lowest, zeros({}, dtype));
}

/// The weights of all keys as a composition of ops, and the factors of dropout, undefined if there is none.
struct Weights {
    Tensor p, factors;
};
Weights weights_of(const DotProductAttention& op, const Tensor& q, const Tensor& k, const Tensor& mask) {
    const Cut cut(q, k, op.causal);
    Tensor scores = matmul(q, transpose(k)) * op.scale;
    if (mask.defined()) scores = scores + mask;
    if (op.causal) scores = scores + unseen(cut, q.dtype());
    const Tensor p = softmax(scores);
    return {p, op.dropout > 0 ? all_kept(op, cut, p.shape(), p.dtype()) : Tensor()};
}

/// The gradients as compositions of ops, with the scores of all queries.
void compose(const DotProductAttention& op, Backward& back) {
    const Tensor &q = back.saved(0), &k = back.saved(1), &v = back.saved(2), &ct = back.cotangent();
    const bool has_mask = back.input_count() == 4, needs_mask = has_mask && back.needs(3);
    const auto [p, factors] = weights_of(op, q, k, has_mask ? back.saved(3) : Tensor());
    if (back.needs(2)) back.add(2, matmul(transpose(factors.defined() ? p * factors : p), ct));
    if (!back.needs(0) && !back.needs(1) && !needs_mask) return;
    Tensor slopes = matmul(ct, transpose(v));
    if (factors.defined()) slopes = slopes * factors;
    const Tensor s = p * (slopes - sum(p * slopes, -1, true));
    if (needs_mask) back.add(3, s);
    if (!back.needs(0) && !back.needs(1)) return;
    const Tensor scaled = s * op.scale;
    if (back.needs(0)) back.add(0, matmul(scaled, k));
    if (back.needs(1)) back.add(1, matmul(transpose(scaled), q));
}

void require_fitting(const Tensor& q, const Tensor& k, const Tensor& v, const DotProductOptions& options) {
    const Tensor& mask = options.mask;
    const bool adds = mask.defined() && mask.dtype() != Dtype::boolean;
    products::require_alike({&q, &k, &v, adds ? &mask : &q}, DotProductAttention::operands);
    for (const Tensor* x : {&q, &k, &v})
        if (x->rank() < 2)
            throw ShapeError(fmt::format("q, k and v must have two axes or more, not be {}, {} and {}",
                                         to_string(q.shape()), to_string(k.shape()), to_string(v.shape())));
    if (q.dim(-1) != k.dim(-1))
        throw ShapeError(fmt::format("q {} and k {} differ in features ({} != {})", to_string(q.shape()),
                                     to_string(k.shape()), q.dim(-1), k.dim(-1)));
    if (k.dim(-2) != v.dim(-2))
        throw ShapeError(fmt::format("v {} has not a row for each of k {} ({} != {})", to_string(v.shape()),
                                     to_string(k.shape()), v.dim(-2), k.dim(-2)));
    if (options.causal && q.dim(-2) > k.dim(-2))
        throw ShapeError(
            fmt::format("causal: q {} has more rows than k {}", to_string(q.shape()), to_string(k.shape())));
    if (!(options.dropout >= 0 && options.dropout < 1))
        throw ValueError(fmt::format("dropout is {}, outside [0, 1)", options.dropout));
}

}  // namespace

Tensor scaled_dot_product_attention(const Input& q, const Input& k, const Input& v, const DotProductOptions& options) {
    static_assert(is_listed<DotProductAttention>, "the op is missing in its family's list");
    return located(DotProductAttention::name, {q, k, v}, [&] {
        require_fitting(q.tensor(), k.tensor(), v.tensor(), options);
        const std::int64_t features = q.tensor().dim(-1);
        DotProductAttention op{options.scale.value_or(features == 0 ? 1 : 1 / std::sqrt(static_cast<double>(features))),
                               options.causal, 0, Generator()};
        products::leading_axes("q", q.tensor(), "k", k.tensor());
        products::leading_axes("q", q.tensor(), "v", v.tensor());
        const Shape batch =
            broadcast(products::batch_shape(q.tensor()), products::leading_axes("k", k.tensor(), "v", v.tensor()));
        const auto stretched = [&](const Input& x, std::int64_t rows, std::int64_t columns) {
            Shape shape = batch;
            shape.push_back(rows), shape.push_back(columns);
            if (!stretches_to(x.tensor().shape(), shape))
                throw ShapeError(fmt::format("the mask {} does not fit the scores {}", to_string(x.tensor().shape()),
                                             to_string(shape)));
            return x.tensor().shape() == shape ? x.tensor() : expand(x, shape);
        };
        const std::int64_t queries = q.tensor().dim(-2), keys = k.tensor().dim(-2);
        const Tensor a = stretched(q, queries, features), b = stretched(k, keys, features),
                     c = stretched(v, keys, v.tensor().dim(-1));
        if (options.dropout > 0 && options.noise != nullptr) {
            op.dropout = options.dropout;
            op.noise = *options.noise;
            const Cut cut(a, b, op.causal);
            op.noise.seek(options.noise->take(static_cast<std::uint64_t>(cut.matrices * cut.in_matrix) * cut.draws()));
        }
        if (!options.mask.defined()) return apply(op, {&a, &b, &c}, q.where());
        const Tensor added = options.mask.dtype() == Dtype::boolean
                                 ? cast(where({options.mask, q.where()}, 0.0, lowest), q.tensor().dtype())
                                 : options.mask;
        const Tensor mask = stretched({added, q.where()}, queries, keys);
        return apply(op, {&a, &b, &c, &mask}, q.where());
    });
}

Shape DotProductAttention::shape(const Inputs& in) const {
    Shape shape = in[0].shape();
    shape[shape.rank() - 1] = in[2].dim(-1);
    return shape;
}

void DotProductAttention::forward(const Inputs& in, const Destination& out, const Workspace& workspace) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        Attention<decltype(type)> attention(*this, in[0], in[1], in[2]);
        if (in.size() == 4) attention.mask = {in[3]};
        const std::int64_t weights = attention.cut.matrices * attention.cut.queries * attention.cut.keys;
        if (workspace.followed != 0 && weights <= in[0].numel() + in[1].numel() + in[2].numel()) {
            Shape shape = in[0].shape();
            shape[shape.rank() - 1] = attention.cut.keys;
            workspace.tensors[0] = Tensor::empty(shape, in[0].dtype());
            attention.kept_weights = {workspace.tensors[0]};
        }
        attention.forward(out.tensor);
    });
}

void DotProductAttention::vjp(Backward& back) const {
    const bool has_mask = back.input_count() == 4;
    if (back.is_recorded() || (has_mask && back.needs(3))) return compose(*this, back);
    const Tensor &q = back.saved(0), &k = back.saved(1), &v = back.saved(2);
    Tensor dq, dk, dv;
    if (back.needs(0)) dq = Tensor::empty(q.shape(), q.dtype());
    if (back.needs(1)) dk = zeros(k.shape(), k.dtype());
    if (back.needs(2)) dv = zeros(v.shape(), v.dtype());
    visit_floating(q.dtype(), [&](auto type) {
        Attention<decltype(type)> attention(*this, q, k, v);
        if (has_mask) attention.mask = {back.saved(3)};
        if (back.workspace(0).defined()) attention.kept_weights = {back.workspace(0)};
        attention.backward(back.cotangent(), dq, dk, dv);
    });
    if (dq.defined()) back.add(0, std::move(dq));
    if (dk.defined()) back.add(1, std::move(dk));
    if (dv.defined()) back.add(2, std::move(dv));
}

Tensor DotProductAttention::jvp(const Forward& forward) const {
    const Tensor &q = forward.input(0), &k = forward.input(1), &v = forward.input(2);
    const auto [p, factors] = weights_of(*this, q, k, forward.input_count() == 4 ? forward.input(3) : Tensor());
    const auto dropped = [&factors = factors](const Tensor& x) { return factors.defined() ? x * factors : x; };
    Tensor result, slopes;
    const auto add_to = [](Tensor& total, const Tensor& part) { total = total.defined() ? total + part : part; };
    if (forward.has(0)) add_to(slopes, matmul(forward.tangent(0), transpose(k)) * scale);
    if (forward.has(1)) add_to(slopes, matmul(q, transpose(forward.tangent(1))) * scale);
    if (forward.has(3)) add_to(slopes, forward.tangent(3));
    if (slopes.defined()) add_to(result, matmul(dropped(p * (slopes - sum(p * slopes, -1, true))), v));
    if (forward.has(2)) add_to(result, matmul(dropped(p), forward.tangent(2)));
    return result;
}

std::vector<Sample> DotProductAttention::samples() {
    const auto inputs = [](const Shape& q, const Shape& k, const Shape& v, const std::vector<Tensor>& mask = {}) {
        std::vector<Tensor> all{sample_values(q, -1, 1, 1), sample_values(k, -1, 1, 2), sample_values(v, -1, 1, 3)};
        all.insert(all.end(), mask.begin(), mask.end());
        return all;
    };
    const auto with = [](const DotProductOptions& options, bool has_noise = false) {
        return [=](const std::vector<Tensor>& in) {
            Generator noise(1);
            DotProductOptions own = options;
            if (has_noise) own.noise = &noise;
            if (in.size() == 4) own.mask = in[3];
            return scaled_dot_product_attention(in[0], in[1], in[2], own);
        };
    };
    return {
        {"[3, 4], [5, 4], [5, 2]", inputs({3, 4}, {5, 4}, {5, 2}), with({})},
        {"[2, 2, 3, 2], causal", inputs({2, 2, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}), with({.causal = true})},
        {"a mask, a scale", inputs({2, 3, 2}, {2, 4, 2}, {2, 4, 2}, {sample_values({2, 1, 4}, -1, 1, 4)}),
         with({.scale = 0.5})},
        {"rows that see some keys, one key, none",
         inputs({3, 2}, {2, 2}, {2, 3}, {tensor({0, 1, lowest, 2, lowest, lowest}, {3, 2}, Dtype::float64)}), with({})},
        {"dropout", inputs({2, 3, 2}, {2, 5, 2}, {2, 5, 2}), with({.causal = true, .dropout = 0.4}, true)},
        {"one of several for all", inputs({2, 1, 3, 2}, {3, 4, 2}, {1, 4, 2}), with({})},
        {"no keys", inputs({2, 3, 2}, {2, 0, 2}, {2, 0, 2}), with({})},
        {"no features", inputs({3, 0}, {2, 0}, {2, 2}), with({})},
        {"heads side by side", inputs({2, 3, 4}, {2, 5, 4}, {2, 5, 4}), [](const auto& in) {
             const auto heads = [](const Tensor& x) {
                 return permute(reshape(x, {x.dim(0), x.dim(1), 2, x.dim(2) / 2}), {0, 2, 1, 3});
             };
             return scaled_dot_product_attention(heads(in[0]), heads(in[1]), heads(in[2]));
         }}};
}

}  // namespace wengert
