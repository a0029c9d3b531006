#pragma once

#include <algorithm>
#include <optional>
#include <wengert/autograd/tensor/parallel.hpp>
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

/// c = a b, or c += a b, also where an axis is empty.
template <class T>
void product(const gemm::Matrix<const T>& a, const gemm::Matrix<const T>& b, const gemm::Matrix<T>& c,
             bool accumulate) {
    if (c.rows == 0 || c.columns == 0) return;
    if (a.columns > 0) return gemm::multiply(a, b, c, accumulate);
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

    Cut(const Tensor& q, const Tensor& k, bool causal)
        : matrices(products::batch_shape(q).numel()),
          queries(q.dim(-2)),
          keys(k.dim(-2)),
          height(std::max(least_rows, block_elements / std::max<std::int64_t>(keys, 1))),
          in_matrix((queries + height - 1) / height),
          causal(causal) {}

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

/// The kernels of one element type. Weights of a block are a matrix without gaps.
template <class T>
struct Attention {
    const DotProductAttention& op;
    const Cut cut;
    const Dtype dtype;
    const Matrices<const T> q, k, v;
    std::optional<Matrices<const T>> mask;

    Attention(const DotProductAttention& op, const Tensor& query, const Tensor& key, const Tensor& value)
        : op(op),
          cut(query, key, op.causal),
          dtype(query.dtype()),
          q{by_rows(query)},
          k{by_rows(key)},
          v{by_rows(value)} {}

    Tensor room() const { return Tensor::empty({cut.block_size()}, dtype); }
    static gemm::Matrix<T> weights(const Tensor& room, const Block& block) {
        return {static_cast<T*>(room.raw()), block.rows, block.columns, block.columns, 1};
    }

    /// e^(score - shift) of each row into s, and one over their sum.
    void exponentials(const Block& block, const gemm::Matrix<T>& s, T* inverse) const {
        product(q.rows(block.number, block.first, block.rows), turned(k.rows(block.number, 0, block.columns)), s,
                false);
        const T scale = static_cast<T>(op.scale);
        for (std::int64_t i = 0; i < block.rows; ++i) {
            T* const row = s.data + i * block.columns;
            const std::int64_t seen = cut.seen(block.first + i);
            if (mask) {
                const T* const added = mask->row(block.number, block.first + i);
                const std::int64_t step = mask->x.strides().back();
                for (std::int64_t j = 0; j < seen; ++j) row[j] = scale * row[j] + added[j * step];
            } else {
                for (std::int64_t j = 0; j < seen; ++j) row[j] *= scale;
            }
            const T sum = sum_exponentials<T>(row, seen, row).sum;
            std::fill(row + seen, row + block.columns, T{0});
            inverse[i] = sum == 0 ? T{0} : 1 / sum;
        }
    }

    /// Multiplies a block's elements by factors [rows, keys].
    void drop(const Block& block, const Tensor& factors, T* elements) const {
        for (std::int64_t r = 0; r < block.rows; ++r) {
            const T* const factor = static_cast<const T*>(factors.raw()) + r * cut.keys;
            for (std::int64_t j = 0; j < block.columns; ++j) elements[r * block.columns + j] *= factor[j];
        }
    }

    void forward(const Tensor& out) const {
        const Matrices<T> outputs{out};
        const auto attend = [&](std::int64_t begin, std::int64_t end) {
            const Tensor of_weights = room(), inverses = Tensor::empty({cut.height}, dtype);
            T* const inverse = static_cast<T*>(inverses.raw());
            for (std::int64_t i = begin; i < end; ++i) {
                const Block block = cut.block(i);
                const gemm::Matrix<T> s = weights(of_weights, block);
                exponentials(block, s, inverse);
                if (op.dropout > 0) drop(block, kept(op, cut, block, dtype), s.data);
                const gemm::Matrix<T> y = outputs.rows(block.number, block.first, block.rows);
                product(read(s), v.rows(block.number, 0, block.columns), y, false);
                for (std::int64_t r = 0; r < y.rows; ++r)
                    for (std::int64_t e = 0; e < y.columns; ++e) y.data[r * y.row_stride + e] *= inverse[r];
            }
        };
        parallel_ranges(cut.matrices * cut.in_matrix, 1, cut.matrices * cut.queries * cut.keys, attend);
    }

    /// Sets dq, and adds to dk and dv; what is undefined is not wanted.
    void backward(const Tensor& cotangent, const Tensor& dq, const Tensor& dk, const Tensor& dv) const {
        const Matrices<const T> cotangents{by_rows(cotangent)};
        const auto to = [](const Tensor& x) {
            return Matrices<T>{x.defined() ? x : Tensor::empty({0, 0}, dtype_of<T>)};
        };
        const Matrices<T> queries = to(dq), keys = to(dk), values = to(dv);
        const auto differentiate = [&](std::int64_t begin, std::int64_t end) {
            const Tensor of_weights = room(), of_slopes = room(), inverses = Tensor::empty({cut.height}, dtype);
            const Tensor of_kept = op.dropout > 0 ? room() : of_weights;
            T* const inverse = static_cast<T*>(inverses.raw());
            for (std::int64_t i = begin * cut.in_matrix; i < end * cut.in_matrix; ++i) {
                const Block block = cut.block(i);
                const gemm::Matrix<T> p = weights(of_weights, block), s = weights(of_slopes, block),
                                      after_dropout = weights(of_kept, block);
                exponentials(block, p, inverse);
                for (std::int64_t r = 0; r < block.rows; ++r)
                    for (std::int64_t j = 0; j < block.columns; ++j) p.data[r * block.columns + j] *= inverse[r];
                Tensor factors;
                if (op.dropout > 0) {
                    factors = kept(op, cut, block, dtype);
                    std::copy_n(p.data, block.rows * block.columns, after_dropout.data);
                    drop(block, factors, after_dropout.data);
                }
                const auto ct = cotangents.rows(block.number, block.first, block.rows);
                if (dv.defined()) product(turned(after_dropout), ct, values.rows(block.number, 0, block.columns), true);
                if (!dq.defined() && !dk.defined()) continue;
                product(ct, turned(v.rows(block.number, 0, block.columns)), s, false);
                if (factors.defined()) drop(block, factors, s.data);
                for (std::int64_t r = 0; r < block.rows; ++r) {
                    T* const slope = s.data + r * block.columns;
                    const T* const weight = p.data + r * block.columns;
                    const T inner = inner_product(weight, slope, block.columns), scale = static_cast<T>(op.scale);
                    for (std::int64_t j = 0; j < block.columns; ++j) slope[j] = scale * weight[j] * (slope[j] - inner);
                }
                if (dq.defined())
                    product(read(s), k.rows(block.number, 0, block.columns),
                            queries.rows(block.number, block.first, block.rows), false);
                if (dk.defined())
                    product(turned(s), q.rows(block.number, block.first, block.rows),
                            keys.rows(block.number, 0, block.columns), true);
            }
        };
        // Blocks of one matrix add to the same keys and values, so that one thread has them all.
        parallel_ranges(cut.matrices, 1, cut.matrices * cut.queries * cut.keys, differentiate);
    }
};

}  // namespace wengert::attention_blocks
