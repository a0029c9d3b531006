#include "ops/brute_force.hpp"

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/products/linear.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>

using namespace brute_force;

namespace {

Shape without_last(Shape shape, int n) {
    for (int i = 0; i < n; ++i) shape.erase(shape.rank() - 1);
    return shape;
}

Values product(const Tensor& a, const Tensor& b) {
    Shape space = broadcast(without_last(a.shape(), 2), without_last(b.shape(), 2));
    space.push_back(a.shape()[a.rank() - 2]);
    space.push_back(b.shape().back());
    Values values;
    for_each_index(space, [&](const Shape& index) {
        double total = 0;
        for (std::int64_t k = 0; k < a.shape().back(); ++k) {
            Shape left = index, right = index;
            left[index.rank() - 1] = k;
            right[index.rank() - 2] = k;
            // A matrix axis of length 1 is no broadcast axis: broadcast_offset's rule gives position 0, as wanted.
            total += element(a, left) * element(b, right);
        }
        values.push_back(total);
    });
    return values;
}

const std::vector<std::pair<Shape, Shape>> shapes{
    {{3, 4}, {4, 5}},       {{1, 1}, {1, 1}},          {{1, 7}, {7, 1}},       {{7, 1}, {1, 7}},
    {{2, 3, 4}, {4, 5}},    {{3, 4}, {2, 4, 5}},       {{2, 3, 4}, {2, 4, 5}}, {{2, 3, 4}, {1, 4, 5}},
    {{1, 3, 4}, {2, 4, 5}}, {{2, 1, 3, 4}, {3, 4, 2}}, {{2, 2, 3, 4}, {4, 2}}, {{2, 2, 2, 2, 3, 4}, {2, 1, 4, 3}},
    {{0, 4}, {4, 5}},       {{3, 0}, {0, 5}},          {{3, 4}, {4, 0}},       {{0, 3, 4}, {4, 5}},
    {{2, 3, 0}, {0, 5}},    {{0, 3, 4}, {1, 4, 5}},    {{2, 1, 4}, {4, 1}},    {{17, 33}, {33, 18}},
    {{3, 8, 8}, {3, 8, 8}}, {{2, 9, 10}, {2, 10, 12}},
};

/// A matrix in each of the layouts, and with its last two axes in reverse order.
constexpr int matrix_layouts = layouts + 2;
Tensor matrix(const Shape& shape, int layout, std::uint64_t seed, Dtype dtype) {
    if (layout < layouts) return laid_out(shape, layout, seed, dtype);
    Shape swapped = shape;
    std::swap(swapped[shape.rank() - 1], swapped[shape.rank() - 2]);
    return transpose(laid_out(swapped, layout == layouts ? 0 : 2, seed, dtype));
}

}  // namespace

TEST_CASE("matmul: all shapes, transposed, sliced and with gaps") {
    for (const auto& [a, b] : shapes) {
        for (int layout = 0; layout < matrix_layouts * matrix_layouts; ++layout) {
            CAPTURE(to_string(a));
            CAPTURE(to_string(b));
            CAPTURE(layout);
            for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
                const Tensor lhs = matrix(a, layout % matrix_layouts, 1, dtype),
                             rhs = matrix(b, layout / matrix_layouts, 2, dtype);
                const Tensor y = matmul(lhs, rhs);
                check_close(y, product(lhs, rhs), 16, 1);
                CHECK(y.dtype() == dtype);
            }
        }
    }
}

TEST_CASE("matmul: gradients of all shapes") {
    for (const auto& [a, b] : shapes) {
        for (int layout = 0; layout < matrix_layouts; ++layout) {
            CAPTURE(to_string(a));
            CAPTURE(to_string(b));
            CAPTURE(layout);
            const Tensor lhs = matrix(a, layout, 1, Dtype::float64),
                         rhs = matrix(b, matrix_layouts - 1 - layout, 2, Dtype::float64);
            const Tensor y = matmul(lhs, rhs), ct = laid_out(y.shape(), layout % layouts, 3);
            const auto g = gradients([](const auto& in) { return matmul(in[0], in[1]); }, {lhs, rhs}, ct);
            const auto want = [&](const Tensor& l, const Tensor& r, const Shape& to) {
                Shape full = broadcast(without_last(l.shape(), 2), without_last(r.shape(), 2));
                full.push_back(l.shape()[l.rank() - 2]);
                full.push_back(r.shape().back());
                return elements(sum_to(tensor(product(l, r), full), to));
            };
            check_close(g[0], want(ct, transpose(rhs), a), 32, 1);
            check_close(g[1], want(transpose(lhs), ct, b), 32, 1);
        }
    }
}

TEST_CASE("matmul: broadcast operands that no strides describe") {
    const Tensor row = sample_values({1, 4}, -1, 1, 1), b = sample_values({4, 3}, -1, 1, 2);
    const Tensor stretched = expand(row, {5, 4});
    check_close(matmul(stretched, b), product(stretched, b), 8, 1);
    check_close(matmul(transpose(b), transpose(stretched)), product(transpose(b), transpose(stretched)), 8, 1);
    const Tensor batch = expand(sample_values({1, 2, 4}, -1, 1, 3), {3, 2, 4});
    check_close(matmul(batch, b), product(batch, b), 8, 1);
    const Tensor number = expand(scalar(2, Dtype::float64), {3, 4});
    check_close(matmul(number, b), product(number, b), 8, 1);
}

TEST_CASE("matmul: vectors") {
    const Tensor m = sample_values({2, 3, 4}, -1, 1, 1), v = sample_values({4}, -1, 1, 2),
                 u = sample_values({3}, -1, 1, 3);
    const Tensor mv = matmul(m, v), um = matmul(u, m), uu = matmul(u, u);
    CHECK(mv.shape() == Shape{2, 3});
    CHECK(um.shape() == Shape{2, 4});
    CHECK(uu.shape() == Shape{});
    check_close(mv, product(m, unsqueeze(v, 1)), 8, 1);
    check_close(um, product(unsqueeze(u, 0), m), 8, 1);
    check_close(uu, product(unsqueeze(u, 0), unsqueeze(u, 1)), 8, 1);
    CHECK(matmul(zeros({0}), zeros({0})).item() == 0);
}

TEST_CASE("matmul: a weight used in ten steps gets the sum of their gradients") {
    // Narrow batches are merged into one product, wide ones are not, and both in one pass.
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        std::vector<Tensor> x, ct;
        const Tensor w = cast(sample_values({6, 5}, -1, 1, 1), dtype);
        Values want(30);
        for (std::uint64_t t = 0; t < 10; ++t) {
            const std::int64_t batch = t % 3 == 0 ? 12 : static_cast<std::int64_t>(t % 4);
            x.push_back(cast(sample_values({batch, 6}, -1, 1, 10 + t), dtype));
            ct.push_back(cast(sample_values({batch, 5}, -1, 1, 30 + t), dtype));
            const Values part = product(transpose(x.back()), ct.back());
            for (std::size_t i = 0; i < want.size(); ++i) want[i] += part[i];
        }
        Tape tape;
        tape.watch(w);
        Tensor loss = scalar(0, dtype);
        for (std::size_t t = 0; t < x.size(); ++t) loss = loss + sum(matmul(x[t], w) * ct[t]);
        check_close(tape.gradient(loss, w), want, 32, 1);
    }
}

TEST_CASE("matmul: a weight used in batches, as it is and in parts gets the sum of their gradients") {
    const auto f = [](const std::vector<Tensor>& in) {
        const Tensor &x = in[0], &w = in[1];
        Tensor h = x;
        for (int t = 0; t < 3; ++t) h = tanh(matmul(h, w));
        const Tensor batches = matmul(reshape(concat({h, x}, 0), {2, 2, 3}), w);
        return sum(h) + sum(batches * batches) + sum(matmul(slice(x, 1, 0, 2), slice(w, 0, 1, 3))) + sum(w * w);
    };
    const GradcheckResult result =
        gradcheck(f, {sample_values({2, 3}, -1, 1, 1), sample_values({3, 3}, -1, 1, 2)}, {.order = 2});
    CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("matmul: what does not fit is refused, with names and the caller's line") {
    check_refused<ShapeError>("matmul: inner dimensions differ: lhs [2, 3] x rhs [4, 2] (3 != 4)", [&] {
        matmul(zeros({2, 3}), zeros({4, 2}));
    });
    {
        Tensor weight = zeros({550, 50});
        weight.set_parameter().set_name("decoder.cell.weight_ih");
        const Scope decoder("decoder"), cell("cell");
        const Step step(3);
        check_refused<ShapeError>(
            "matmul: inner dimensions differ: lhs [64, 103] x rhs [550, 50] (103 != 550)\n"
            "  in decoder.cell, step 3; rhs = parameter \"decoder.cell.weight_ih\"",
            [&] {
                matmul(zeros({64, 103}), weight);
            });
    }
    check_refused<ShapeError>("matmul: inner dimensions differ: lhs [1, 3] x rhs [4, 1] (3 != 4)",
                              [&] { matmul(zeros({3}), zeros({4})); });
    check_refused<ShapeError>("matmul: operands must have two axes or more: lhs [] x rhs [4, 2]", [&] {
        matmul(scalar(2), zeros({4, 2}));
    });
    check_refused<ShapeError>("matmul: the leading axes of lhs [2, 2, 3] and rhs [3, 3, 2] do not broadcast", [&] {
        matmul(zeros({2, 2, 3}), zeros({3, 3, 2}));
    });
    check_refused<DtypeError>("matmul: operands must be float32 or float64 and alike: lhs float32, rhs float64", [&] {
        matmul(zeros({2, 3}), zeros({3, 2}, Dtype::float64));
    });
    check_refused<DtypeError>("matmul: operands must be float32 or float64 and alike: lhs int64, rhs int64", [&] {
        matmul(zeros({2, 3}, Dtype::int64), zeros({3, 2}, Dtype::int64));
    });
    check_refused<ValueError>("matmul: operand 1 is an undefined tensor", [&] { matmul(ones({2, 2}), Tensor()); });
    check_refused<ValueError>("linear: operand 1 is an undefined tensor", [&] { linear(ones({2, 2}), Tensor()); });
    check_refused<ValueError>("linear: operand 2 is an undefined tensor", [&] {
        linear(ones({2, 2}), ones({2, 2}), Tensor());
    });
    check_refused<ShapeError>("linear: the bias [2] does not fit the product [2, 5] of x [2, 3] and the weight [5, 3]",
                              [&] {
                                  linear(zeros({2, 3}), zeros({5, 3}), zeros({2}));
                              });
    check_refused<ShapeError>(
        "linear: the bias [4, 2, 5] does not fit the product [2, 5] of x [2, 3] and the weight [5, 3]", [&] {
            linear(zeros({2, 3}), zeros({5, 3}), zeros({4, 2, 5}));
        });
    check_refused<ShapeError>("linear: x must be [.., in] and the weight [out, in], not [2, 3] and [5]", [&] {
        linear(zeros({2, 3}), zeros({5}));
    });
}
