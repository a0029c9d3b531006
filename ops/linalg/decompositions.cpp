#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/linalg/decompositions.hpp>
#include <wengert/ops/linalg/internal/lapack.hpp>
#include <wengert/ops/linalg/internal/matrices.hpp>
#include <wengert/ops/linalg/triangular.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// Elements from `begin` on of the last axis of packed results, as vectors or matrices: [.., size] -> [.., axes].
Tensor part(const Tensor& results, std::int64_t begin, const Shape& axes, const SourceLine& where) {
    Shape shape = results.shape();
    shape.erase(shape.rank() - 1);
    for (const std::int64_t length : axes) shape.push_back(length);
    const Tensor elements = slice({results, where}, -1, begin, begin + axes.numel());
    return reshape({elements, where}, shape);
}

QrFactors qr_parts(const Tensor& results, std::int64_t m, std::int64_t n, const SourceLine& where) {
    const std::int64_t k = std::min(m, n);
    return {part(results, 0, {m, k}, where), part(results, m * k, {k, n}, where)};
}
Eigenpairs eigh_parts(const Tensor& results, std::int64_t n, const SourceLine& where) {
    const Tensor rows = part(results, n, {n, n}, where);
    return {part(results, 0, {n}, where), transpose({rows, where})};
}
SvdFactors svd_parts(const Tensor& results, std::int64_t m, std::int64_t n, const SourceLine& where) {
    const std::int64_t k = std::min(m, n);
    return {part(results, 0, {m, k}, where), part(results, m * k, {k}, where), part(results, m * k + k, {k, n}, where)};
}

Shape packed_shape(const Tensor& a, std::int64_t size) {
    Shape shape = products::batch_shape(a);
    shape.push_back(size);
    return shape;
}

void require_decomposable(const Tensor& a) {
    if (std::min(a.dim(-2), a.dim(-1)) > lapack::longest_decomposed)
        throw ShapeError(fmt::format("both axes of matrices a {} are longer than {}", to_string(a.shape()),
                                     lapack::longest_decomposed));
}

template <class T>
bool is_finite(const T* x, std::int64_t n) {
    return std::all_of(x, x + n, [](T element) { return std::isfinite(element); });
}
enum Reason : std::int64_t { accepted = 0, not_finite, not_converged };
void refuse(const Tensor& a, const std::optional<matrices::Refusal>& refusal) {
    if (!refusal) return;
    const std::string which = matrices::place(a, "a", refusal->matrix);
    throw ValueError(refusal->reason == not_finite ? which + " has an element that is not finite"
                                                   : fmt::format("LAPACK did not converge at {}", which));
}

/// x / gap in a formula. Where the gap is 0 that has no value, but for what nothing comes through: that is 0, and its
/// own derivative, which an infinite slope stands for, is NaN. Guarded twice, so that what is not taken is finite.
constexpr auto over_gap = [](const auto& x, const auto& gap, const auto& comes_through) {
    const auto is_closed = gap == 0.0;
    const auto closed = where(comes_through, std::numeric_limits<double>::quiet_NaN(), cbrt(where(is_closed, x, 1.0)));
    return where(is_closed, closed, x / where(is_closed, 1.0, gap));
};

/// Vectors and matrices as packed results: the reverse of part().
Tensor pack(const Shape& results, const std::vector<Tensor>& parts) {
    std::vector<Tensor> rows;
    for (const Tensor& x : parts) {
        Shape shape = results;
        std::int64_t length = 1;
        for (int axis = shape.rank() - 1; axis < x.rank(); ++axis) length *= x.dim(axis);
        shape[shape.rank() - 1] = length;
        rows.push_back(reshape(x, shape));
    }
    return concat(rows, -1);
}

Tensor column(const Tensor& x) { return unsqueeze(x, -1); }
Tensor row(const Tensor& x) { return unsqueeze(x, -2); }

/// The rule of qr() for m >= n.
Tensor qr_gradient(const Tensor& q, const Tensor& r, const Tensor& dq, const Tensor& dr) {
    const Tensor m = matrices::product(r, transpose(dr)) - matrices::product(transpose(dq), q);
    const Tensor symmetric = tril(m) + transpose(tril(m, -1));
    return transpose(solve_triangular(r, transpose(dq + matrices::product(q, symmetric)), {.upper = true}));
}

/// Random values, and 1, 2, .. on the diagonal, so that the decompositions are smooth.
std::vector<Tensor> distinct(const Shape& shape, std::uint64_t seed) {
    const Tensor random = sample_values(shape, -0.3, 0.3, seed), result = random.clone();
    for (std::int64_t i = 0; i < std::min(shape[shape.rank() - 2], shape.back()); ++i) {
        Tensor element = select(select(result, -1, i), -1, i);
        element.copy_from(element + static_cast<double>(i + 1));
    }
    return {result};
}

}  // namespace

// qr

QrFactors qr(const Input& a) {
    static_assert(is_listed<Qr>, "the op is missing in its family's list");
    const Tensor results = apply(Qr{}, a);
    return qr_parts(results, a.tensor().dim(-2), a.tensor().dim(-1), a.where());
}

Shape Qr::shape(const Inputs& in) const {
    matrices::require(in[0], "a");
    const std::int64_t m = in[0].dim(-2), n = in[0].dim(-1);
    return packed_shape(in[0], std::min(m, n) * (m + n));
}

void Qr::forward(const Inputs& in, const Destination& out) const {
    const std::int64_t m = in[0].dim(-2), n = in[0].dim(-1), k = std::min(m, n);
    const Tensor a = packed(in[0]);
    visit_floating(a.dtype(), [&](auto type) {
        using T = decltype(type);
        T* const results = static_cast<T*>(out.tensor.raw());
        const auto refusal = matrices::for_each(matrices::count(a), m * n * k, lapack::qr_room<T>(m, n),
                                                [&](std::int64_t i, std::byte* room) -> std::int64_t {
                                                    const T* const matrix = a.data<T>() + i * m * n;
                                                    if (!is_finite(matrix, m * n)) return not_finite;
                                                    T* const q = results + i * k * (m + n);
                                                    if (k > 0) lapack::qr(m, n, matrix, q, q + m * k, room);
                                                    return accepted;
                                                });
        refuse(a, refusal);
    });
}

void Qr::vjp(Backward& back) const {
    const Shape& shape = back.input_shape(0);
    const std::int64_t m = shape[shape.rank() - 2], n = shape.back();
    const auto [q, r] = qr_parts(back.saved(0), m, n, back.where());
    const auto [dq, dr] = qr_parts(back.cotangent(), m, n, back.where());
    if (m >= n) return back.add(0, qr_gradient(q, r, dq, dr));
    const Tensor rest = slice(r, -1, m, n), of_rest = slice(dr, -1, m, n);  // the columns q rest of a depend on q, too
    const Tensor through_rest = matrices::product(q, matrices::product(rest, transpose(of_rest)));
    const Tensor square = qr_gradient(q, slice(r, -1, 0, m), dq + through_rest, slice(dr, -1, 0, m));
    back.add(0, concat({square, matrices::product(q, of_rest)}, -1));
}

Tensor Qr::jvp(const Forward& forward) const {
    const Tensor& da = forward.tangent(0);
    const std::int64_t m = da.dim(-2), n = da.dim(-1), k = std::min(m, n);
    const auto [q, r] = qr_parts(forward.output(), m, n, forward.where());
    // The first k columns of a are q times a triangle; the rest of r is the transpose of q times the rest of a.
    const Tensor square = slice(r, -1, 0, k), of_square = slice(da, -1, 0, k);
    const Tensor over = transpose(solve_triangular(square, transpose(of_square), {.upper = true, .transposed = true}));
    const Tensor inner = matrices::product(transpose(q), over);
    const Tensor turn = tril(inner, -1) - transpose(tril(inner, -1));
    const Tensor dq = over + matrices::product(q, turn - inner);
    const Tensor dr = matrices::product(inner - turn, square);
    if (m >= n) return pack(forward.output().shape(), {dq, dr});
    const Tensor rest = matrices::product(q, slice(r, -1, k, n));
    const Tensor of_rest =
        matrices::product(transpose(dq), rest) + matrices::product(transpose(q), slice(da, -1, k, n));
    return pack(forward.output().shape(), {dq, concat({dr, of_rest}, -1)});
}

std::vector<Sample> Qr::samples() {
    const auto both = [](const std::vector<Tensor>& in) { return apply(Qr{}, in[0]); };
    return {{"[3, 3]", distinct({3, 3}, 1), both},
            {"[2, 4, 2]", distinct({2, 4, 2}, 2), both},
            {"[2, 4]", distinct({2, 4}, 3), both},
            {"[3, 1]", distinct({3, 1}, 4), both},
            {"[3, 0]", {sample_values({3, 0}, -1, 1, 5)}, both},
            {"transposed, q r", distinct({2, 3}, 6), [](const auto& in) {
                 const auto [q, r] = qr(transpose(in[0]));
                 return matmul(q, r) + sum(r);
             }}};
}

// eigh

Eigenpairs eigh(const Input& a) {
    static_assert(is_listed<Eigh>, "the op is missing in its family's list");
    const Tensor results = apply(Eigh{}, a);
    return eigh_parts(results, a.tensor().dim(-1), a.where());
}

Shape Eigh::shape(const Inputs& in) const {
    matrices::require_square(in[0], "a");
    require_decomposable(in[0]);
    return packed_shape(in[0], in[0].dim(-1) * (in[0].dim(-1) + 1));
}

void Eigh::forward(const Inputs& in, const Destination& out) const {
    const std::int64_t n = in[0].dim(-1);
    const Tensor a = packed(in[0]);
    visit_floating(a.dtype(), [&](auto type) {
        using T = decltype(type);
        T* const results = static_cast<T*>(out.tensor.raw());
        const auto refusal =
            matrices::for_each(matrices::count(a), 8 * n * n * n, lapack::eigh_room<T>(n),
                               [&](std::int64_t i, std::byte* room) -> std::int64_t {
                                   T *const values = results + i * n * (n + 1), *const vectors = values + n;
                                   std::copy_n(a.data<T>() + i * n * n, n * n, vectors);
                                   for (std::int64_t j = 0; j < n; ++j)
                                       if (!is_finite(vectors + j * n, j + 1)) return not_finite;
                                   return n == 0 || lapack::eigh(n, vectors, values, room) ? accepted : not_converged;
                               });
        refuse(a, refusal);
    });
}

void Eigh::vjp(Backward& back) const {
    const std::int64_t n = back.input_shape(0).back();
    const auto [w, v] = eigh_parts(back.saved(0), n, back.where());
    const auto [dw, dv] = eigh_parts(back.cotangent(), n, back.where());
    const Tensor m = matrices::product(transpose(v), dv);
    const Tensor inner = map(
        [](auto m, auto turned, auto here, auto there, auto dw, auto is_diagonal) {
            const auto gap = where(is_diagonal == 1.0, 1.0, there - here);
            return where(is_diagonal == 1.0, dw, over_gap(0.5 * (m - turned), gap, m != 0.0 || turned != 0.0));
        },
        m, transpose(m), column(w), row(w), column(dw), matrices::identity_like(m));
    back.add(0, matrices::product(v, matrices::product(inner, transpose(v))));
}

Tensor Eigh::jvp(const Forward& forward) const {
    const Tensor& da = forward.tangent(0);
    const std::int64_t n = da.dim(-1);
    const auto [w, v] = eigh_parts(forward.output(), n, forward.where());
    const Tensor m = matrices::product(transpose(v), matrices::product(0.5 * (da + transpose(da)), v));
    const Tensor identity = matrices::identity_like(m);
    const auto turn = [](auto m, auto here, auto there, auto is_diagonal) {
        return where(is_diagonal == 1.0, 0.0, over_gap(m, where(is_diagonal == 1.0, 1.0, there - here), m != 0.0));
    };
    const Tensor dv = matrices::product(v, map(turn, m, column(w), row(w), identity));
    return pack(forward.output().shape(), {sum(m * identity, -1), transpose(dv)});
}

std::vector<Sample> Eigh::samples() {
    // The vectors' signs are not smooth, their squares are.
    const auto squares = [](const std::vector<Tensor>& in) {
        const auto [values, vectors] = eigh(in[0] + transpose(in[0]));
        return concat({square(vectors), row(values)}, -2);
    };
    return {{"[3, 3]", distinct({3, 3}, 1), squares},
            {"[2, 1, 4, 4]", distinct({2, 1, 4, 4}, 2), squares},
            {"[1, 1]", distinct({1, 1}, 3), squares},
            {"[2, 0, 0]", {sample_values({2, 0, 0}, -1, 1, 4)}, squares},
            {"a function of a matrix", distinct({2, 3, 3}, 5), [](const auto& in) {
                 const auto [values, vectors] = eigh(in[0] + transpose(in[0]));
                 return matmul(vectors * row(exp(-values)), transpose(vectors));
             }}};
}

// svd

SvdFactors svd(const Input& a) {
    static_assert(is_listed<Svd>, "the op is missing in its family's list");
    const Tensor results = apply(Svd{}, a);
    return svd_parts(results, a.tensor().dim(-2), a.tensor().dim(-1), a.where());
}

Shape Svd::shape(const Inputs& in) const {
    matrices::require(in[0], "a");
    require_decomposable(in[0]);
    const std::int64_t m = in[0].dim(-2), n = in[0].dim(-1);
    return packed_shape(in[0], std::min(m, n) * (m + 1 + n));
}

void Svd::forward(const Inputs& in, const Destination& out) const {
    const std::int64_t m = in[0].dim(-2), n = in[0].dim(-1), k = std::min(m, n);
    const Tensor a = packed(in[0]);
    visit_floating(a.dtype(), [&](auto type) {
        using T = decltype(type);
        T* const results = static_cast<T*>(out.tensor.raw());
        const auto refusal = matrices::for_each(
            matrices::count(a), 16 * m * n * k, lapack::svd_room<T>(m, n),
            [&](std::int64_t i, std::byte* room) -> std::int64_t {
                const T* const matrix = a.data<T>() + i * m * n;
                if (!is_finite(matrix, m * n)) return not_finite;
                T *const u = results + i * k * (m + 1 + n), *const s = u + m * k;
                return k == 0 || lapack::svd(m, n, matrix, u, s, s + k, room) ? accepted : not_converged;
            });
        refuse(a, refusal);
    });
}

void Svd::vjp(Backward& back) const {
    const Shape& shape = back.input_shape(0);
    const std::int64_t m = shape[shape.rank() - 2], n = shape.back(), k = std::min(m, n);
    const auto [u, s, vh] = svd_parts(back.saved(0), m, n, back.where());
    const auto [du, ds, dvh] = svd_parts(back.cotangent(), m, n, back.where());
    const Tensor of_u = matrices::product(transpose(u), du), of_v = matrices::product(vh, transpose(dvh));
    const Tensor inner = map(
        [](auto u, auto u_turned, auto v, auto v_turned, auto here, auto there, auto ds, auto is_diagonal) {
            // The quotient by the difference of squares, which would leave the range of numbers, in two steps.
            const auto total = here + there;
            const auto share = where(total == 0.0, 0.5, there / where(total == 0.0, 1.0, total));
            const auto numerator = (u - u_turned) * share + (v - v_turned) * (1.0 - share);
            const auto gap = where(is_diagonal == 1.0, 1.0, there - here);
            const auto comes_through = u != 0.0 || u_turned != 0.0 || v != 0.0 || v_turned != 0.0;
            return where(is_diagonal == 1.0, ds, over_gap(numerator, gap, comes_through));
        },
        of_u, transpose(of_u), of_v, transpose(of_v), column(s), row(s), column(ds), matrices::identity_like(of_u));
    const auto over = [](const Tensor& x, const Tensor& values) {
        return map([](auto x, auto s) { return over_gap(x, s, x != 0.0); }, x, values);
    };
    Tensor left = matrices::product(u, inner);
    if (m > k) left = left + over(du - matrices::product(u, of_u), row(s));
    Tensor result = matrices::product(left, vh);
    if (n > k) result = result + matrices::product(u, over(dvh - matrices::product(transpose(of_v), vh), column(s)));
    back.add(0, result);
}

Tensor Svd::jvp(const Forward& forward) const {
    const Tensor& da = forward.tangent(0);
    const std::int64_t m = da.dim(-2), n = da.dim(-1), k = std::min(m, n);
    const auto [u, s, vh] = svd_parts(forward.output(), m, n, forward.where());
    const Tensor of_rows = matrices::product(transpose(u), da), inner = matrices::product(of_rows, transpose(vh)),
                 identity = matrices::identity_like(inner);
    const auto turn = [](auto x, auto turned, auto here, auto there, auto is_diagonal) {
        const auto total = here + there;
        const auto share = where(total == 0.0, 0.5, there / where(total == 0.0, 1.0, total));
        return where(is_diagonal == 1.0, 0.0,
                     over_gap(x * share + turned * (1.0 - share), where(is_diagonal == 1.0, 1.0, there - here),
                              x != 0.0 || turned != 0.0));
    };
    const Tensor turned = transpose(inner);
    Tensor du = matrices::product(u, map(turn, inner, turned, column(s), row(s), identity));
    Tensor dvh = matrices::product(transpose(map(turn, turned, inner, column(s), row(s), identity)), vh);
    const auto over = [](const Tensor& x, const Tensor& values) {
        return map([](auto x, auto s) { return over_gap(x, s, x != 0.0); }, x, values);
    };
    if (m > k) du = du + over(matrices::product(da, transpose(vh)) - matrices::product(u, inner), row(s));
    if (n > k) dvh = dvh + over(of_rows - matrices::product(inner, vh), column(s));
    return pack(forward.output().shape(), {du, sum(inner * identity, -1), dvh});
}

std::vector<Sample> Svd::samples() {
    // The vectors' signs are not smooth, their squares are, and products of the two.
    const auto squares = [](const std::vector<Tensor>& in) {
        const auto [u, s, vh] = svd(in[0]);
        return concat({matmul(u, vh), matmul(square(u) * row(s), square(vh))}, -1);
    };
    return {{"[3, 3]", distinct({3, 3}, 1), squares},
            {"[2, 4, 2]", distinct({2, 4, 2}, 2), squares},
            {"[2, 4]", distinct({2, 4}, 3), squares},
            {"[1, 1]", distinct({1, 1}, 4), squares},
            {"[2, 3, 0]", {sample_values({2, 3, 0}, -1, 1, 5)}, squares},
            {"values alone", distinct({2, 3, 2}, 6), [](const auto& in) { return svd(in[0]).s; }}};
}

}  // namespace wengert
