#include <wengert/ops/index/positions.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

TEST_CASE("positions: of the elements that are not 0, in row-major order") {
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor x = laid_out({3, 4, 2}, layout, 1, Dtype::int64, -2, 2), places = nonzero(x);
        Values want;
        for_each_index(x.shape(), [&](const Shape& at) {
            if (element(x, at) == 0) return;
            for (const std::int64_t i : at) want.push_back(static_cast<double>(i));
        });
        CHECK(places.dtype() == Dtype::int64);
        CHECK(places.shape() == Shape{static_cast<std::int64_t>(want.size()) / 3, 3});
        CHECK(elements(places) == want);
    }
    CHECK(elements(nonzero(tensor({0, not_a_number, -0.0, -infinity}))) == Values{1, 3});
    CHECK(nonzero(scalar(5)).shape() == Shape{1, 0});
    CHECK(nonzero(zeros({2, 0})).shape() == Shape{0, 2});
}

TEST_CASE("positions: elements chosen by a mask that broadcasts") {
    const Tensor x = transpose(tensor({1, 2, 3, 4, 5, 6}, {3, 2}, Dtype::float64));
    CHECK(elements(masked_select(x, tensor({1, 0, 2}))) == Values{1, 5, 2, 6});
    CHECK(elements(masked_select(x, x > 3)) == Values{5, 4, 6});
    CHECK(elements(masked_select(arange(3), tensor({1, 0, 1, 1}, {2, 2, 1}))) == Values{0, 1, 2, 0, 1, 2, 0, 1, 2});
    CHECK(masked_select(x, zeros({3})).shape() == Shape{0});
    CHECK(masked_select(zeros({0}), ones({1})).shape() == Shape{0});
}

TEST_CASE("positions: one_hot") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
        const Tensor y = one_hot(transpose(tensor(std::vector<std::int64_t>{2, 0, 1, 2}, {2, 2})), 3, dtype);
        CHECK(y.shape() == Shape{2, 2, 3});
        CHECK(y.dtype() == dtype);
        CHECK(elements(y) == Values{0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1});
    }
    CHECK(elements(one_hot(scalar(1, Dtype::int64), 2)) == Values{0, 1});
    CHECK(one_hot(ids({}), 0).shape() == Shape{0, 0});
}

TEST_CASE("positions: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("masked_select: shapes do not broadcast: [2] and [3] (2 != 3)",
                              [&] { masked_select(ones({2}), ones({3})); });
    check_refused<ValueError>("one_hot: id 3 is outside an axis of length 3", [&] { one_hot(ids({3}), 3); });
    check_refused<DtypeError>("one_hot: ids must be int64 or int32, not float32", [&] { one_hot(ones({1}), 3); });
    check_refused<ValueError>("one_hot: n is -1, less than 0", [&] { one_hot(ids({0}), -1); });
    check_refused<ValueError>("nonzero: operand 0 is an undefined tensor", [&] { nonzero(Tensor()); });
}

TEST_CASE("positions: of masks of bool, and ids of int32") {
    const Tensor x = tensor({1, -2, 3, -4}, {2, 2}), mask = x > 0;
    CHECK(elements(nonzero(mask)) == Values{0, 0, 1, 0});
    CHECK(elements(nonzero(transpose(mask))) == Values{0, 0, 0, 1});
    CHECK(elements(masked_select(x, mask)) == Values{1, 3});
    CHECK(masked_select(mask, logical_not(mask)).to_vector<bool>() == std::vector<bool>{false, false});
    const Tensor places = one_hot(tensor({2, 0}, Dtype::int32), 3, Dtype::boolean);
    CHECK(places.dtype() == Dtype::boolean);
    CHECK(elements(places) == Values{0, 0, 1, 1, 0, 0});
    check_refused<ValueError>("one_hot: id 3 is outside an axis of length 3",
                              [] { one_hot(tensor({3}, Dtype::int32), 3); });
    check_refused<DtypeError>("nonzero: the operand is float16, which is stored only: cast() it first",
                              [] { nonzero(ones({2}, Dtype::float16)); });
}
