#include <fmt/format.h>

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

Shape MatMul::shape(const Inputs& in) const {
    const Tensor &lhs = in[0], &rhs = in[1];
    products::require_alike(in, operands);
    if (lhs.rank() < 2 || rhs.rank() < 2)
        throw ShapeError(fmt::format("operands must have two axes or more: lhs {} x rhs {}", to_string(lhs.shape()),
                                     to_string(rhs.shape())));
    const std::int64_t k = lhs.shape().back(), inner = rhs.shape()[rhs.rank() - 2];
    if (k != inner)
        throw ShapeError(fmt::format("inner dimensions differ: lhs {} x rhs {} ({} != {})", to_string(lhs.shape()),
                                     to_string(rhs.shape()), k, inner));
    Shape result = products::leading_axes("lhs", lhs, "rhs", rhs);
    result.push_back(lhs.shape()[lhs.rank() - 2]);
    result.push_back(rhs.shape().back());
    return result;
}

void MatMul::forward(const Inputs& in, const Destination& out) const {
    products::multiply(in[0], in[1], out, precision, may_pack);
}

void MatMul::vjp(Backward& back) const {
    const auto product = [this](const Tensor& a, const Tensor& b) { return apply(MatMul{precision}, {&a, &b}, {}); };
    const Tensor &lhs = back.saved(0), &rhs = back.saved(1), &ct = back.cotangent();
    if (back.needs(0)) {
        if (products::batch_shape(lhs) == products::batch_shape(ct))
            back.add(0, MatMul{precision}, ct, transpose(rhs));
        else
            back.add(0, sum_to(product(ct, transpose(rhs)), lhs.shape()));
    }
    if (back.needs(1)) {
        if (products::batch_shape(rhs) == products::batch_shape(ct))
            back.add(1, MatMul{precision}, transpose(lhs), ct);
        else if (rhs.rank() == 2)
            back.add(1, MatMul{precision}, transpose(products::rows_of(lhs)), products::rows_of(ct));
        else
            back.add(1, sum_to(product(transpose(lhs), ct), rhs.shape()));
    }
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
    if (precision == Precision::bfloat16 && products::multiply_sum_rounded(pairs, out)) return;
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
        write(products::transposed(pair[0]), {Slice{a.rank() - 2, begin, end}.view(lhs)});
        write(pair[1], {Slice{b.rank() - 2, begin, end}.view(rhs)});
        begin = end;
    }
    const Tensor joined = products::transposed(lhs);
    forward({&joined, &rhs}, out);
}

Tensor matmul(const Input& lhs, const Input& rhs) {
    static_assert(is_listed<MatMul>, "the op is missing in its family's list");
    const Tensor &a = tensor_of(lhs, "matmul"), &b = tensor_of(rhs, "matmul", 1);
    const SourceLine& where = lhs.where();
    if (a.rank() == 1 && b.rank() >= 1) {
        const Tensor row = unsqueeze(lhs, 0), product = matmul({row, where}, rhs);
        return squeeze({product, where}, b.rank() == 1 ? 0 : -2);
    }
    if (b.rank() == 1 && a.rank() >= 1) {
        const Tensor column = unsqueeze(rhs, 1), product = matmul(lhs, column);
        return squeeze({product, where}, -1);
    }
    return apply(MatMul{ProductPrecision::current()}, {&a, &b}, lhs.where());
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

}  // namespace wengert
