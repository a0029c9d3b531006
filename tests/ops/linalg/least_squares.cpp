#include <wengert/ops/linalg/least_squares.hpp>
#include <wengert/ops/products/matmul.hpp>

#include "ops/linalg/plain_matrices.hpp"

using namespace brute_force;

namespace {

/// What lies off the least squares: a^T (a x - b) is 0 for tall matrices.
Matrix normal_residual(const Matrix& a, const Matrix& x, const Matrix& b) {
    Matrix residual = times(a, x);
    for (std::int64_t i = 0; i < b.rows(); ++i)
        for (std::int64_t j = 0; j < b.columns(); ++j) residual(i, j) -= b(i, j);
    return times(turned(a), residual);
}

}  // namespace

TEST_CASE("lstsq: the least squares of tall matrices, the shortest solution of wide ones") {
    struct Shapes {
        Shape a, b, x;
    };
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shapes& shapes :
             {Shapes{{4, 4}, {4, 3}, {4, 3}}, Shapes{{5, 2}, {3, 5, 1}, {3, 2, 1}},
              Shapes{{2, 5}, {3, 2, 2}, {3, 5, 2}}, Shapes{{2, 1, 6, 3}, {4, 6, 2}, {2, 4, 3, 2}},
              Shapes{{30, 10}, {30, 4}, {10, 4}}, Shapes{{3, 0}, {3, 2}, {0, 2}}, Shapes{{0, 3}, {0, 2}, {3, 2}},
              Shapes{{3, 2}, {3, 0}, {2, 0}}, Shapes{{0, 3, 2}, {3, 1}, {0, 2, 1}}})
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(shapes.a));
                CAPTURE(layout);
                const Tensor a = laid_out(shapes.a, layout, 3, dtype), b = laid_out(shapes.b, layout, 4, dtype);
                const Tensor x = lstsq(a, b);
                CHECK(x.shape() == shapes.x);
                const double tolerance = 100 * precision_of(dtype);
                const std::vector<Matrix> given = matrices_of(a, shapes.x), right = matrices_of(b, shapes.x),
                                          solutions = matrices_of(x);
                for (std::size_t k = 0; k < solutions.size(); ++k) {
                    const Matrix& matrix = given[k];
                    check_near(normal_residual(matrix, solutions[k], right[k]),
                               Matrix(matrix.columns(), right[k].columns()), tolerance);
                    if (matrix.rows() >= matrix.columns()) continue;
                    // The shortest solution is a^T (a a^T)^-1 b.
                    Matrix weights = right[k];
                    eliminate(times(matrix, turned(matrix)), weights);
                    check_near(solutions[k], times(turned(matrix), weights), tolerance);
                }
            }
    CHECK(lstsq(ones({3, 1}), tensor({1, 2, 6})).shape() == Shape{1});
    check_close(lstsq(ones({3, 1}), tensor({1, 2, 6})), {3}, 4);
}

TEST_CASE("lstsq: its derivative is that by the pseudoinverse") {
    for (const Shape& shape : {Shape{5, 3}, Shape{3, 5}}) {
        const Tensor a = sample_values(shape, -1, 1, 1), b = sample_values({shape[0], 2}, -1, 1, 2);
        const Tensor ct = sample_values({shape[1], 2}, -1, 1, 3);
        const auto by_qr = gradients([](const auto& in) { return lstsq(in[0], in[1]); }, {a, b}, ct);
        const auto by_svd = gradients([](const auto& in) { return matmul(pinv(in[0]), in[1]); }, {a, b}, ct);
        check_close(by_qr[0], elements(by_svd[0]), 500, 1);
        check_close(by_qr[1], elements(by_svd[1]), 500, 1);
    }
}

TEST_CASE("pinv: Penrose's four equations, of every rank") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const Shape& shape :
             {Shape{3, 3}, Shape{5, 2}, Shape{2, 5}, Shape{2, 3, 4, 3}, Shape{0, 3}, Shape{3, 0}, Shape{0, 2, 2}})
            for (int layout = 0; layout < layouts; ++layout)
                for (const bool is_deficient : {false, true}) {
                    CAPTURE(to_string(shape));
                    CAPTURE(layout);
                    const Tensor a = laid_out(shape, layout, 3, dtype);
                    if (is_deficient && shape.back() > 1) {
                        Tensor column = select(a, -1, 1);
                        column.copy_from(select(a, -1, 0) * 2.0);
                    }
                    const Tensor y = pinv(a);
                    CHECK(y.dtype() == dtype);
                    const std::vector<Matrix> given = matrices_of(a), inverses = matrices_of(y);
                    const double tolerance = 1000 * precision_of(dtype);
                    for (std::size_t k = 0; k < given.size(); ++k) {
                        const Matrix rows = times(given[k], inverses[k]), columns = times(inverses[k], given[k]);
                        check_near(times(rows, given[k]), given[k], tolerance);
                        check_near(times(columns, inverses[k]), inverses[k], tolerance);
                        check_near(rows, turned(rows), tolerance);
                        check_near(columns, turned(columns), tolerance);
                    }
                }
    CHECK(elements(pinv(zeros({2, 3}))) == Values(6));
    check_close(pinv(tensor({1, 0, 0, 0.1}, {2, 2}, Dtype::float64), 0.2), {1, 0, 0, 0}, 4, 1);
}

TEST_CASE("least squares: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("lstsq: a [3] is no matrix", [&] { lstsq(ones({3}), ones({3})); });
    check_refused<ShapeError>("lstsq: b [] is no matrix", [&] { lstsq(ones({3, 2}), scalar(1)); });
    check_refused<ShapeError>("lstsq: a [3, 2] has not as many rows as b [2, 1]", [&] {
        lstsq(ones({3, 2}), ones({2, 1}));
    });
    check_refused<ValueError>("lstsq: a is singular: element [0, 0] is 0", [&] { lstsq(zeros({3, 2}), ones({3})); });
    check_refused<ShapeError>("pinv: a [3] is no matrix", [&] { pinv(ones({3})); });
    check_refused<ValueError>("pinv: rtol is -1, not 0 or more", [&] { pinv(ones({3, 2}), -1); });
    check_refused<ValueError>("pinv: rtol is nan, not 0 or more", [&] { pinv(ones({3, 2}), not_a_number); });
    check_refused<ValueError>("pinv: a[1] has an element that is not finite", [&] {
        pinv(stack({ones({2, 2}), full({2, 2}, not_a_number)}, 0));
    });
    check_refused<DtypeError>("lstsq: a is int64; float32 or float64 is needed", [&] {
        lstsq(zeros({2, 2}, Dtype::int64), ones({2}));
    });
    check_refused<DtypeError>("pinv: a is int64; float32 or float64 is needed", [&] {
        pinv(zeros({2, 2}, Dtype::int64));
    });
}
