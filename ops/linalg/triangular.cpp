#include <fmt/format.h>

#include <algorithm>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/linalg/internal/lapack.hpp>
#include <wengert/ops/linalg/internal/matrices.hpp>
#include <wengert/ops/linalg/triangular.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

// cholesky

Tensor cholesky(const Input& a) {
    static_assert(is_listed<Cholesky>, "the op is missing in its family's list");
    return apply(Cholesky{}, a);
}

Shape Cholesky::shape(const Inputs& in) const {
    matrices::require_square(in[0], "a");
    return in[0].shape();
}

void Cholesky::forward(const Inputs& in, const Destination& out) const {
    const std::int64_t n = in[0].dim(-1);
    write(in[0], out);
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        T* const factors = static_cast<T*>(out.tensor.raw());
        const auto refusal = matrices::for_each(matrices::count(in[0]), n * n * n, 0,
                                                [&](std::int64_t matrix, std::byte*) -> std::int64_t {
                                                    T* const factor = factors + matrix * n * n;
                                                    for (std::int64_t i = 0; i < n; ++i)
                                                        std::fill(factor + i * n + i + 1, factor + (i + 1) * n, T{0});
                                                    return n == 0 ? 0 : lapack::cholesky(n, factor);
                                                });
        if (refusal)
            throw ValueError(fmt::format("{} is not positive definite: its leading minor of order {} is not positive",
                                         matrices::place(in[0], "a", refusal->matrix), refusal->reason));
    });
}

void Cholesky::vjp(Backward& back) const {
    const Tensor& l = back.saved(0);
    const Tensor product = matrices::product(transpose(l), back.cotangent());
    const Tensor twice = tril(product) + transpose(tril(product, -1));
    const auto solved = [&](const Tensor& b) { return solve_triangular(l, b, {.transposed = true}); };
    back.add(0, solved(transpose(solved(0.5 * twice))));
}

Tensor Cholesky::jvp(const Forward& forward) const {
    const Tensor &l = forward.output(), &da = forward.tangent(0);
    const Tensor left = solve_triangular(l, 0.5 * (da + transpose(da)));
    const Tensor inner = solve_triangular(l, transpose(left));
    return matrices::product(l, 0.5 * (tril(inner) + tril(inner, -1)));
}

std::vector<Sample> Cholesky::samples() {
    const auto of_symmetric = [](const std::vector<Tensor>& in) {
        return cholesky(0.5 * (in[0] + transpose(in[0])) + 3.0 * diag_embed(ones({in[0].dim(-1)}, Dtype::float64)));
    };
    return {{"[4, 4]", {sample_values({4, 4}, -1, 1, 1)}, of_symmetric},
            {"[2, 1, 3, 3]", {sample_values({2, 1, 3, 3}, -1, 1, 2)}, of_symmetric},
            {"[1, 1]", {sample_values({1, 1}, -1, 1, 3)}, of_symmetric},
            {"[2, 0, 0]", {sample_values({2, 0, 0}, -1, 1, 4)}, of_symmetric}};
}

// solve_triangular

Tensor solve_triangular(const Input& a, const Input& b, const TriangularOptions& options) {
    static_assert(is_listed<SolveTriangular>, "the op is missing in its family's list");
    return apply(SolveTriangular{options},
                 {&tensor_of(a, SolveTriangular::name), &tensor_of(b, SolveTriangular::name, 1)}, a.where());
}

Shape SolveTriangular::shape(const Inputs& in) const { return matrices::solution_shape(in); }

void SolveTriangular::forward(const Inputs& in, const Destination& out) const {
    const std::int64_t n = in[0].dim(-1), k = in[1].dim(-1);
    const Tensor a = packed(in[0]);
    write(Expand{out.tensor.shape()}.view(in[1]), out);
    visit_floating(a.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const triangles = a.data<T>();
        if (!options.unit)
            for (std::int64_t i = 0; i < matrices::count(a) * n; ++i)
                if (triangles[i * n + i % n] == 0)
                    throw ValueError(fmt::format("{} is singular: element [{}, {}] is 0",
                                                 matrices::place(a, "a", i / n), i % n, i % n));
        T* const x = static_cast<T*>(out.tensor.raw());
        const matrices::Counterpart counterpart(a, out.tensor.shape());
        matrices::for_each(matrices::count(out.tensor), n * n * k, 0, [&](std::int64_t i, std::byte*) {
            if (n * k > 0)
                lapack::solve_triangular({options.upper, options.transposed, options.unit}, n, k,
                                         triangles + counterpart(i) * n * n, x + i * n * k);
        });
    });
}

void SolveTriangular::vjp(Backward& back) const {
    const Tensor &a = back.saved(0), &x = back.saved(1);
    TriangularOptions adjoint = options;
    adjoint.transposed = !options.transposed;
    const Tensor d = solve_triangular(a, back.cotangent(), adjoint);
    if (back.needs(0)) {
        const Tensor of_a =
            options.transposed ? matrices::product(x, transpose(-d)) : matrices::product(-d, transpose(x));
        const Tensor whole = sum_to(of_a, a.shape());
        const int beside = options.unit ? 1 : 0;
        back.add(0, options.upper ? triu(whole, beside) : tril(whole, -beside));
    }
    if (back.needs(1)) back.add(1, sum_to(d, back.input_shape(1)));
}

Tensor SolveTriangular::jvp(const Forward& forward) const {
    const Tensor& a = forward.input(0);
    Tensor right;
    if (forward.has(1)) right = expand(forward.tangent(1), forward.output().shape());
    if (forward.has(0)) {
        const int beside = options.unit ? 1 : 0;
        const Tensor da = options.upper ? triu(forward.tangent(0), beside) : tril(forward.tangent(0), -beside);
        const Tensor part = matrices::product(options.transposed ? transpose(da) : da, forward.output());
        right = right.defined() ? right - part : -part;
    }
    return apply(*this, {&a, &right}, forward.where());
}

std::vector<Sample> SolveTriangular::samples() {
    const auto pair = [](const Shape& a, const Shape& b) {
        return std::vector{sample_values(a, 0.5, 1.5, 1), sample_values(b, -1, 1, 2)};
    };
    const auto with = [](const TriangularOptions& options) {
        return [=](const std::vector<Tensor>& in) { return solve_triangular(in[0], in[1], options); };
    };
    return {{"[3, 3], [3, 2]", pair({3, 3}, {3, 2}), with({})},
            {"[3, 3], [2, 3, 1], upper", pair({3, 3}, {2, 3, 1}), with({.upper = true})},
            {"[2, 3, 3], [3, 2], transposed", pair({2, 3, 3}, {3, 2}), with({.transposed = true})},
            {"[2, 1, 2, 2], [3, 2, 2], upper, transposed", pair({2, 1, 2, 2}, {3, 2, 2}),
             with({.upper = true, .transposed = true})},
            {"unit diagonal", pair({3, 3}, {3, 2}), with({.unit = true})},
            {"upper, transposed, unit diagonal", pair({3, 3}, {3, 2}),
             with({.upper = true, .transposed = true, .unit = true})},
            {"no columns", pair({2, 2}, {2, 0}), with({})},
            {"transposed operands", pair({3, 3}, {2, 3}),
             [](const auto& in) { return solve_triangular(transpose(in[0]), transpose(in[1])); }}};
}

}  // namespace wengert
