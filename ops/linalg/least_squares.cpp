#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/linalg/decompositions.hpp>
#include <wengert/ops/linalg/internal/matrices.hpp>
#include <wengert/ops/linalg/least_squares.hpp>
#include <wengert/ops/linalg/triangular.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

// lstsq

Tensor lstsq(const Input& a, const Input& b) {
    return located("lstsq", {a, b}, [&] {
        const SourceLine& where = a.where();
        matrices::require_equation(a.tensor(), b.tensor());
        const std::int64_t m = a.tensor().dim(-2), n = a.tensor().dim(-1);
        if (b.tensor().rank() == 1) {
            const Tensor column = unsqueeze(b, 1), x = lstsq(a, {column, b.where()});
            return squeeze({x, where}, -1);
        }
        products::leading_axes("a", a.tensor(), "b", b.tensor());
        const ProductPrecision precision(Precision::float32);
        if (m >= n) {
            const auto [q, r] = qr(a);
            const Tensor turned = transpose({q, where}), right = matmul({turned, where}, b);
            return solve_triangular({r, where}, right, {.upper = true});
        }
        const Tensor tall = transpose(a);
        const auto [q, r] = qr({tall, where});
        const Tensor x = solve_triangular({r, where}, b, {.upper = true, .transposed = true});
        return matmul({q, where}, x);
    });
}

// pinv

Tensor pinv(const Input& a, std::optional<double> rtol) {
    static_assert(is_listed<Pinv>, "the op is missing in its family's list");
    return located(Pinv::name, {a}, [&] { return apply(Pinv{rtol}, a); });  // and not svd
}

Shape Pinv::shape(const Inputs& in) const {
    Shape shape = in[0].shape();
    Svd{}.shape(in);
    if (rtol && !(*rtol >= 0)) throw ValueError(fmt::format("rtol is {}, not 0 or more", *rtol));
    std::swap(shape[shape.rank() - 1], shape[shape.rank() - 2]);
    return shape;
}

void Pinv::forward(const Inputs& in, const Destination& out) const {
    if (out.tensor.numel() == 0) return;
    const auto [u, s, vh] = svd(in[0]);
    const double epsilon = in[0].dtype() == Dtype::float64 ? std::numeric_limits<double>::epsilon()
                                                           : std::numeric_limits<float>::epsilon();
    const double least = rtol.value_or(epsilon * static_cast<double>(std::max(in[0].dim(-2), in[0].dim(-1))));
    const Tensor inverted =
        map([least](auto s, auto most) { return where(s > least * most, 1.0 / s, 0.0); }, s, slice(s, -1, 0, 1));
    const Tensor left = transpose(vh) * unsqueeze(inverted, -2), right = transpose(u);
    MatMul{Precision::float32}.forward({&left, &right}, out);
}

void Pinv::vjp(Backward& back) const {
    const Tensor &a = back.saved(0), &y = back.saved(1), &ct = back.cotangent();
    const auto product = matrices::product;
    const Tensor turned = transpose(y), inner = product(ct, turned);
    const Tensor of_columns = product(transpose(ct), product(y, turned)), of_rows = product(turned, transpose(inner));
    const Tensor beyond_columns = of_columns - product(a, product(y, of_columns)),
                 beyond_rows = of_rows - product(of_rows, product(y, a));
    back.add(0, beyond_columns + beyond_rows - product(turned, inner));
}

Tensor Pinv::jvp(const Forward& forward) const {
    const Tensor &a = forward.input(0), &y = forward.output(), &da = forward.tangent(0);
    const auto product = matrices::product;
    const Tensor turned = transpose(y), left = product(y, product(turned, transpose(da))),
                 right = product(product(transpose(da), turned), y);
    return left - product(product(left, a), y) + right - product(y, product(a, right)) - product(y, product(da, y));
}

std::vector<Sample> Pinv::samples() {
    const auto inverses = [](const std::vector<Tensor>& in) { return pinv(in[0]); };
    const auto values = [](const Shape& shape, std::uint64_t seed) {
        return std::vector{sample_values(shape, -1, 1, seed)};
    };
    return {{"[3, 3]", values({3, 3}, 1), inverses},
            {"[2, 4, 2]", values({2, 4, 2}, 2), inverses},
            {"[2, 3]", values({2, 3}, 3), inverses},
            {"[2, 0, 3]", values({2, 0, 3}, 4), inverses},
            {"of rank 1",
             {sample_values({3, 1}, 1, 2, 5), sample_values({1, 4}, 1, 2, 6)},
             [](const auto& in) { return pinv(matmul(in[0], in[1]), 1e-6); }},
            {"least squares", {sample_values({4, 2}, -1, 1, 7), sample_values({4, 1}, -1, 1, 8)}, [](const auto& in) {
                 return matmul(pinv(in[0]), in[1]);
             }}};
}

}  // namespace wengert
