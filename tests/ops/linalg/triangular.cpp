#include <wengert/autograd/check/gradcheck_model.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/linalg/decompositions.hpp>
#include <wengert/ops/linalg/triangular.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

#include "ops/linalg/plain_matrices.hpp"

using namespace brute_force;

namespace {

Matrix triangle_of(const Matrix& a, const TriangularOptions& options) {
    const Matrix triangle = matrix_of(a.rows(), a.columns(), [&](std::int64_t i, std::int64_t j) -> long double {
        if (i == j) return options.unit ? 1 : a(i, j);
        return (i < j) == options.upper ? a(i, j) : 0;
    });
    return options.transposed ? turned(triangle) : triangle;
}

}  // namespace

TEST_CASE("cholesky: the factor of every matrix of a batch, from the lower triangle alone") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shape& shape : {Shape{1, 1}, Shape{5, 5}, Shape{2, 3, 4, 4}, Shape{70, 70}, Shape{40, 17, 17},
                                   Shape{0, 0}, Shape{2, 0, 0}, Shape{0, 3, 3}})
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(shape));
                CAPTURE(layout);
                const Tensor a = laid_out(shape, layout, 3, dtype, -0.1, 0.1);
                for (std::int64_t i = 0; i < shape.back(); ++i)
                    for (std::int64_t j = i; j < shape.back(); ++j)  // above the diagonal stands what is not to be read
                        select(select(a, -1, j), -1, i).fill(i == j ? 3 + static_cast<double>(i) / 8 : not_a_number);
                const Tensor l = cholesky(a);
                CHECK(l.shape() == shape);
                CHECK(l.dtype() == dtype);
                const std::vector<Matrix> given = matrices_of(a), factors = matrices_of(l);
                for (std::size_t k = 0; k < given.size(); ++k) {
                    const Matrix& factor = factors[k];
                    const Matrix symmetric = matrix_of(
                        factor.rows(), factor.rows(),
                        [&](std::int64_t i, std::int64_t j) { return given[k](std::max(i, j), std::min(i, j)); });
                    check_near(times(factor, turned(factor)), symmetric, precision_of(dtype));
                    check_near(factor, triangle_of(factor, {}), 0);
                    for (std::int64_t i = 0; i < factor.rows(); ++i) CHECK(factor(i, i) > 0);
                }
            }
}

TEST_CASE("cholesky and eigh: a model that uses them right passes gradcheck_model, one that does not fails") {
    Tensor w = sample_values({2, 3, 3}, -1, 1, 1);
    w.set_parameter();
    const auto symmetric = [&] { return matmul(w, transpose(w)) + diag_embed(ones({3}, Dtype::float64)); };
    const auto cholesky_loss = [&](const Tensor& a) { return sum(square(cholesky(a))); };
    const auto eigh_loss = [&](const Tensor& a) { return sum(exp(-eigh(a).values)); };
    for (const int order : {1, 2}) {
        for (const NodeCheck& row : gradcheck_model([&] { return cholesky_loss(symmetric()); }, {w}, {.order = order}))
            CHECK_MESSAGE(row.verdict == GradcheckVerdict::passed, row.op << ": " << row.message);
        for (const NodeCheck& row : gradcheck_model([&] { return eigh_loss(symmetric()); }, {w}, {.order = order}))
            CHECK_MESSAGE(row.verdict == GradcheckVerdict::passed, row.op << ": " << row.message);
    }
    // The first matrix is symmetric, and its elements are much larger.
    const auto one_triangle = [&] {
        return concat({slice(symmetric(), 0, 0, 1) * 1e9, slice(tril(symmetric()), 0, 1, 2)}, 0);
    };
    const auto check_refused = [&](const char* op, const std::function<Tensor()>& loss) {
        const std::vector<NodeCheck> rows = gradcheck_model(loss, {w});
        CHECK(rows[0].op == op);
        CHECK(rows[0].verdict == GradcheckVerdict::wrong_rule);
        CHECK(rows[0].message.ends_with("\nthe operand is not symmetric, and the rule is that for symmetric matrices"));
        CHECK(rows[1].verdict == GradcheckVerdict::passed);
    };
    check_refused("cholesky", [&] { return cholesky_loss(tril(symmetric())); });
    check_refused("cholesky", [&] { return cholesky_loss(one_triangle()); });
    check_refused("eigh", [&] { return eigh_loss(tril(symmetric())); });
    Tensor none = zeros({2, 0, 0}, Dtype::float64);
    none.set_parameter();
    for (const NodeCheck& row : gradcheck_model([&] { return sum(cholesky(none)); }, {none}))
        CHECK(row.verdict == GradcheckVerdict::passed);
    Tensor single = diag_embed(ones({3}));
    single.set_parameter();
    CHECK_THROWS_WITH_AS(gradcheck_model([&] { return sum(cholesky(single)); }, {}),
                         doctest::Contains("is float32; differences need float64"), DtypeError);
    const std::vector<NodeCheck> rounded = gradcheck_model(
        [&] {
            return cholesky_loss(symmetric() + 1e-9 * triu(ones({2, 3, 3}, Dtype::float64)));
        },
        {w});
    for (const NodeCheck& row : rounded) CHECK(row.verdict == GradcheckVerdict::passed);
}

TEST_CASE("cholesky: the derivative is that by a symmetric matrix") {
    const Tensor x = sample_values({3, 3}, -1, 1, 1);
    const Tensor a = matmul(x, transpose(x)) + diag_embed(ones({3}, Dtype::float64)),
                 ct = sample_values({3, 3}, -1, 1, 2);
    const auto factor = [](const std::vector<Tensor>& in) { return cholesky(in[0]); };
    const Tensor gradient = gradients(factor, {a}, ct)[0];
    const Matrix slopes = matrices_of(gradient)[0];
    check_near(slopes, turned(slopes), 1e-14);
    for (std::int64_t i = 0; i < 3; ++i)
        for (std::int64_t j = 0; j <= i; ++j) {
            const auto moved = [&](double step) {  // the lower triangle is what is read
                const Tensor to = a.clone();
                select(select(to, 0, i), 0, j).fill(element(a, {i, j}) + step);
                return element(sum(cholesky(to) * ct), {});
            };
            const double slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            CHECK(static_cast<double>(slopes(i, j)) * (i == j ? 1 : 2) == doctest::Approx(slope).epsilon(1e-7));
        }
}

TEST_CASE("cholesky: what is not positive definite is refused, and said which and where") {
    Tensor a = expand(tensor({4, 2, 2, 5}, {2, 2}), {2, 3, 2, 2}).clone();
    check_refused<ValueError>("cholesky: a is not positive definite: its leading minor of order 2 is not positive",
                              [&] {
                                  cholesky(tensor({1, 2, 2, 4}, {2, 2}));
                              });
    check_refused<ValueError>("cholesky: a is not positive definite: its leading minor of order 1 is not positive",
                              [&] {
                                  cholesky(tensor({-1, 2, 2, 4}, {2, 2}, Dtype::float64));
                              });
    a.mutable_data<float>()[4 * 4] = -1;
    a.mutable_data<float>()[5 * 4] = -1;
    check_refused<ValueError>(
        "cholesky: a[1, 1] is not positive definite: its leading minor of order 1 is not positive",
        [&] { cholesky(a); });
    for (const std::int64_t n : {1, 3, 100}) {
        Tensor with_nan = diag_embed(ones({n}));
        with_nan.mutable_data<float>()[(n - 1) * n] = std::nanf("");
        check_refused<ValueError>("cholesky: a is not positive definite: its leading minor of order " +
                                      std::to_string(n) + " is not positive",
                                  [&] { cholesky(with_nan); });
    }
    check_refused<ShapeError>("cholesky: a [2, 3] is not square", [&] { cholesky(ones({2, 3})); });
    check_refused<ShapeError>("cholesky: a [3] is no matrix", [&] { cholesky(ones({3})); });
    check_refused<DtypeError>("cholesky: a is int64; float32 or float64 is needed", [&] {
        cholesky(zeros({2, 2}, Dtype::int64));
    });
    check_refused<ValueError>("cholesky: operand 0 is an undefined tensor", [&] { cholesky(Tensor()); });
}

TEST_CASE("solve_triangular: solutions of every kind of triangle, of batches that broadcast") {
    struct Shapes {
        Shape a, b, x;
    };
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shapes& shapes :
             {Shapes{{1, 1}, {1, 1}, {1, 1}}, Shapes{{4, 4}, {4, 3}, {4, 3}}, Shapes{{3, 3}, {2, 3, 1}, {2, 3, 1}},
              Shapes{{2, 1, 3, 3}, {5, 3, 2}, {2, 5, 3, 2}}, Shapes{{2, 3, 3}, {3, 2}, {2, 3, 2}},
              Shapes{{60, 60}, {60, 70}, {60, 70}}, Shapes{{0, 0}, {0, 2}, {0, 2}}, Shapes{{3, 3}, {3, 0}, {3, 0}},
              Shapes{{0, 3, 3}, {3, 2}, {0, 3, 2}}})
            for (int layout = 0; layout < layouts; ++layout)
                for (int kind = 0; kind < 8; ++kind) {
                    CAPTURE(to_string(shapes.x));
                    CAPTURE(layout);
                    CAPTURE(kind);
                    const TriangularOptions options{(kind & 1) != 0, (kind & 2) != 0, (kind & 4) != 0};
                    const Tensor a = regular_matrices(shapes.a, layout, 3, dtype) *
                                     (1 / std::sqrt(static_cast<double>(shapes.a.back() + 1)));
                    const Tensor b = laid_out(shapes.b, layout, 4, dtype), x = solve_triangular(a, b, options);
                    CHECK(x.shape() == shapes.x);
                    CHECK(x.dtype() == dtype);
                    const std::vector<Matrix> given = matrices_of(a, shapes.x), right = matrices_of(b, shapes.x),
                                              solutions = matrices_of(x);
                    for (std::size_t k = 0; k < solutions.size(); ++k)
                        check_near(times(triangle_of(given[k], options), solutions[k]), right[k],
                                   20 * precision_of(dtype));
                }
}

TEST_CASE("solve_triangular: what is not read may be anything, and gets no derivative") {
    const Tensor a = tensor({not_a_number, not_a_number, 3, 0}, {2, 2}, Dtype::float64);
    const Tensor b = tensor({1, 5}, {2, 1}, Dtype::float64);
    const auto f = [](const std::vector<Tensor>& in) { return solve_triangular(in[0], in[1], {.unit = true}); };
    CHECK(elements(f({a, b})) == Values{1, 2});
    CHECK(elements(gradients(f, {a, b}, ones({2, 1}, Dtype::float64))[0]) == Values{0, 0, -1, 0});
}

TEST_CASE("solve_triangular: what does not fit is refused with the caller's line") {
    const Tensor a = ones({3, 3}), b = ones({3, 2});
    check_refused<ShapeError>("solve_triangular: a [2, 3] is not square", [&] { solve_triangular(ones({2, 3}), b); });
    check_refused<ShapeError>("solve_triangular: b [3] is no matrix", [&] { solve_triangular(a, ones({3})); });
    check_refused<ShapeError>("solve_triangular: a [3, 3] has not as many rows as b [2, 3]", [&] {
        solve_triangular(a, ones({2, 3}));
    });
    check_refused<ShapeError>("solve_triangular: the leading axes of a [2, 3, 3] and b [5, 3, 2] do not broadcast",
                              [&] {
                                  solve_triangular(ones({2, 3, 3}), ones({5, 3, 2}));
                              });
    check_refused<DtypeError>("solve_triangular: operands must be float32 or float64 and alike: a float32, b float64",
                              [&] {
                                  solve_triangular(a, ones({3, 2}, Dtype::float64));
                              });
    check_refused<ValueError>("solve_triangular: a is singular: element [1, 1] is 0", [&] {
        solve_triangular(tril(ones({2, 2})) - tensor({0, 0, 0, 1}, {2, 2}), ones({2, 1}));
    });
    check_refused<ValueError>("solve_triangular: a[1, 0] is singular: element [0, 0] is 0", [&] {
        Tensor batch = ones({2, 1, 2, 2});
        select(batch, 0, 1).fill(0);
        solve_triangular(batch, ones({2, 1}), {.upper = true});
    });
    check_refused<ValueError>("solve_triangular: operand 1 is an undefined tensor",
                              [&] { solve_triangular(a, Tensor()); });
}
