#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/linalg/internal/lapack.hpp>
#include <wengert/ops/linalg/internal/matrices.hpp>
#include <wengert/ops/linalg/solve.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The factors of a batch of matrices [.., n, n], as lapack::lu() leaves them.
struct Factors {
    Tensor lu, pivots;  ///< the elements of pivots are lapack::Integer, of 4 bytes as float32

    std::int64_t n() const { return lu.dim(-1); }
    template <class T>
    T* of(std::int64_t matrix) const {
        return static_cast<T*>(lu.raw()) + matrix * n() * n();
    }
    lapack::Integer* pivots_of(std::int64_t matrix) const {
        return static_cast<lapack::Integer*>(pivots.raw()) + matrix * n();
    }
};
static_assert(sizeof(lapack::Integer) == sizeof(float));

Factors factorized(const Tensor& a) {
    const Factors factors{Tensor::empty(a.shape(), a.dtype()), Tensor::empty({matrices::count(a), a.dim(-1)})};
    write(a, {factors.lu});
    const std::int64_t n = factors.n();
    visit_floating(a.dtype(), [&](auto type) {
        using T = decltype(type);
        matrices::for_each(matrices::count(a), n * n * n, 0, [&](std::int64_t i, std::byte*) {
            if (n > 0) lapack::lu(n, factors.of<T>(i), factors.pivots_of(i));
        });
    });
    return factors;
}

Factors kept(Backward& back) { return {back.workspace(0), back.workspace(1)}; }
void keep(const Factors& factors, const Workspace& workspace) {
    if (workspace.followed == 0) return;
    workspace.tensors[0] = factors.lu;
    workspace.tensors[1] = factors.pivots;
}

template <class T>
bool is_singular(std::int64_t n, const T* lu) {
    for (std::int64_t i = 0; i < n; ++i)
        if (lu[i * (n + 1)] == 0) return true;
    return false;
}
void require_regular(const Factors& factors) {
    visit_floating(factors.lu.dtype(), [&](auto type) {
        using T = decltype(type);
        for (std::int64_t i = 0; i < matrices::count(factors.lu); ++i)
            if (is_singular(factors.n(), factors.of<T>(i)))
                throw ValueError(matrices::place(factors.lu, "a", i) + " is singular");
    });
}

void write_solution(const Factors& factors, bool transposed, const Tensor& b, const Tensor& x) {
    const std::int64_t n = factors.n(), k = x.dim(-1);
    write(Expand{x.shape()}.view(b), {x});
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        T* const solutions = static_cast<T*>(x.raw());
        const matrices::Counterpart counterpart(factors.lu, x.shape());
        matrices::for_each(matrices::count(x), n * n * k, 0, [&](std::int64_t i, std::byte*) {
            const std::int64_t matrix = counterpart(i);
            if (n * k > 0)
                lapack::solve_lu(transposed, n, k, factors.of<T>(matrix), factors.pivots_of(matrix),
                                 solutions + i * n * k);
        });
    });
}

/// A number mantissa 2^exponent, which does not overflow.
struct Scaled {
    double mantissa = 1;
    std::int64_t exponent = 0;

    void operator*=(double factor) {
        int of_factor = 0, of_product = 0;
        const double in_range = std::frexp(factor, &of_factor);
        mantissa = std::frexp(mantissa * in_range, &of_product);
        exponent += of_factor + of_product;
    }
    /// The number times x.
    double times(double x) const {
        return std::scalbln(mantissa * x, std::clamp<std::int64_t>(exponent, -100'000, 100'000));
    }
    double log() const {
        const double value = std::abs(times(1));
        return std::isnormal(value) ? std::log(value)
                                    : std::log(std::abs(mantissa)) + std::log(2.0) * static_cast<double>(exponent);
    }
};

template <class T>
Scaled determinant(std::int64_t n, const T* lu, const lapack::Integer* pivots) {
    Scaled result;
    for (std::int64_t i = 0; i < n; ++i)
        result *= pivots[i] - 1 == i ? lu[i * (n + 1)] : -static_cast<double>(lu[i * (n + 1)]);
    return result;
}

/// to = the cofactors of a, a singular matrix, times ct, as the product of those of u, s and vh: an orthogonal matrix
/// is its own cofactors, or their negative. `room` is cofactor_room() bytes.
template <class T>
std::int64_t cofactor_room(std::int64_t n) {
    return lapack::svd_room<T>(n, n) + (2 * n * n + 3 * n + 64) * static_cast<std::int64_t>(sizeof(T));
}
template <class T>
void write_cofactors(std::int64_t n, const T* a, double ct, T* to, std::byte* room) {
    T *const u = reinterpret_cast<T*>(room + lapack::svd_room<T>(n, n)), *const vh = u + n * n, *const s = vh + n * n;
    auto* const pivots = reinterpret_cast<lapack::Integer*>(s + n);
    if (!lapack::svd(n, n, a, u, s, vh, room)) return static_cast<void>(std::fill_n(to, n * n, std::nan("")));
    std::fill_n(to, n * n, T{0});
    for (std::int64_t k = 0; k < n; ++k) {
        double others = ct;
        for (std::int64_t i = 0; i < n; ++i)
            if (i != k) others *= s[i];
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < n; ++j) to[i * n + j] += static_cast<T>(others * u[i * n + k] * vh[k * n + j]);
    }
    double sign = 1;
    for (T* const orthogonal : {u, vh}) {
        lapack::lu(n, orthogonal, pivots);
        sign *= std::copysign(1.0, determinant(n, orthogonal, pivots).mantissa);
    }
    for (std::int64_t i = 0; i < n * n; ++i) to[i] *= static_cast<T>(sign);
}

/// x [.., n, n] = [..] stretched over matrices
Tensor over_matrices(const Tensor& x) { return unsqueeze(unsqueeze(x, -1), -1); }

std::vector<Tensor> regular(const Shape& shape, std::uint64_t seed) {
    return {sample_values(shape, -1, 1, seed) + 2.0 * matrices::identity_like(ones(shape, Dtype::float64))};
}

}  // namespace

// solve

Tensor solve(const Input& a, const Input& b) {
    static_assert(is_listed<Solve>, "the op is missing in its family's list");
    const Tensor &matrix = tensor_of(a, Solve::name), &right = tensor_of(b, Solve::name, 1);
    if (right.rank() != 1) return apply(Solve{}, {&matrix, &right}, a.where());
    located(Solve::name, {a, b}, [&] {
        matrices::require_square(matrix, "a");
        matrices::require_equation(matrix, right);
    });
    const Tensor column = unsqueeze(b, 1);
    return squeeze({solve(a, {column, b.where()}), a.where()}, -1);
}

Shape Solve::shape(const Inputs& in) const { return matrices::solution_shape(in); }

void Solve::forward(const Inputs& in, const Destination& out, const Workspace& workspace) const {
    const Factors factors = factorized(in[0]);
    require_regular(factors);
    write_solution(factors, transposed, in[1], out.tensor);
    keep(factors, workspace);
}

void Solve::vjp(Backward& back) const {
    const Tensor &a = back.saved(0), &x = back.saved(1), &ct = back.cotangent();
    Tensor d;
    if (back.is_recorded()) {
        d = apply(Solve{!transposed}, {&a, &ct}, back.where());
    } else {
        d = Tensor::empty(ct.shape(), ct.dtype());
        write_solution(kept(back), !transposed, ct, d);
    }
    if (back.needs(0)) {
        const Tensor left = transposed ? x : -d, right = transpose(transposed ? -d : x);
        if (products::batch_shape(a) == products::batch_shape(x))
            back.add(0, MatMul{Precision::float32}, left, right);
        else
            back.add(0, sum_to(matrices::product(left, right), a.shape()));
    }
    if (back.needs(1)) back.add(1, sum_to(d, back.input_shape(1)));
}

Tensor Solve::jvp(const Forward& forward) const {
    Tensor right;
    if (forward.has(1)) right = expand(forward.tangent(1), forward.output().shape());
    if (forward.has(0)) {
        const Tensor& da = forward.tangent(0);
        const Tensor part = matrices::product(transposed ? transpose(da) : da, forward.output());
        right = right.defined() ? right - part : -part;
    }
    return apply(*this, {&forward.input(0), &right}, forward.where());
}

std::vector<Sample> Solve::samples() {
    const auto pair = [](const Shape& a, const Shape& b) {
        return std::vector{regular(a, 1)[0], sample_values(b, -1, 1, 2)};
    };
    const auto solved = [](const std::vector<Tensor>& in) { return solve(in[0], in[1]); };
    return {{"[3, 3], [3, 2]", pair({3, 3}, {3, 2}), solved},
            {"[3, 3], [3]", pair({3, 3}, {3}), solved},
            {"[2, 3, 3], [3, 2]", pair({2, 3, 3}, {3, 2}), solved},
            {"[3, 3], [2, 3, 1]", pair({3, 3}, {2, 3, 1}), solved},
            {"[2, 1, 2, 2], [3, 2, 2]", pair({2, 1, 2, 2}, {3, 2, 2}), solved},
            {"[0, 0], [0, 2]", pair({0, 0}, {0, 2}), solved},
            {"no columns", pair({2, 2}, {2, 0}), solved},
            {"transposed operands", pair({3, 3}, {2, 3}),
             [](const auto& in) { return solve(transpose(in[0]), transpose(in[1])); }},
            {"the transposed equation", pair({2, 3, 3}, {3, 2}),
             [](const auto& in) {
                 return apply(Solve{true}, {&in[0], &in[1]}, std::source_location::current());
             }},
            {"the inverse", regular({2, 3, 3}, 3), [](const auto& in) { return inverse(in[0]); }}};
}

Tensor inverse(const Input& a) {
    return located("inverse", {a}, [&] {
        matrices::require_square(a.tensor(), "a");
        const Tensor identity = matrices::identity_like(a.tensor());
        return solve(a, {identity, a.where()});
    });
}

// det

Tensor det(const Input& a) {
    static_assert(is_listed<Det>, "the op is missing in its family's list");
    return apply(Det{}, a);
}

Shape Det::shape(const Inputs& in) const {
    matrices::require_square(in[0], "a");
    return products::batch_shape(in[0]);
}

void Det::forward(const Inputs& in, const Destination& out, const Workspace& workspace) const {
    const Factors factors = factorized(in[0]);
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        T* const y = static_cast<T*>(out.tensor.raw());
        for (std::int64_t i = 0; i < out.tensor.numel(); ++i)
            y[i] = static_cast<T>(determinant(factors.n(), factors.of<T>(i), factors.pivots_of(i)).times(1));
    });
    keep(factors, workspace);
}

void Det::vjp(Backward& back) const {
    const Tensor &a = back.saved(0), &y = back.saved(1);
    if (back.is_recorded()) return back.add(0, over_matrices(back.cotangent() * y) * transpose(inverse(a)));
    const Factors factors = kept(back);
    const std::int64_t n = factors.n();
    const Tensor in_order = packed(a), cts = packed(back.cotangent()), result = Tensor::empty(a.shape(), a.dtype());
    write(Expand{a.shape()}.view(matrices::identity_like(a)), {result});
    visit_floating(a.dtype(), [&](auto type) {
        using T = decltype(type);
        T* const results = static_cast<T*>(result.raw());
        bool any_singular = false;
        for (std::int64_t i = 0; i < y.numel(); ++i) any_singular |= is_singular(n, factors.of<T>(i));
        const std::int64_t most_room = any_singular ? cofactor_room<T>(n) : 0;
        matrices::for_each(y.numel(), n * n * n, most_room, [&](std::int64_t i, std::byte* room) {
            const double ct = cts.data<T>()[i];
            T* const to = results + i * n * n;
            if (n == 0) return;
            if (is_singular(n, factors.of<T>(i)))
                return write_cofactors(n, in_order.data<T>() + i * n * n, ct, to, room);
            lapack::solve_lu(true, n, n, factors.of<T>(i), factors.pivots_of(i), to);
            const Scaled factor = determinant(n, factors.of<T>(i), factors.pivots_of(i));
            std::transform(to, to + n * n, to, [&](T x) { return static_cast<T>(factor.times(ct * x)); });
        });
    });
    back.add(0, result);
}

Tensor Det::jvp(const Forward& forward) const {
    return forward.output() * sum(transpose(inverse(forward.input(0))) * forward.tangent(0), {-2, -1});
}

std::vector<Sample> Det::samples() {
    const auto determinants = [](const std::vector<Tensor>& in) { return det(in[0]); };
    return {{"[3, 3]", regular({3, 3}, 1), determinants},
            {"[2, 1, 4, 4]", {sample_values({2, 1, 4, 4}, -1, 1, 2)}, determinants},
            {"[1, 1]", {sample_values({1, 1}, 1, 2, 3)}, determinants},
            {"[2, 0, 0]", {sample_values({2, 0, 0}, -1, 1, 4)}, determinants},
            {"transposed", regular({3, 3}, 5), [](const auto& in) { return det(transpose(in[0])); }}};
}

// slogdet

SignAndLog slogdet(const Input& a) {
    static_assert(is_listed<SLogDet>, "the op is missing in its family's list");
    const Tensor both = apply(SLogDet{}, a);
    return {select({both, a.where()}, 0, 0), select({both, a.where()}, 0, 1)};
}

Shape SLogDet::shape(const Inputs& in) const {
    Shape result = Det{}.shape(in);
    result.insert(0, 2);
    return result;
}

void SLogDet::forward(const Inputs& in, const Destination& out, const Workspace& workspace) const {
    const Factors factors = factorized(in[0]);
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        const std::int64_t count = matrices::count(in[0]);
        T *const signs = static_cast<T*>(out.tensor.raw()), *const logs = signs + count;
        for (std::int64_t i = 0; i < count; ++i) {
            const Scaled value = determinant(factors.n(), factors.of<T>(i), factors.pivots_of(i));
            signs[i] = std::isnan(value.mantissa) ? static_cast<T>(value.mantissa)
                                                  : static_cast<T>((value.mantissa > 0) - (value.mantissa < 0));
            logs[i] = static_cast<T>(value.log());
        }
    });
    keep(factors, workspace);
}

void SLogDet::vjp(Backward& back) const {
    const Tensor& a = back.saved(0);
    const Tensor ct = over_matrices(select(back.cotangent(), 0, 1));
    Tensor inverted;
    if (back.is_recorded()) {
        inverted = transpose(inverse(a));
    } else {
        inverted = Tensor::empty(a.shape(), a.dtype());
        require_regular(kept(back));
        write_solution(kept(back), true, matrices::identity_like(a), inverted);
    }
    back.add(0, ct * inverted);
}

Tensor SLogDet::jvp(const Forward& forward) const {
    const Tensor of_log = sum(transpose(inverse(forward.input(0))) * forward.tangent(0), {-2, -1});
    return stack({zeros(of_log.shape(), of_log.dtype()), of_log}, 0);
}

std::vector<Sample> SLogDet::samples() {
    const auto logarithms = [](const std::vector<Tensor>& in) { return slogdet(in[0]).logabsdet; };
    return {{"[3, 3]", regular({3, 3}, 1), logarithms},
            {"[2, 1, 4, 4]", regular({2, 1, 4, 4}, 2), logarithms},
            {"[2, 0, 0]", {sample_values({2, 0, 0}, -1, 1, 3)}, logarithms},
            {"sign and logarithm", regular({2, 3, 3}, 4), [](const auto& in) {
                 const auto [sign, logabsdet] = slogdet(in[0]);
                 return sign * logabsdet;
             }}};
}

}  // namespace wengert
