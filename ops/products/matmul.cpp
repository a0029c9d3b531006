#include <fmt/format.h>

#include <wengert/ops/elementwise/elementwise_op.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/internal/packed_weights.hpp>
#include <wengert/ops/products/matmul.hpp>

namespace wengert {
namespace {

/// Whether BLAS can use the last two axes where they stand: one of them runs along memory, no element is repeated, and
/// the steps can be counted.
bool is_blas_matrix(const Tensor& x) {
    const int rank = x.rank();
    const std::int64_t rows = x.shape()[rank - 2], columns = x.shape()[rank - 1];
    const std::int64_t row_stride = x.strides()[rank - 2], column_stride = x.strides()[rank - 1];
    if (row_stride > gemm::longest || column_stride > gemm::longest) return false;
    const bool by_rows = (column_stride == 1 || columns == 1) && (row_stride >= columns || rows == 1);
    const bool by_columns = (row_stride == 1 || rows == 1) && (column_stride >= rows || columns == 1);
    return by_rows || by_columns;
}

Tensor as_blas_matrix(const Tensor& x) { return is_blas_matrix(x) ? x : x.clone(); }

template <class T>
gemm::Matrix<T> matrix(const Tensor& x, std::int64_t offset) {
    const int rank = x.rank();
    return {static_cast<T*>(x.raw()) + offset, x.shape()[rank - 2], x.shape()[rank - 1], x.strides()[rank - 2],
            x.strides()[rank - 1]};
}

/// The last two axes exchanged, not recorded.
Tensor transposed(const Tensor& x) {
    Shape shape = x.shape(), strides = x.strides();
    std::swap(shape[x.rank() - 1], shape[x.rank() - 2]);
    std::swap(strides[x.rank() - 1], strides[x.rank() - 2]);
    return x.view(shape, strides, x.offset());
}

/// [.., k] as one matrix [rows, k], if the leading axes are one run of equal steps.
std::optional<Tensor> as_rows(const Tensor& x) {
    const int last = x.rank() - 1;
    std::int64_t rows = 1, step = x.shape()[last];
    bool first = true;
    for (int axis = last - 1; axis >= 0; --axis) {
        if (x.shape()[axis] == 1) continue;
        if (first)
            step = x.strides()[axis];
        else if (x.strides()[axis] != step * rows)
            return std::nullopt;
        first = false;
        rows *= x.shape()[axis];
    }
    if (rows > gemm::longest) return std::nullopt;
    return x.view({rows, x.shape()[last]}, {step, x.strides()[last]}, x.offset());
}

Shape batch_shape(const Tensor& x) {
    Shape shape = x.shape();
    shape.erase(shape.rank() - 1);
    shape.erase(shape.rank() - 1);
    return shape;
}

Tensor batch_view(const Tensor& x) {
    Shape strides = x.strides();
    strides.erase(strides.rank() - 1);
    strides.erase(strides.rank() - 1);
    return x.view(batch_shape(x), strides, x.offset());
}

/// oneDNN's fast kernels write tables without gaps only: for others, `multiply` makes such a one first. Whether it did.
template <class F>
bool without_gaps(const Destination& out, const F& multiply) {
    const Tensor& to = out.tensor;
    if (to.dim(0) == 1 || to.strides()[0] == to.dim(1)) return multiply(matrix<float>(to, 0), out.accumulate);
    const Tensor product = Tensor::empty(to.shape());
    if (!multiply(matrix<float>(product, 0), false)) return false;
    write(product, out);
    return true;
}

/// The precision that a float32 product [m, k] x [k, n] gets if it asks for one. From how many multiplications on
/// rounding pays was measured.
Precision precision_for(std::int64_t m, std::int64_t k, std::int64_t n, Precision asked) {
    constexpr std::int64_t least = 1 << 20;
    return m * k * n >= least && gemm::has_onednn(asked) ? asked : Precision::float32;
}

/// One float32 product of tables, by whatever is fastest.
void multiply_tables(const Tensor& lhs, const Tensor& rhs, const Tensor& out, bool accumulate, Precision precision,
                     bool may_pack) {
    const auto a = matrix<const float>(lhs, 0), b = matrix<const float>(rhs, 0);
    // oneDNN is faster from so many multiplications on; with more rows than these, a packed weight gains too little to
    // pay for packing it.
    constexpr std::int64_t least_of_onednn = 1 << 18, most_rows_of_packed = 256;
    const Precision used = precision_for(a.rows, a.columns, b.columns, precision);
    const bool by_weight = may_pack && a.rows <= most_rows_of_packed && is_weight(rhs);
    // For a vector OpenBLAS reads the matrix where it stands, which only a smaller matrix can beat.
    const bool is_vector = b.columns == 1 || (a.rows == 1 && !(by_weight && used == Precision::bfloat16));
    if (a.rows * a.columns * b.columns >= least_of_onednn && !is_vector && gemm::has_onednn(used)) {
        const auto packed = by_weight ? packed_weight(rhs, used) : nullptr;
        const auto multiply = [&](const gemm::Matrix<float>& to, bool adds) {
            return gemm::multiply_by_onednn({a, b}, packed.get(), to, adds, used);
        };
        if (without_gaps({out, accumulate}, multiply)) return;
    }
    gemm::multiply(a, b, matrix<float>(out, 0), accumulate);
}

void multiply(const Tensor& lhs, const Tensor& rhs, const Tensor& out, bool accumulate, Precision precision,
              bool may_pack) {
    if (out.numel() == 0) return;
    if (lhs.shape().back() == 0) {
        if (!accumulate) fill(out, 0);
        return;
    }
    visit_floating(out.dtype(), [&](auto type) {
        using T = decltype(type);
        if (batch_shape(rhs).numel() == 1) {
            const std::optional<Tensor> a = as_rows(lhs), c = as_rows(out);
            if (a && c && is_blas_matrix(*a) && is_blas_matrix(rhs)) {
                if constexpr (std::is_same_v<T, float>)
                    multiply_tables(*a, rhs, *c, accumulate, precision, may_pack);
                else
                    gemm::multiply(matrix<const T>(*a, 0), matrix<const T>(rhs, 0), matrix<T>(*c, 0), accumulate);
                return;
            }
        }
        const Tensor a = as_blas_matrix(lhs), b = as_blas_matrix(rhs);
        // One product for each index of the leading axes, in parallel if there are several.
        const Shape batch = batch_shape(out);
        const std::array strides{strides_in(batch_view(a), batch), strides_in(batch_view(b), batch),
                                 batch_view(out).strides()};
        const Shape steps = contiguous_strides(batch);
        const std::int64_t work = out.numel() * lhs.shape().back();
        parallel_ranges(batch.numel(), 1, work, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                std::array<std::int64_t, 3> offset{};
                for (int axis = 0; axis < batch.rank(); ++axis)
                    for (std::size_t k = 0; k < 3; ++k) offset[k] += i / steps[axis] % batch[axis] * strides[k][axis];
                gemm::multiply(matrix<const T>(a, offset[0]), matrix<const T>(b, offset[1]), matrix<T>(out, offset[2]),
                               accumulate);
            }
        });
    });
}

/// The bias' cotangent: the product's, summed over the axes along which the bias was repeated.
void add_bias_cotangent(Backward& back) {
    const Tensor& ct = back.cotangent();
    const Shape& bias = back.input_shape(2);
    if (bias == ct.shape()) return back.add(2, ct);
    const int missing = ct.rank() - bias.rank();
    ReductionAxes repeated;
    bool all_missing = true;
    for (int axis = 0; axis < ct.rank(); ++axis) {
        if (axis >= missing && bias[axis - missing] == ct.shape()[axis]) continue;
        repeated.add(axis);
        all_missing &= axis < missing;
    }
    if (all_missing)
        back.add(2, Map<SumOf, 1, true>{{}, repeated}, ct);
    else
        back.add(2, sum_to(ct, bias));
}

void require_alike(const Inputs& in, std::span<const std::string_view> operands) {
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (i > 0 && (!is_floating(in[0].dtype()) || in[i].dtype() != in[0].dtype()))
            throw DtypeError(fmt::format("operands must be float32 or float64 and alike: {} {}, {} {}", operands[0],
                                         to_string(in[0].dtype()), operands[i], to_string(in[i].dtype())));
        for (const std::int64_t length : in[i].shape())
            if (length > gemm::longest)
                throw ShapeError(fmt::format("{} {} has an axis that is longer than BLAS can count", operands[i],
                                             to_string(in[i].shape())));
    }
}

/// Adds products of tables up in bfloat16, each of which is rounded into its place among the joined operands. Whether
/// it did.
bool merge_rounded(std::span<const MatMul::Pair> pairs, const Destination& out) {
    const Tensor& to = out.tensor;
    if (to.dtype() != Dtype::float32 || to.rank() != 2 || to.strides()[1] != 1 || !is_blas_matrix(to)) return false;
    std::int64_t inner = 0;
    for (const auto& [a, b] : pairs) inner += b.dim(0);
    const bool is_vector = to.dim(0) == 1 || to.dim(1) == 1;
    if (is_vector || precision_for(to.dim(0), inner, to.dim(1), Precision::bfloat16) == Precision::float32)
        return false;
    std::vector<gemm::Factors, CachedAllocator<gemm::Factors>> products;
    for (const auto& [a, b] : pairs) {
        if (b.dim(0) == 0) continue;
        if (!is_blas_matrix(a) || !is_blas_matrix(b)) return false;
        products.push_back({matrix<const float>(a, 0), matrix<const float>(b, 0)});
    }
    return without_gaps(
        out, [&](const gemm::Matrix<float>& c, bool adds) { return gemm::multiply_sum_by_onednn(products, c, adds); });
}

/// [.., k] as [rows, k].
Tensor rows_of(const Tensor& x) {
    if (x.rank() == 2) return x;
    std::int64_t rows = 1;
    for (int axis = 0; axis < x.rank() - 1; ++axis) rows *= x.shape()[axis];
    return reshape(x, {rows, x.shape().back()});
}

}  // namespace

Shape MatMul::shape(const Inputs& in) const {
    const Tensor &lhs = in[0], &rhs = in[1];
    require_alike(in, operands);
    if (lhs.rank() < 2 || rhs.rank() < 2)
        throw ShapeError(fmt::format("operands must have two axes or more: lhs {} x rhs {}", to_string(lhs.shape()),
                                     to_string(rhs.shape())));
    const std::int64_t k = lhs.shape().back(), inner = rhs.shape()[rhs.rank() - 2];
    if (k != inner)
        throw ShapeError(fmt::format("inner dimensions differ: lhs {} x rhs {} ({} != {})", to_string(lhs.shape()),
                                     to_string(rhs.shape()), k, inner));
    Shape result = broadcast(batch_shape(lhs), batch_shape(rhs));
    result.push_back(lhs.shape()[lhs.rank() - 2]);
    result.push_back(rhs.shape().back());
    return result;
}

void MatMul::forward(const Inputs& in, const Destination& out) const {
    const Tensor& to = out.tensor;
    const std::int64_t row_stride = to.strides()[to.rank() - 2], column_stride = to.strides()[to.rank() - 1];
    if (column_stride == 1 && is_blas_matrix(to)) {
        multiply(in[0], in[1], to, out.accumulate, precision, may_pack);
    } else if (row_stride == 1 && is_blas_matrix(to)) {  // the cotangent of a transposed operand
        multiply(transposed(in[1]), transposed(in[0]), transposed(to), out.accumulate, precision, may_pack);
    } else {
        const Tensor product = Tensor::empty(to.shape(), to.dtype());
        multiply(in[0], in[1], product, false, precision, may_pack);
        write(product, out);
    }
}

void MatMul::vjp(Backward& back) const {
    const Tensor &lhs = back.saved(0), &rhs = back.saved(1), &ct = back.cotangent();
    const ProductPrecision as_forward(precision);
    if (back.needs(0)) {
        if (batch_shape(lhs) == batch_shape(ct))
            back.add(0, MatMul{}, ct, transpose(rhs));
        else
            back.add(0, sum_to(matmul(ct, transpose(rhs)), lhs.shape()));
    }
    if (back.needs(1)) {
        if (batch_shape(rhs) == batch_shape(ct))
            back.add(1, MatMul{}, transpose(lhs), ct);
        else if (rhs.rank() == 2)
            back.add(1, MatMul{}, transpose(rows_of(lhs)), rows_of(ct));
        else
            back.add(1, sum_to(matmul(transpose(lhs), ct), rhs.shape()));
    }
}

Shape LinearProduct::shape(const Inputs& in) const {
    const Tensor &x = in[0], &weight = in[1];
    require_alike(in, operands);
    if (weight.rank() != 2 || x.rank() < 2)
        throw ShapeError(fmt::format("x must be [.., in] and the weight [out, in], not {} and {}", to_string(x.shape()),
                                     to_string(weight.shape())));
    if (x.shape().back() != weight.shape()[1])
        throw ShapeError(fmt::format("inner dimensions differ: x {} x weight {} transposed ({} != {})",
                                     to_string(x.shape()), to_string(weight.shape()), x.shape().back(),
                                     weight.shape()[1]));
    Shape result = x.shape();
    result[result.rank() - 1] = weight.shape()[0];
    if (in.size() == 3 && !stretches_to(in[2].shape(), result))
        throw ShapeError(fmt::format("the bias {} does not fit the product {} of x {} and the weight {}",
                                     to_string(in[2].shape()), to_string(result), to_string(x.shape()),
                                     to_string(weight.shape())));
    return result;
}

void LinearProduct::forward(const Inputs& in, const Destination& out) const {
    const bool has_bias = in.size() == 3;
    if (has_bias) write(Expand{out.tensor.shape()}.view(in[2]), out);
    multiply(in[0], transposed(in[1]), out.tensor, has_bias, precision, may_pack);
}

void LinearProduct::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &weight = back.saved(1), &ct = back.cotangent();
    const ProductPrecision as_forward(precision);
    back.add(0, MatMul{}, ct, weight);
    if (back.needs(1)) back.add(1, MatMul{}, transpose(rows_of(ct)), rows_of(x));
    if (back.input_count() == 3 && back.needs(2)) add_bias_cotangent(back);
}

bool MatMul::can_merge(const Pair& first, const Tensor& lhs, const Tensor& rhs) const {
    Shape a = lhs.shape(), b = rhs.shape();
    const Shape &first_a = first[0].shape(), &first_b = first[1].shape();
    if (a.rank() != first_a.rank() || b.rank() != first_b.rank()) return false;
    // With a long inner axis a product is as fast alone, and joining would copy more than the result has elements.
    if (a.back() > std::min(a[a.rank() - 2], b.back())) return false;
    a[a.rank() - 1] = first_a[a.rank() - 1];
    b[b.rank() - 2] = first_b[b.rank() - 2];
    return a == first_a && b == first_b;
}

void MatMul::merge(std::span<const Pair> pairs, const Destination& out) const {
    if (pairs.size() == 1) return forward({&pairs[0][0], &pairs[0][1]}, out);
    if (precision == Precision::bfloat16 && merge_rounded(pairs, out)) return;
    std::int64_t inner = 0;
    for (const Pair& pair : pairs) inner += pair[0].shape().back();
    // Both with the inner axis before the last, so that each step's operands are copied row by row.
    Shape a = pairs[0][0].shape(), b = pairs[0][1].shape();
    std::swap(a[a.rank() - 1], a[a.rank() - 2]);
    a[a.rank() - 2] = b[b.rank() - 2] = inner;
    const Tensor lhs = Tensor::empty(a, out.tensor.dtype()), rhs = Tensor::empty(b, out.tensor.dtype());
    std::int64_t begin = 0;
    for (const Pair& pair : pairs) {
        const std::int64_t end = begin + pair[0].shape().back();
        write(transposed(pair[0]), {Slice{a.rank() - 2, begin, end}.view(lhs)});
        write(pair[1], {Slice{b.rank() - 2, begin, end}.view(rhs)});
        begin = end;
    }
    const Tensor joined = transposed(lhs);
    forward({&joined, &rhs}, out);
}

Tensor matmul(const Input& lhs, const Input& rhs) {
    static_assert(is_listed<MatMul>, "the op is missing in AllOps (listed.hpp)");
    const Tensor &a = lhs.tensor(), &b = rhs.tensor();
    const SourceLine& where = lhs.where();
    if (a.rank() == 1 && b.rank() >= 1) {
        const Tensor row = unsqueeze(lhs, 0), product = matmul({row, where}, rhs);
        return squeeze({product, where}, b.rank() == 1 ? 0 : -2);
    }
    if (b.rank() == 1 && a.rank() >= 1) {
        const Tensor column = unsqueeze(rhs, 1), product = matmul(lhs, column);
        return squeeze({product, where}, -1);
    }
    return apply(MatMul{}, {&a, &b}, lhs.where());
}

Tensor linear(const Input& x, const Input& weight, const Input& bias) {
    static_assert(is_listed<LinearProduct>, "the op is missing in AllOps (listed.hpp)");
    if (x.tensor().rank() == 1) return squeeze({linear({unsqueeze(x, 0), x.where()}, weight, bias), x.where()}, 0);
    return apply(LinearProduct{}, {&x.tensor(), &weight.tensor(), &bias.tensor()}, x.where());
}

Tensor linear(const Input& x, const Input& weight) {
    if (x.tensor().rank() == 1) return squeeze({linear({unsqueeze(x, 0), x.where()}, weight), x.where()}, 0);
    return apply(LinearProduct{}, {&x.tensor(), &weight.tensor()}, x.where());
}

std::vector<Sample> MatMul::samples() {
    const auto values = [](const Shape& a, const Shape& b) {
        return std::vector{sample_values(a, -1, 1, 1), sample_values(b, -1, 1, 2)};
    };
    const auto product = [](const std::vector<Tensor>& in) { return matmul(in[0], in[1]); };
    std::vector<Sample> cases{
        {"[3, 4] x [4, 5]", values({3, 4}, {4, 5}), product},
        {"[1, 1] x [1, 1]", values({1, 1}, {1, 1}), product},
        {"[2, 3, 4] x [4, 5]", values({2, 3, 4}, {4, 5}), product},
        {"[2, 3, 4] x [2, 4, 5]", values({2, 3, 4}, {2, 4, 5}), product},
        {"[2, 1, 3, 4] x [3, 4, 2]", values({2, 1, 3, 4}, {3, 4, 2}), product},
        {"[4] x [4]", values({4}, {4}), product},
        {"[2, 3, 4] x [4]", values({2, 3, 4}, {4}), product},
        {"[3, 0] x [0, 2]", values({3, 0}, {0, 2}), product},
        {"[0, 3] x [3, 2]", values({0, 3}, {3, 2}), product},
        {"[2, 3, 0] x [0, 2]", values({2, 3, 0}, {0, 2}), product},
        {"transposed operands", values({4, 3}, {5, 4}),
         [](const auto& in) { return matmul(transpose(in[0]), transpose(in[1])); }},
        {"slices", values({3, 6}, {4, 7}),
         [](const auto& in) { return matmul(slice(in[0], 1, 1, 5), slice(in[1], 1, 2, 5)); }},
        {"one weight in four steps", values({2, 3}, {3, 3}),
         [](const auto& in) {
             Tensor h = in[0];
             for (int t = 0; t < 4; ++t) h = tanh(matmul(h, in[1]));
             return h;
         }},
    };
    return cases;
}

std::vector<Sample> LinearProduct::samples() {
    const auto values = [](const Shape& x, const Shape& weight, const Shape& bias) {
        return std::vector{sample_values(x, -1, 1, 1), sample_values(weight, -1, 1, 2), sample_values(bias, -1, 1, 3)};
    };
    const auto product = [](const std::vector<Tensor>& in) { return linear(in[0], in[1], in[2]); };
    return {
        {"[3, 4], without bias",
         {sample_values({3, 4}, -1, 1, 1), sample_values({5, 4}, -1, 1, 2)},
         [](const auto& in) { return linear(in[0], in[1]); }},
        {"[4]", values({4}, {5, 4}, {5}), product},
        {"[2, 3, 4]", values({2, 3, 4}, {5, 4}, {5}), product},
        {"a bias for each element", values({2, 3, 4}, {5, 4}, {2, 3, 5}), product},
        {"a bias for each matrix", values({2, 3, 4}, {5, 4}, {2, 1, 1}), product},
        {"no features", values({2, 3, 0}, {5, 0}, {5}), product},
        {"no rows", values({0, 4}, {5, 4}, {5}), product},
        {"a transposed x and a slice of a weight", values({2, 4, 3}, {6, 5}, {3}),
         [](const auto& in) { return linear(transpose(in[0]), slice(slice(in[1], 0, 1, 4), 1, 1, 5), in[2]); }},
        {"one weight in four steps", values({2, 3}, {3, 3}, {3}),
         [](const auto& in) {
             Tensor h = in[0];
             for (int t = 0; t < 4; ++t) h = tanh(linear(h, in[1], in[2]));
             return h;
         }},
    };
}

}  // namespace wengert
