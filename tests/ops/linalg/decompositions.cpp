#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/linalg/decompositions.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>

#include "ops/linalg/plain_matrices.hpp"

using namespace brute_force;

namespace {

const std::vector<Shape> decomposed_shapes{{1, 1}, {4, 4}, {5, 3}, {3, 5}, {2, 3, 6, 2}, {60, 40},  {30, 12, 12},
                                           {1, 7}, {7, 1}, {0, 0}, {3, 0}, {0, 3},       {2, 0, 2}, {0, 2, 2}};

/// The matrix with the only row of `values` as its diagonal, and vectors [.., n] as such rows.
Matrix diagonal_of(const Matrix& values) {
    return matrix_of(values.columns(), values.columns(),
                     [&](std::int64_t i, std::int64_t j) { return i == j ? values(0, i) : 0; });
}
std::vector<Matrix> rows_as_matrices(const Tensor& x) { return matrices_of(unsqueeze(x, -2)); }

/// Calls f(x, dtype) for matrices of every shape, layout and type.
template <class F>
void for_each_matrix(const F& f) {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shape& shape : decomposed_shapes)
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(shape));
                CAPTURE(layout);
                f(laid_out(shape, layout, 3, dtype), 100 * precision_of(dtype));
            }
}

Tensor symmetric(const Tensor& x) { return x + transpose(x); }

}  // namespace

TEST_CASE("qr: orthonormal columns times an upper triangle") {
    for_each_matrix([](const Tensor& a, double tolerance) {
        const auto [q, r] = qr(a);
        const std::int64_t m = a.dim(-2), n = a.dim(-1), k = std::min(m, n);
        CHECK(q.dim(-2) == m);
        CHECK(q.dim(-1) == k);
        CHECK(r.dim(-2) == k);
        CHECK(r.dim(-1) == n);
        CHECK(q.dtype() == a.dtype());
        const std::vector<Matrix> given = matrices_of(a), of_q = matrices_of(q), of_r = matrices_of(r);
        for (std::size_t i = 0; i < given.size(); ++i) {
            check_near(times(of_q[i], of_r[i]), given[i], tolerance);
            check_near(times(turned(of_q[i]), of_q[i]), unit(k), tolerance);
            check_near(of_r[i],
                       matrix_of(k, n, [&](auto row, auto column) { return row <= column ? of_r[i](row, column) : 0; }),
                       0);
        }
    });
    // The signs are those of reflections, as in NumPy and PyTorch.
    const auto [q, r] = qr(tensor({3, 0, 4, 5}, {2, 2}, Dtype::float64));
    check_close(q, {-0.6, -0.8, -0.8, 0.6}, 4, 1);
    check_close(r, {-5, -4, 0, 3}, 4, 1);
}

TEST_CASE("eigh: eigenvalues in ascending order with their vectors, from the lower triangle alone") {
    for_each_matrix([](const Tensor& x, double tolerance) {
        if (x.dim(-2) != x.dim(-1)) return;
        const std::int64_t n = x.dim(-1);
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = i + 1; j < n; ++j) select(select(x, -1, j), -1, i).fill(not_a_number);
        const auto [w, v] = eigh(x);
        CHECK(v.shape() == x.shape());
        CHECK(w.rank() == x.rank() - 1);
        const std::vector<Matrix> given = matrices_of(x), values = rows_as_matrices(w), vectors = matrices_of(v);
        for (std::size_t k = 0; k < given.size(); ++k) {
            const Matrix a = matrix_of(
                n, n, [&](std::int64_t i, std::int64_t j) { return given[k](std::max(i, j), std::min(i, j)); });
            check_near(times(a, vectors[k]), times(vectors[k], diagonal_of(values[k])), tolerance);
            check_near(times(turned(vectors[k]), vectors[k]), unit(n), tolerance);
            for (std::int64_t i = 1; i < n; ++i) CHECK(values[k](0, i - 1) <= values[k](0, i));
        }
    });
}

TEST_CASE("svd: orthonormal vectors around singular values in descending order") {
    for_each_matrix([](const Tensor& a, double tolerance) {
        const auto [u, s, vh] = svd(a);
        const std::int64_t m = a.dim(-2), n = a.dim(-1), k = std::min(m, n);
        CHECK(u.dim(-2) == m);
        CHECK(u.dim(-1) == k);
        CHECK(s.dim(-1) == k);
        CHECK(vh.dim(-2) == k);
        CHECK(vh.dim(-1) == n);
        const std::vector<Matrix> given = matrices_of(a), of_u = matrices_of(u), values = rows_as_matrices(s),
                                  of_v = matrices_of(vh);
        for (std::size_t i = 0; i < given.size(); ++i) {
            check_near(times(times(of_u[i], diagonal_of(values[i])), of_v[i]), given[i], tolerance);
            check_near(times(turned(of_u[i]), of_u[i]), unit(k), tolerance);
            check_near(times(of_v[i], turned(of_v[i])), unit(k), tolerance);
            for (std::int64_t j = 0; j < k; ++j)
                CHECK(values[i](0, j) >= (j + 1 < k ? static_cast<double>(values[i](0, j + 1)) : 0));
        }
    });
}

TEST_CASE("decompositions: a batch is the same, and the first matrix that is refused, for any number of threads") {
    const Tensor a = sample_values({400, 5, 5}, -1, 1, 6);
    const auto results = [&] {
        return std::vector{elements(qr(a).q), elements(eigh(a).vectors), elements(svd(a).u), elements(svd(a).s)};
    };
    std::vector<Values> of_one;
    {
        const Threads threads(1);
        of_one = results();
    }
    for (const int count : {2, 5}) {
        const Threads threads(count);
        CHECK(results() == of_one);
        Tensor broken = a.clone();
        for (const std::int64_t matrix : {399, 270, 101}) select(broken, 0, matrix).fill(not_a_number);
        check_refused<ValueError>("svd: a[101] has an element that is not finite", [&] { svd(broken); });
    }
}

TEST_CASE("decompositions: numbers near the ends of the range") {
    for (const double scale : {1e30, 1e-30}) {
        const Tensor a = cast(sample_values({4, 3}, -1, 1, 5), Dtype::float32) * scale;
        const auto [q, r] = qr(a);
        check_close(matmul(q, r) * (1 / scale), elements(a * (1 / scale)), 100, 1);
        const auto [u, s, vh] = svd(a);
        check_close(matmul(u * unsqueeze(s, -2), vh) * (1 / scale), elements(a * (1 / scale)), 100, 1);
        const Tensor square = symmetric(slice(a, 0, 0, 3));
        const auto [w, v] = eigh(square);
        check_close(matmul(v * unsqueeze(w, -2), transpose(v)) * (1 / scale), elements(square * (1 / scale)), 100, 1);
        // u vh does not change with the scale of a, so that its slopes do with the inverse.
        const auto polar = [](const std::vector<Tensor>& in) {
            const auto [left, values, right] = svd(in[0]);
            return matmul(left, right);
        };
        const Tensor ct = cotangent_of(a);
        check_close(gradients(polar, {a}, ct)[0] * scale, elements(gradients(polar, {a * (1 / scale)}, ct)[0]), 1000,
                    1);
    }
}

TEST_CASE("decompositions: where values are equal, what depends on them alone has a derivative, and what else none") {
    const Tensor a = diag_embed(tensor({2, 2, 3}, Dtype::float64)), one = scalar(1, Dtype::float64);
    const auto of_values = [](const std::vector<Tensor>& in) { return sum(exp(eigh(in[0]).values)); };
    check_close(gradients(of_values, {a}, one)[0], elements(diag_embed(exp(tensor({2, 2, 3}, Dtype::float64)))), 16, 1);
    const auto nuclear = [](const std::vector<Tensor>& in) { return sum(svd(in[0]).s); };
    check_close(gradients(nuclear, {a}, one)[0], {1, 0, 0, 0, 1, 0, 0, 0, 1}, 16, 1);
    const auto is_lost = [](const Tensor& gradient) {
        for (const double x : elements(gradient))
            if (!std::isfinite(x)) return true;
        return false;
    };
    const Tensor weights = sample_values({3, 3}, -1, 1, 3);
    // A function of a matrix has a derivative, which does not follow from the vectors': it must not be 0 without a
    // word.
    const Tensor identity = diag_embed(ones({2}, Dtype::float64)), some = sample_values({2, 2}, -1, 1, 4);
    CHECK(is_lost(gradients(
        [](const auto& in) {
            const auto [values, vectors] = eigh(in[0]);
            return matmul(vectors * unsqueeze(exp(values), -2), transpose(vectors));
        },
        {identity}, some)[0]));
    CHECK(is_lost(gradients(
        [](const auto& in) {
            const SvdFactors f = svd(in[0]);
            return matmul(f.u, f.vh);
        },
        {identity}, some)[0]));
    // Nor must second derivatives of the values.
    const auto second = [&](const auto& f) {
        Tape tape;
        tape.watch(identity);
        const Tensor g = tape.gradient(f(identity), identity, {.create_graph = true});
        return tape.gradient(g, identity, {.cotangent = some});
    };
    CHECK(is_lost(second([](const Tensor& x) { return sum(exp(eigh(x).values)); })));
    CHECK(is_lost(second([](const Tensor& x) { return sum(square(svd(x).s)); })));
    CHECK(is_lost(gradients([](const auto& in) { return eigh(in[0]).vectors; }, {a}, weights)[0]));
    CHECK(is_lost(gradients([](const auto& in) { return svd(in[0]).u; }, {a}, weights)[0]));
    CHECK(
        is_lost(gradients([](const auto& in) { return svd(in[0]).vh; }, {zeros({3, 3}, Dtype::float64)}, weights)[0]));
}

TEST_CASE("eigh: the derivative is that by a symmetric matrix") {
    const Tensor a = symmetric(sample_values({4, 4}, -1, 1, 2)), ct = sample_values({4, 4}, -1, 1, 3);
    const Matrix slopes =
        matrices_of(gradients([](const auto& in) { return square(eigh(in[0]).vectors); }, {a}, ct)[0])[0];
    check_near(slopes, turned(slopes), 1e-13);
}

TEST_CASE("decompositions: what does not fit, is not finite or not independent is refused with the caller's line") {
    check_refused<ShapeError>("qr: a [3] is no matrix", [&] { qr(ones({3})); });
    check_refused<ShapeError>("svd: a [] is no matrix", [&] { svd(scalar(1)); });
    check_refused<ShapeError>("eigh: a [2, 3] is not square", [&] { eigh(ones({2, 3})); });
    check_refused<DtypeError>("qr: a is int64; float32 or float64 is needed", [&] { qr(zeros({2, 2}, Dtype::int64)); });
    check_refused<DtypeError>("svd: a is int64; float32 or float64 is needed", [&] {
        svd(zeros({2, 2}, Dtype::int64));
    });
    check_refused<ShapeError>("svd: both axes of matrices a [20001, 20002] are longer than 20000", [&] {
        svd(expand(scalar(1), {20001, 20002}));
    });
    check_refused<ShapeError>("eigh: both axes of matrices a [20001, 20001] are longer than 20000", [&] {
        eigh(expand(scalar(1), {20001, 20001}));
    });
    Tensor batch = ones({2, 3, 2, 2});
    batch.mutable_data<float>()[4 * 4 + 2] = std::numeric_limits<float>::infinity();
    check_refused<ValueError>("eigh: a[1, 1] has an element that is not finite", [&] { eigh(batch); });
    check_refused<ValueError>("svd: a[1, 1] has an element that is not finite", [&] { svd(batch); });
    check_refused<ValueError>("svd: a has an element that is not finite", [&] { svd(full({2, 3}, not_a_number)); });
    check_refused<ValueError>("qr: a[1, 1] has an element that is not finite", [&] { qr(batch); });
    check_refused<ValueError>("qr: operand 0 is an undefined tensor", [&] { qr(Tensor()); });
    const Tensor zero = zeros({2, 2}, Dtype::float64);
    Tape tape;
    tape.watch(zero);
    check_refused<ValueError>("qr: a is singular: element [0, 0] is 0", [&] { tape.gradient(sum(qr(zero).r), zero); });
}
