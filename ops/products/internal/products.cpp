#include <fmt/format.h>

#include <optional>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/internal/packed_weights.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert::products {
namespace {

/// Sizes from which on something pays, as measured.
struct Thresholds {
    std::int64_t least_of_rounding = 1 << 20;  // multiplications: bfloat16 gains more than rounding takes
    std::int64_t most_rows_of_packed = 256;    // with more, a packed weight gains too little to pay for packing it
};
constexpr Thresholds thresholds;

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

/// The precision that a float32 product [m, k] x [k, n] gets if it asks for one.
Precision precision_for(std::int64_t m, std::int64_t k, std::int64_t n, Precision asked) {
    return m * k * n >= thresholds.least_of_rounding && gemm::has_onednn(asked) ? asked : Precision::float32;
}

/// One float32 product of tables, by whatever is fastest.
void multiply_tables(const Tensor& lhs, const Tensor& rhs, const Tensor& out, bool accumulate, Precision precision,
                     bool may_pack) {
    const auto a = matrix<const float>(lhs, 0), b = matrix<const float>(rhs, 0);
    const Precision used = precision_for(a.rows, a.columns, b.columns, precision);
    const bool by_weight = may_pack && a.rows <= thresholds.most_rows_of_packed && is_weight(rhs);
    // For a vector OpenBLAS reads the matrix where it stands, which only a smaller matrix can beat.
    const bool is_vector = b.columns == 1 || (a.rows == 1 && !(by_weight && used == Precision::bfloat16));
    if (a.rows * a.columns * b.columns >= gemm::least_of_onednn && !is_vector && gemm::has_onednn(used)) {
        const auto packed = by_weight ? packed_weight(rhs, used) : nullptr;
        const auto multiply = [&](const gemm::Matrix<float>& to, bool adds) {
            return gemm::multiply_by_onednn({a, b}, packed.get(), to, adds, used);
        };
        if (without_gaps({out, accumulate}, multiply)) return;
    }
    gemm::multiply(a, b, matrix<float>(out, 0), accumulate);
}

/// Into rows that run along memory.
void multiply_rows(const Tensor& lhs, const Tensor& rhs, const Tensor& out, bool accumulate, Precision precision,
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
        gemm::parallel_products(batch.numel(), work, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                std::array<std::int64_t, 3> offset{};
                for (int axis = 0; axis < batch.rank(); ++axis)
                    for (std::size_t k = 0; k < 3; ++k) offset[k] += i / steps[axis] % batch[axis] * strides[k][axis];
                const auto l = matrix<const T>(a, offset[0]), r = matrix<const T>(b, offset[1]);
                const auto to = matrix<T>(out, offset[2]);
                if (to.row_stride == to.columns)
                    gemm::multiply_fast<T>(l, r, to, accumulate);
                else
                    gemm::multiply<T>(l, r, to, accumulate);
            }
        });
    });
}

}  // namespace

Tensor transposed(const Tensor& x) {
    Shape shape = x.shape(), strides = x.strides();
    std::swap(shape[x.rank() - 1], shape[x.rank() - 2]);
    std::swap(strides[x.rank() - 1], strides[x.rank() - 2]);
    return x.view(shape, strides, x.offset());
}

Shape batch_shape(const Tensor& x) {
    Shape shape = x.shape();
    shape.erase(shape.rank() - 1);
    shape.erase(shape.rank() - 1);
    return shape;
}

Shape leading_axes(std::string_view name_a, const Tensor& a, std::string_view name_b, const Tensor& b, int own) {
    const auto leading = [own](Shape shape) {
        for (int i = 0; i < own; ++i) shape.erase(shape.rank() - 1);
        return shape;
    };
    try {
        return broadcast(leading(a.shape()), leading(b.shape()));
    } catch (const ShapeError&) {
        throw ShapeError(fmt::format("the leading axes of {} {} and {} {} do not broadcast", name_a,
                                     to_string(a.shape()), name_b, to_string(b.shape())));
    }
}

Tensor rows_of(const Tensor& x) {
    if (x.rank() == 2) return x;
    std::int64_t rows = 1;
    for (int axis = 0; axis < x.rank() - 1; ++axis) rows *= x.shape()[axis];
    return reshape(x, {rows, x.shape().back()});
}

void require_alike(const Inputs& in, std::span<const std::string_view> operands) {
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (is_stored_only(in[i].dtype())) refuse_dtype(in[i].dtype(), operands[i]);
        if (i > 0 && (!is_floating(in[0].dtype()) || in[i].dtype() != in[0].dtype()))
            throw DtypeError(fmt::format("operands must be float32 or float64 and alike: {} {}, {} {}", operands[0],
                                         to_string(in[0].dtype()), operands[i], to_string(in[i].dtype())));
        for (const std::int64_t length : in[i].shape())
            if (length > gemm::longest)
                throw ShapeError(fmt::format("{} {} has an axis that is longer than BLAS can count", operands[i],
                                             to_string(in[i].shape())));
    }
}

void multiply(const Tensor& lhs, const Tensor& rhs, const Destination& out, Precision precision, bool may_pack) {
    const Tensor& to = out.tensor;
    const std::int64_t row_stride = to.strides()[to.rank() - 2], column_stride = to.strides()[to.rank() - 1];
    if (column_stride == 1 && is_blas_matrix(to)) {
        multiply_rows(lhs, rhs, to, out.accumulate, precision, may_pack);
    } else if (row_stride == 1 && is_blas_matrix(to)) {  // the cotangent of a transposed operand
        multiply_rows(transposed(rhs), transposed(lhs), transposed(to), out.accumulate, precision, may_pack);
    } else {
        const Tensor product = Tensor::empty(to.shape(), to.dtype());
        multiply_rows(lhs, rhs, product, false, precision, may_pack);
        write(product, out);
    }
}

bool multiply_sum_rounded(std::span<const std::array<Tensor, 2>> pairs, const Destination& out) {
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

}  // namespace wengert::products
