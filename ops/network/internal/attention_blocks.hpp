#pragma once

#include <algorithm>
#include <optional>
#include <wengert/autograd/transform/draws.hpp>
#include <wengert/ops/network/scaled_dot_product_attention.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/reduce/internal/softmax_rows.hpp>

/// The kernels of scaled_dot_product_attention(): scores in blocks of rows.
namespace wengert::attention_blocks {

/// A block of scores that a core's second cache holds, and has rows enough for a product of matrices.
inline constexpr std::int64_t block_elements = 1 << 15, least_rows = 16;

/// The tensor itself if BLAS can use its rows where they stand, else a copy.
inline Tensor by_rows(const Tensor& x) {
    const std::int64_t step = x.strides()[x.rank() - 2];
    const bool in_rows = x.strides().back() == 1 && step >= x.shape().back() && step <= gemm::longest;
    return in_rows ? x : packed(x);
}

/// The matrices of the last two axes, by number.
template <class T>
struct Matrices {
    Tensor x;
    Shape batch = products::batch_shape(x), steps = contiguous_strides(batch);

    T* row(std::int64_t number, std::int64_t first) const {
        std::int64_t offset = first * x.strides()[x.rank() - 2];
        for (int axis = 0; axis < batch.rank(); ++axis)
            offset += number / steps[axis] % batch[axis] * x.strides()[axis];
        return static_cast<T*>(x.raw()) + offset;
    }
    gemm::Matrix<T> rows(std::int64_t number, std::int64_t first, std::int64_t count) const {
        return {row(number, first), count, x.shape().back(), x.strides()[x.rank() - 2], 1};
    }
};

/// A matrix to read; turned, with its rows as columns.
template <class T>
gemm::Matrix<const T> read(const gemm::Matrix<T>& m) {
    return {m.data, m.rows, m.columns, m.row_stride, m.column_stride};
}
template <class T>
gemm::Matrix<const std::remove_const_t<T>> turned(const gemm::Matrix<T>& m) {
    return {m.data, m.columns, m.rows, m.column_stride, m.row_stride};
}

/// c = a b, or c += a b, also where an axis is empty. oneDNN compiles a kernel for each shape, which pays if they
/// repeat.
template <class T>
void product(const gemm::Matrix<const T>& a, const gemm::Matrix<const T>& b, const gemm::Matrix<T>& c, bool accumulate,
             bool shapes_repeat) {
    if (c.rows == 0 || c.columns == 0) return;
    if (a.columns > 0)
        return shapes_repeat && c.row_stride == c.columns ? gemm::multiply_fast(a, b, c, accumulate)
                                                          : gemm::multiply(a, b, c, accumulate);
    for (std::int64_t i = 0; i < c.rows && !accumulate; ++i) std::fill_n(c.data + i * c.row_stride, c.columns, T{0});
}

/// Some rows of one matrix of scores, and as many of its columns as any of them sees.
struct Block {
    std::int64_t number, first, rows, columns;
};

/// How the scores are cut into blocks: the same in forward and backward, for any number of threads.
struct Cut {
    std::int64_t matrices, queries, keys, height, in_matrix;
    bool causal;

    Cut(const Tensor& q, const Tensor& k, bool is_causal)
        : matrices(products::batch_shape(q).numel()),
          queries(q.dim(-2)),
          keys(k.dim(-2)),
          height(std::max(least_rows, block_elements / std::max<std::int64_t>(keys, 1))),
          in_matrix((queries + height - 1) / height),
          causal(is_causal) {}

    /// How many keys a query sees.
    std::int64_t seen(std::int64_t query) const { return causal ? keys - queries + query + 1 : keys; }
    Block block(std::int64_t place) const {
        const std::int64_t first = place % in_matrix * height, rows = std::min(height, queries - first);
        return {place / in_matrix, first, rows, seen(first + rows - 1)};
    }
    /// The blocks before this one, of all matrices.
    std::int64_t before(const Block& block) const { return block.number * in_matrix + block.first / height; }
    /// The most elements of a block.
    std::int64_t block_size() const { return std::min(height, queries) * keys; }
    /// What a block takes of a generator, at least: a number half a block of bits, and a call fewer than 64 to the end.
    std::uint64_t draws() const { return static_cast<std::uint64_t>(block_size() / 2 + 64); }
};

/// What a block's weights are multiplied by, [rows, keys]: 0 with the probability of dropout, else 1 / (1 - dropout).
inline Tensor kept(const DotProductAttention& op, const Cut& cut, const Block& block, Dtype dtype) {
    const Draws::Apart apart;
    Generator noise = op.noise;
    noise.seek(noise.position() + static_cast<std::uint64_t>(cut.before(block)) * cut.draws());
    const Tensor factors = uniform({block.rows, cut.keys}, 0, 1, noise, dtype);
    visit_floating(dtype, [&](auto type) {
        auto* const factor = static_cast<decltype(type)*>(factors.raw());
        const auto scale = static_cast<decltype(type)>(1 / (1 - op.dropout));
        for (std::int64_t i = 0; i < factors.numel(); ++i) factor[i] = factor[i] < op.dropout ? 0 : scale;
    });
    return factors;
}

/// The sum of x y.
template <class T>
T inner_product(const T* x, const T* y, std::int64_t n) {
    using Batch = typename Lanes<T>::Batch;
    Batch sum(T{0});
    std::int64_t i = 0;
    for (; i + Lanes<T>::size <= n; i += Lanes<T>::size)
        sum += Batch::load_unaligned(x + i) * Batch::load_unaligned(y + i);
    T total = Lanes<T>(sum).total();
    for (; i < n; ++i) total += x[i] * y[i];
    return total;
}

/// The kernels of one element type. Weights are softmax(scale q k^T + mask), before dropout.
template <class T>
struct Attention {
    const DotProductAttention& op;
    const Cut cut;
    const Dtype dtype;
    const Matrices<const T> q, k, v;
    std::optional<Matrices<const T>> mask;
    std::optional<Matrices<T>> kept_weights;  ///< of all queries, which forward() leaves for backward()

    Attention(const DotProductAttention& described, const Tensor& query, const Tensor& key, const Tensor& value)
        : op(described),
          cut(query, key, described.causal),
          dtype(query.dtype()),
          q{by_rows(query)},
          k{by_rows(key)},
          v{by_rows(value)} {}

    void multiply(const gemm::Matrix<const T>& a, const gemm::Matrix<const T>& b, const gemm::Matrix<T>& c,
                  bool accumulate) const {
        product(a, b, c, accumulate, !cut.causal);
    }
    Tensor room() const { return Tensor::empty({cut.block_size()}, dtype); }
    static gemm::Matrix<T> in(const Tensor& room, const Block& block) {
        return {static_cast<T*>(room.raw()), block.rows, block.columns, block.columns, 1};
    }
    /// Where the weights of a block stand, or, if they are not kept, will stand.
    gemm::Matrix<T> weights(const Tensor& room, const Block& block) const {
        if (!kept_weights) return in(room, block);
        return {kept_weights->row(block.number, block.first), block.rows, block.columns, cut.keys, 1};
    }

    void compute(const Block& block, const gemm::Matrix<T>& weights) const {
        multiply(q.rows(block.number, block.first, block.rows), turned(k.rows(block.number, 0, block.columns)), weights,
                 false);
        const T scale = static_cast<T>(op.scale);
        const T* const added = mask ? mask->row(block.number, block.first) : nullptr;
        for (std::int64_t i = 0; i < block.rows; ++i) {
            T* const row = weights.data + i * weights.row_stride;
            const std::int64_t seen = cut.seen(block.first + i);
            if (added != nullptr) {
                const std::int64_t step = mask->x.strides().back(), start = i * mask->x.strides()[mask->x.rank() - 2];
                for (std::int64_t j = 0; j < seen; ++j) row[j] = scale * row[j] + added[start + j * step];
            } else {
                for (std::int64_t j = 0; j < seen; ++j) row[j] *= scale;
            }
            const T sum = sum_exponentials<T>(row, seen, row).sum, share = sum == 0 ? T{0} : 1 / sum;
            for (std::int64_t j = 0; j < seen; ++j) row[j] *= share;
            std::fill(row + seen, row + weights.row_stride, T{0});
        }
    }

    /// x by the factors of dropout, [rows, keys], into y, which may be x.
    void drop(const Tensor& factors, const gemm::Matrix<T>& x, const gemm::Matrix<T>& y) const {
        for (std::int64_t i = 0; i < x.rows; ++i) {
            const T *const factor = static_cast<const T*>(factors.raw()) + i * cut.keys,
                           *from = x.data + i * x.row_stride;
            T* const to = y.data + i * y.row_stride;
            for (std::int64_t j = 0; j < x.columns; ++j) to[j] = from[j] * factor[j];
        }
    }

    void forward(const Tensor& out) const {
        const Matrices<T> outputs{out};
        const auto attend = [&](std::int64_t begin, std::int64_t end) {
            const Tensor of_weights = room(), of_dropped = op.dropout > 0 ? room() : of_weights;
            for (std::int64_t i = begin; i < end; ++i) {
                const Block block = cut.block(i);
                gemm::Matrix<T> p = weights(of_weights, block);
                compute(block, p);
                if (op.dropout > 0) {
                    const gemm::Matrix<T> dropped = in(of_dropped, block);
                    drop(kept(op, cut, block, dtype), p, dropped);
                    p = dropped;
                }
                multiply(read(p), v.rows(block.number, 0, block.columns),
                         outputs.rows(block.number, block.first, block.rows), false);
            }
        };
        gemm::parallel_products(cut.matrices * cut.in_matrix, cut.matrices * cut.queries * cut.keys, attend);
    }

    /// Sets dq, and adds to dk and dv; what is undefined is not wanted.
    void backward(const Tensor& cotangent, const Tensor& dq, const Tensor& dk, const Tensor& dv) const {
        const Matrices<const T> cotangents{by_rows(cotangent)};
        const auto to = [this](const Tensor& x) { return Matrices<T>{x.defined() ? x : zeros({0, 0}, dtype)}; };
        const Matrices<T> queries = to(dq), keys = to(dk), values = to(dv);
        const auto differentiate = [&](std::int64_t begin, std::int64_t end) {
            const Tensor of_weights = room(), of_slopes = room(), of_dropped = op.dropout > 0 ? room() : of_weights;
            for (std::int64_t i = begin * cut.in_matrix; i < end * cut.in_matrix; ++i) {
                const Block block = cut.block(i);
                const gemm::Matrix<T> p = weights(of_weights, block), s = in(of_slopes, block);
                if (!kept_weights) compute(block, p);
                gemm::Matrix<T> dropped = p;
                Tensor factors;
                if (op.dropout > 0) {
                    factors = kept(op, cut, block, dtype);
                    dropped = in(of_dropped, block);
                    drop(factors, p, dropped);
                }
                const auto ct = cotangents.rows(block.number, block.first, block.rows);
                if (dv.defined()) multiply(turned(dropped), ct, values.rows(block.number, 0, block.columns), true);
                if (!dq.defined() && !dk.defined()) continue;
                multiply(ct, turned(v.rows(block.number, 0, block.columns)), s, false);
                if (op.dropout > 0) drop(factors, s, s);
                for (std::int64_t r = 0; r < block.rows; ++r) {
                    T* const slope = s.data + r * s.row_stride;
                    const T* const weight = p.data + r * p.row_stride;
                    const T inner = inner_product(weight, slope, block.columns), scale = static_cast<T>(op.scale);
                    for (std::int64_t j = 0; j < block.columns; ++j) slope[j] = scale * weight[j] * (slope[j] - inner);
                }
                if (dq.defined())
                    multiply(read(s), k.rows(block.number, 0, block.columns),
                             queries.rows(block.number, block.first, block.rows), false);
                if (dk.defined())
                    multiply(turned(s), q.rows(block.number, block.first, block.rows),
                             keys.rows(block.number, 0, block.columns), true);
            }
        };
        // Blocks of one matrix add to the same keys and values, so that one thread has them all.
        gemm::parallel_products(cut.matrices, cut.matrices * cut.queries * cut.keys, differentiate);
    }
};

}  // namespace wengert::attention_blocks
