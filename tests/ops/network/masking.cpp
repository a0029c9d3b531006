#include "ops/brute_force.hpp"

#include <wengert/ops/network/masking.hpp>

using namespace brute_force;

TEST_CASE("masking: positions before each length") {
    const Tensor mask = length_mask(ids({2, 0, 3}), 3);
    CHECK(mask.shape() == Shape{3, 3});
    CHECK(elements(mask) == Values{1, 1, 0, 0, 0, 0, 1, 1, 1});
    CHECK(length_mask(ids({1}), 2, Dtype::float64).dtype() == Dtype::float64);
    CHECK(length_mask(ids({}), 2).shape() == Shape{0, 2});
    check_refused<ValueError>("length_mask: length 4 is outside [0, 3]", [&] { length_mask(ids({1, 4}), 3); });
    check_refused<ValueError>("length_mask: length -1 is outside [0, 3]", [&] { length_mask(ids({-1}), 3); });
    check_refused<ShapeError>("length_mask: lengths must be [B], not []",
                              [&] { length_mask(scalar(1, Dtype::int64), 3); });
    CHECK(length_mask(tensor({2, 0}, Dtype::int32), 2, Dtype::boolean).to_vector<bool>() ==
          std::vector<bool>{true, true, false, false});
    check_refused<DtypeError>("length_mask: a mask is bool, float32 or float64, not int64",
                              [&] { length_mask(ids({1}), 3, Dtype::int64); });
    check_refused<DtypeError>("length_mask: lengths must be int64 or int32, not float32",
                              [&] { length_mask(zeros({2}), 3); });
}

TEST_CASE("masking: what is filled gets no gradient") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2}, Dtype::float64), mask = tensor({0, 1}, Dtype::float64);
    CHECK(elements(masked_fill(x, mask, -infinity)) == Values{1, -infinity, 3, -infinity});
    const auto g =
        gradients([&](const auto& in) { return masked_fill(in[0], mask, 7); }, {x}, ones({2, 2}, Dtype::float64));
    CHECK(elements(g[0]) == Values{1, 0, 1, 0});
    check_refused<ShapeError>("masked_fill: shapes do not broadcast: [3] and [2, 2] (3 != 2)",
                              [&] { masked_fill(x, zeros({3}, Dtype::float64), 0); });
    const Tensor by_ids = masked_fill(x, ids({0, 1}), 9);
    CHECK(by_ids.dtype() == Dtype::float64);
    CHECK(elements(by_ids) == Values{1, 9, 3, 9});
    CHECK(elements(masked_fill(x, tensor({true, false}), 9)) == Values{9, 2, 9, 4});
    CHECK(elements(masked_fill(arange(3), tensor({true, false, true}), 7)) == Values{7, 1, 7});
    CHECK(masked_fill(arange(3), tensor({true, false, true}), 7).dtype() == Dtype::int64);
    check_refused<ValueError>("masked_fill: 0.5 is no int64", [&] { masked_fill(arange(2), ids({0, 1}), 0.5); });
    check_refused<DtypeError>("masked_fill: an operand is float16, which is stored only: cast() it first", [&] {
        masked_fill(ones({2}, Dtype::float16), ids({0, 1}), 0);
    });
    check_refused<ValueError>("masked_fill: operand 1 is an undefined tensor", [&] { masked_fill(x, Tensor(), 0); });
    Tensor scores = ones({2, 2});
    scores.set_parameter().set_name("scores");
    check_refused<ShapeError>(
        "masked_fill: shapes do not broadcast: [3] and [2, 2] (3 != 2)\n"
        "  in operand 0 = parameter \"scores\"",
        [&] { masked_fill(scores, zeros({3}), 0); });
}
