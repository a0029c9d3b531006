#include <fmt/format.h>

#include <algorithm>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/linalg/internal/matrices.hpp>
#include <wengert/ops/linalg/products.hpp>
#include <wengert/ops/linalg/solve.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

Tensor dot(const Input& a, const Input& b) {
    return located("dot", {a, b}, [&] {
        const Shape &of_a = a.tensor().shape(), &of_b = b.tensor().shape();
        if (of_a.rank() == 0 || of_b.rank() == 0 || of_a.back() != of_b.back())
            throw ShapeError(
                fmt::format("a {} and b {} are no vectors of one length", to_string(of_a), to_string(of_b)));
        products::leading_axes("a", a.tensor(), "b", b.tensor(), 1);
        return map_sum([](auto x, auto y) { return x * y; }, -1, a, b);
    });
}

Tensor outer(const Input& a, const Input& b) {
    return located("outer", {a, b}, [&] {
        for (const Tensor* x : {&a.tensor(), &b.tensor()})
            if (x->rank() == 0) throw ShapeError("[] is no vector");
        products::leading_axes("a", a.tensor(), "b", b.tensor(), 1);
        const Tensor column = unsqueeze(a, -1), row = unsqueeze(b, -2);
        return Input(column, a.where()) * row;
    });
}

Tensor kron(const Input& a, const Input& b) {
    return located("kron", {a, b}, [&] {
        matrices::require(a.tensor(), "a");
        matrices::require(b.tensor(), "b");
        if (std::max(a.tensor().rank(), b.tensor().rank()) > 4)
            throw ShapeError(fmt::format("a {} or b {} has more than four axes", to_string(a.tensor().shape()),
                                         to_string(b.tensor().shape())));
        products::leading_axes("a", a.tensor(), "b", b.tensor());
        const Tensor columns = unsqueeze(a, -1), blocks = unsqueeze({columns, a.where()}, -3);  // [.., m, 1, n, 1]
        const Tensor rows = unsqueeze(b, -2), block = unsqueeze({rows, b.where()}, -4);         // [.., 1, p, 1, q]
        const Tensor product = Input(blocks, a.where()) * block;
        Shape shape = product.shape();
        for (const int axis : {shape.rank() - 1, shape.rank() - 3}) {
            shape[axis - 1] *= shape[axis];
            shape.erase(axis);
        }
        return reshape({product, a.where()}, shape);
    });
}

Tensor trace(const Input& a, std::int64_t offset, int row_axis, int column_axis) {
    return located("trace", {a}, [&] {
        matrices::require(a.tensor(), "a");
        const Tensor elements = diagonal(a, offset, row_axis, column_axis);
        return sum({elements, a.where()}, -1);
    });
}

Tensor matrix_power(const Input& a, std::int64_t n) {
    return located("matrix_power", {a}, [&] {
        matrices::require_square(a.tensor(), "a");
        Tensor power = n < 0 ? inverse(a) : a.tensor(), result;
        for (auto rest = n < 0 ? -static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n); rest > 0; rest /= 2) {
            if (rest % 2 == 1) result = result.defined() ? matmul({result, a.where()}, power) : power;
            if (rest > 1) power = matmul({power, a.where()}, power);
        }
        return result.defined() ? result : expand(matrices::identity_like(a.tensor()), a.tensor().shape());
    });
}

}  // namespace wengert
