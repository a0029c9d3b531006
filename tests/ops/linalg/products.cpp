#include <wengert/ops/linalg/products.hpp>

#include "ops/linalg/plain_matrices.hpp"

using namespace brute_force;

TEST_CASE("dot and outer: of vectors, whose batches broadcast") {
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor a = laid_out({2, 1, 5}, layout, 1), b = laid_out({3, 5}, layout, 2),
                     c = laid_out({3, 4}, layout, 3);
        Values dots, outers;
        for_each_index({2, 3}, [&](const Shape& at) {
            double sum = 0;
            for (std::int64_t i = 0; i < 5; ++i) {
                sum += element(a, {at[0], 0, i}) * element(b, {at[1], i});
                for (std::int64_t j = 0; j < 4; ++j)
                    outers.push_back(element(a, {at[0], 0, i}) * element(c, {at[1], j}));
            }
            dots.push_back(sum);
        });
        CHECK(dot(a, b).shape() == Shape{2, 3});
        check_close(dot(a, b), dots, 8, 1);
        CHECK(outer(a, c).shape() == Shape{2, 3, 5, 4});
        CHECK(elements(outer(a, c)) == outers);
    }
    CHECK(element(dot(ones({0}), ones({0})), {}) == 0);
    CHECK(outer(ones({2}), ones({0})).shape() == Shape{2, 0});
}

TEST_CASE("kron: b times each element of a, of batches that broadcast") {
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor a = laid_out({2, 1, 2, 3}, layout, 1), b = laid_out({2, 4, 2}, layout, 2), y = kron(a, b);
        REQUIRE(y.shape() == Shape{2, 2, 8, 6});
        for_each_index(y.shape(), [&](const Shape& at) {
            CHECK(element(y, at) ==
                  element(a, {at[0], 0, at[2] / 4, at[3] / 2}) * element(b, {at[1], at[2] % 4, at[3] % 2}));
        });
    }
    CHECK(kron(ones({2, 0}), ones({3, 2})).shape() == Shape{6, 0});
}

TEST_CASE("trace: the sum of the diagonal, of matrices that need not be square") {
    const Tensor x = arange(12, Dtype::float32);
    CHECK(elements(trace(reshape(x, {2, 2, 3}))) == Values{0 + 4, 6 + 10});
    CHECK(elements(trace(transpose(reshape(x, {3, 4})))) == Values{0 + 5 + 10});
    CHECK(element(trace(ones({0, 0})), {}) == 0);
    CHECK(elements(trace(reshape(x, {2, 2, 3}), 1)) == Values{1 + 5, 7 + 11});
    CHECK(elements(trace(reshape(x, {2, 2, 3}), -1, 0, 1)) == Values{6, 7, 8});
    CHECK(element(trace(ones({2, 3}), 3), {}) == 0);
}

TEST_CASE("matrix_power: products one by one") {
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor a = regular_matrices({2, 3, 3}, layout, 1, Dtype::float64);
        for (const std::int64_t n : {0, 1, 2, 3, 7, -1, -2, -5}) {
            CAPTURE(n);
            const std::vector<Matrix> given = matrices_of(a), powers = matrices_of(matrix_power(a, n));
            for (std::size_t k = 0; k < given.size(); ++k) {
                Matrix factor = given[k], want = unit(3);
                if (n < 0) {
                    factor = unit(3);
                    eliminate(given[k], factor);
                }
                for (std::int64_t i = 0; i < std::abs(n); ++i) want = times(want, factor);
                check_near(powers[k], want, 1e-10);
            }
        }
    }
    CHECK(elements(matrix_power(tensor({1, 1, 1, 0}, {2, 2}), 10)) == Values{89, 55, 55, 34});
}

TEST_CASE("products: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("dot: a [2] and b [3] are no vectors of one length", [&] { dot(ones({2}), ones({3})); });
    check_refused<ShapeError>("dot: a [1] and b [3] are no vectors of one length", [&] { dot(ones({1}), ones({3})); });
    check_refused<ShapeError>("dot: a [] and b [] are no vectors of one length", [&] { dot(scalar(1), scalar(1)); });
    check_refused<ShapeError>("outer: [] is no vector", [&] { outer(ones({2}), scalar(1)); });
    check_refused<ShapeError>("kron: b [3] is no matrix", [&] { kron(ones({2, 2}), ones({3})); });
    CHECK_THROWS_AS(kron(ones({1, 1, 1, 2, 2}), ones({2, 2})), ShapeError);
    check_refused<ShapeError>("trace: a [3] is no matrix", [&] { trace(ones({3})); });
    check_refused<ShapeError>("trace: axis 0 has both rows and columns", [&] { trace(ones({2, 3}), 0, 0, 0); });
    check_refused<DtypeError>("trace: a is int64; float32 or float64 is needed", [&] {
        trace(zeros({2, 2}, Dtype::int64));
    });
    check_refused<ShapeError>("matrix_power: a [2, 3] is not square", [&] { matrix_power(ones({2, 3}), 2); });
    check_refused<ValueError>("matrix_power: a is singular", [&] { matrix_power(ones({2, 2}), -1); });
    check_refused<ValueError>("kron: operand 0 is an undefined tensor", [&] { kron(Tensor(), ones({2, 2})); });
}
