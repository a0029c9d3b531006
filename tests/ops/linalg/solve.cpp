#include <wengert/autograd/transform/derivatives.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/linalg/solve.hpp>
#include <wengert/ops/products/matmul.hpp>

#include "ops/linalg/plain_matrices.hpp"

using namespace brute_force;

namespace {

const auto determinant_of = [](const std::vector<Tensor>& in) { return det(in[0]); };

/// The cofactors of a, by the determinants of what is left without a row and a column.
Matrix cofactors(const Matrix& a) {
    return matrix_of(a.rows(), a.rows(), [&](std::int64_t row, std::int64_t column) {
        const Matrix minor = matrix_of(a.rows() - 1, a.rows() - 1, [&](std::int64_t i, std::int64_t j) {
            return a(i < row ? i : i + 1, j < column ? j : j + 1);
        });
        Matrix none(minor.rows(), 0);
        return ((row + column) % 2 == 0 ? 1 : -1) * eliminate(minor, none);
    });
}

}  // namespace

TEST_CASE("solve: solutions of batches that broadcast, in any layout") {
    struct Shapes {
        Shape a, b, x;
    };
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shapes& shapes :
             {Shapes{{1, 1}, {1, 1}, {1, 1}}, Shapes{{4, 4}, {4, 3}, {4, 3}}, Shapes{{3, 3}, {2, 3, 1}, {2, 3, 1}},
              Shapes{{2, 1, 3, 3}, {5, 3, 2}, {2, 5, 3, 2}}, Shapes{{2, 3, 3}, {3, 2}, {2, 3, 2}},
              Shapes{{90, 90}, {90, 2}, {90, 2}}, Shapes{{50, 15, 15}, {50, 15, 4}, {50, 15, 4}},
              Shapes{{0, 0}, {0, 2}, {0, 2}}, Shapes{{3, 3}, {3, 0}, {3, 0}}, Shapes{{0, 3, 3}, {3, 2}, {0, 3, 2}}})
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(shapes.x));
                CAPTURE(layout);
                const Tensor a = laid_out(shapes.a, layout, 3, dtype), b = laid_out(shapes.b, layout, 4, dtype);
                const Tensor x = solve(a, b), y = solve(transpose(a), b);
                CHECK(x.shape() == shapes.x);
                CHECK(x.dtype() == dtype);
                const std::vector<Matrix> given = matrices_of(a, shapes.x);
                std::vector<Matrix> want = matrices_of(b, shapes.x), of_transposed = want;
                for (std::size_t k = 0; k < want.size(); ++k) {
                    eliminate(given[k], want[k]);
                    eliminate(turned(given[k]), of_transposed[k]);
                    check_near(matrices_of(x)[k], want[k], 3000 * precision_of(dtype));
                    check_near(matrices_of(y)[k], of_transposed[k], 3000 * precision_of(dtype));
                }
            }
}

TEST_CASE("solve: a vector is a column, for each matrix of a batch") {
    const Tensor a = tensor({0, 2, 4, 0, 1, 0, 0, 8}, {2, 2, 2}), b = tensor({6, 8});
    const Tensor x = solve(a, b);
    CHECK(x.shape() == Shape{2, 2});
    CHECK(elements(x) == Values{2, 3, 6, 1});
    CHECK(solve(select(a, 0, 0), b).shape() == Shape{2});
}

TEST_CASE("solve: pivots are exchanged, so that a small one does no harm") {
    const Tensor a = tensor({1e-20, 1, 1, 1}, {2, 2}, Dtype::float64), b = tensor({1, 2}, Dtype::float64);
    check_close(solve(a, b), {1, 1}, 4);
    const Tensor cycle = tensor({0, 1, 0, 0, 0, 1, 1, 0, 0}, {3, 3});  // whose transpose is its inverse
    CHECK(elements(solve(cycle, tensor({1, 2, 3}))) == Values{3, 1, 2});
    CHECK(elements(solve(transpose(cycle), tensor({1, 2, 3}))) == Values{2, 3, 1});
}

TEST_CASE("solve: a NaN is not lost, and no error") {
    const Tensor a = tensor({not_a_number, 1, 1, 1}, {2, 2});
    for (const double x : elements(solve(a, ones({2})))) CHECK(std::isnan(x));
    CHECK(std::isnan(element(det(a), {})));
    CHECK(std::isnan(element(slogdet(a).sign, {})));
    CHECK(std::isnan(element(slogdet(a).logabsdet, {})));
}

TEST_CASE("solve: the rule is the same from the factors that forward kept and from new ones") {
    const Tensor a = regular_matrices({2, 1, 4, 4}, 0, 1, Dtype::float64), b = sample_values({3, 4, 2}, -1, 1, 2);
    const Tensor ct = sample_values({2, 3, 4, 2}, -1, 1, 3);
    Tape tape;
    tape.watch(a);
    tape.watch(b);
    const Tensor x = solve(a, b);
    const auto recorded = tape.gradient(x, {a, b}, {.create_graph = true, .cotangent = ct});
    const auto plain = tape.gradient(x, {a, b}, {.cotangent = ct});
    CHECK(elements(recorded[0]) == elements(plain[0]));
    CHECK(elements(recorded[1]) == elements(plain[1]));
}

TEST_CASE("inverse: times the matrix it is the identity") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shape& shape : {Shape{1, 1}, Shape{2, 3, 5, 5}, Shape{40, 40}, Shape{0, 0}, Shape{0, 2, 2}})
            for (int layout = 0; layout < layouts; ++layout) {
                const Tensor a = regular_matrices(shape, layout, 5, dtype), y = inverse(a);
                CHECK(y.shape() == shape);
                const std::vector<Matrix> given = matrices_of(a), inverses = matrices_of(y);
                for (std::size_t k = 0; k < given.size(); ++k)
                    check_near(times(given[k], inverses[k]), unit(given[k].rows()), 30 * precision_of(dtype));
            }
}

TEST_CASE("det and slogdet: of batches, in any layout") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shape& shape :
             {Shape{1, 1}, Shape{2, 2}, Shape{7, 3, 3}, Shape{2, 3, 6, 6}, Shape{20, 20}, Shape{0, 3, 3}})
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(shape));
                CAPTURE(layout);
                const Tensor a = laid_out(shape, layout, 5, dtype);
                const Tensor y = det(a);
                const auto [sign, logabsdet] = slogdet(a);
                CHECK(y.rank() == shape.rank() - 2);
                CHECK(sign.shape() == y.shape());
                CHECK(logabsdet.shape() == y.shape());
                CHECK(y.dtype() == dtype);
                const Values determinants = elements(y), signs = elements(sign), logs = elements(logabsdet);
                const std::vector<Matrix> given = matrices_of(a);
                REQUIRE(determinants.size() == given.size());
                for (std::size_t k = 0; k < given.size(); ++k) {
                    Matrix none(shape.back(), 0);
                    const auto want = static_cast<double>(eliminate(given[k], none));
                    CHECK(determinants[k] == doctest::Approx(want).epsilon(300 * precision_of(dtype)));
                    CHECK(signs[k] == (want > 0 ? 1 : -1));
                    CHECK(logs[k] == doctest::Approx(std::log(std::abs(want))).epsilon(300 * precision_of(dtype)));
                }
            }
    CHECK(elements(det(ones({2, 0, 0}))) == Values{1, 1});
    CHECK(elements(slogdet(ones({2, 0, 0})).sign) == Values{1, 1});
    CHECK(elements(slogdet(ones({2, 0, 0})).logabsdet) == Values{0, 0});
    CHECK(elements(det(tensor({2, 1, 1, 1}, {2, 2}))) == Values{1});
}

TEST_CASE("det: out of range on the way only, or at the end") {
    const Tensor a = diag_embed(tensor({1e200, 1e200, 1e-200, 1e-200, -3}, Dtype::float64));
    check_close(det(a), {-3}, 8);
    CHECK(elements(slogdet(a).sign) == Values{-1});
    CHECK(element(slogdet(a).logabsdet, {}) == doctest::Approx(std::log(3)).epsilon(1e-14));
    const Tensor b = diag_embed(tensor({-1e200, 1e200, 1e200}, Dtype::float64));
    CHECK(elements(det(b)) == Values{-infinity});
    CHECK(elements(slogdet(b).sign) == Values{-1});
    CHECK(element(slogdet(b).logabsdet, {}) == doctest::Approx(600 * std::log(10)).epsilon(1e-15));
    const Tensor c = diag_embed(tensor({1e-20, 1e-20, 1e-20}, Dtype::float32));
    CHECK(elements(det(c)) == Values{0});
    CHECK(elements(slogdet(c).sign) == Values{1});
    CHECK(element(slogdet(c).logabsdet, {}) == doctest::Approx(-60 * std::log(10)).epsilon(1e-6));
    // 1e-20 and 1e-20 of the cofactors times the determinant of 1e-60, which float32 has not.
    check_close(gradients(determinant_of, {c * 1e5}, scalar(1))[0], {1e-30, 0, 0, 0, 1e-30, 0, 0, 0, 1e-30}, 16);
}

TEST_CASE("det: the derivative is the cofactors, of singular matrices too") {
    const Tensor x = sample_values({5, 4, 4}, -1, 1, 6), u = sample_values({4, 1}, -1, 1, 7),
                 v = sample_values({1, 4}, -1, 1, 8);
    const Tensor shift = tensor({0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0}, {4, 4}, Dtype::float64);
    Tensor equal_rows = select(x, 0, 0).clone();
    select(equal_rows, 0, 2).copy_from(select(equal_rows, 0, 1));
    const Tensor project = diag_embed(tensor({3, 2, -1, 0}, Dtype::float64));
    const Tensor rank_two = diag_embed(tensor({3, 2, 0, 0}, Dtype::float64));
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Tensor& exact : {x, shift, equal_rows, matmul(u, v), zeros({4, 4}, Dtype::float64), project,
                                    rank_two, stack({shift, select(x, 0, 1), rank_two}, 0)}) {
            const Tensor a = cast(exact, dtype), y = det(a), ct = cotangent_of(y);
            const Tensor gradient = gradients(determinant_of, {a}, ct)[0];
            const std::vector<Matrix> given = matrices_of(a), slopes = matrices_of(gradient);
            const Values weights = elements(ct);
            for (std::size_t k = 0; k < given.size(); ++k) {
                Matrix want = cofactors(given[k]);
                for (std::int64_t i = 0; i < 16; ++i) want(i / 4, i % 4) *= weights[k];
                check_near(slopes[k], want, dtype == Dtype::float64 ? 1e-14 : 1e-5);
            }
        }
    for (const double element : elements(gradients(determinant_of, {zeros({1, 1})}, scalar(2))[0])) CHECK(element == 2);
}

TEST_CASE("solve: what does not fit or is singular is refused with the caller's line") {
    const Tensor a = ones({3, 3}), b = ones({3, 2});
    check_refused<ValueError>("solve: a is singular", [&] { solve(a, b); });
    check_refused<ValueError>("solve: a[1] is singular", [&] {
        solve(stack({tensor({0, 1, 1, 0}, {2, 2}), zeros({2, 2}), zeros({2, 2})}, 0), ones({2}));
    });
    check_refused<ValueError>("inverse: a is singular", [&] { inverse(zeros({2, 2})); });
    check_refused<ShapeError>("inverse: a [2, 3] is not square", [&] { inverse(ones({2, 3})); });
    check_refused<ShapeError>("det: a [2, 3] is not square", [&] { det(ones({2, 3})); });
    check_refused<ShapeError>("det: a [3] is no matrix", [&] { det(ones({3})); });
    check_refused<ShapeError>("slogdet: a [2, 3] is not square", [&] { slogdet(ones({2, 3})); });
    check_refused<DtypeError>("det: a is int64; float32 or float64 is needed", [&] {
        det(zeros({2, 2}, Dtype::int64));
    });
    check_refused<DtypeError>("solve: operands must be float32 or float64 and alike: a float32, b float64", [&] {
        solve(a, ones({3, 2}, Dtype::float64));
    });
    check_refused<ShapeError>("solve: a [3, 3] has not as many rows as b [2, 3]", [&] { solve(a, ones({2, 3})); });
    check_refused<ShapeError>("solve: a [3, 3] has not as many rows as b [2]", [&] { solve(a, ones({2})); });
    check_refused<ShapeError>("solve: b [] is no matrix", [&] { solve(a, scalar(1)); });
    check_refused<ValueError>("solve: operand 0 is an undefined tensor", [&] { solve(Tensor(), b); });
    CHECK(elements(slogdet(a).sign) == Values{0});
    CHECK(elements(slogdet(a).logabsdet) == Values{-infinity});
}

TEST_CASE("solve: derivatives that there are not at a singular matrix are an error of the op") {
    const Tensor a = ones({2, 2}, Dtype::float64);
    Tape tape;
    tape.watch(a);
    check_refused<ValueError>("slogdet: a is singular", [&] { tape.gradient(slogdet(a).logabsdet, a); });
    check_refused<ValueError>("det: a is singular", [&] { tape.gradient(det(a), a, {.create_graph = true}); });
    CHECK_THROWS_AS(jvp([](const Tensor& x) { return det(x); }, a, a), ValueError);
}
