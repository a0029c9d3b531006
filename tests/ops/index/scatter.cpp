#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/index/scatter.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

/// Of many places some twice.
Tensor crossing(const Shape& shape, std::int64_t length) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back((i * 5 + i / 2) % length);
    return tensor(values, shape);
}

Tensor matrix(const std::vector<std::int64_t>& values, const Shape& shape) { return tensor(values, shape); }

void check_both_orders(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs) {
    for (const int order : {1, 2}) {
        const GradcheckResult result = gradcheck(f, inputs, {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

}  // namespace

TEST_CASE("scatter: values at their positions along every axis, of any dtype; the last one stays") {
    const Shape shape{2, 5, 3};
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64})
        for (int layout = 0; layout < layouts; ++layout)
            for (int axis = 0; axis < 3; ++axis)
                for (const std::int64_t k : {0, 1, 4, 9}) {
                    CAPTURE(to_string(dtype));
                    CAPTURE(layout);
                    CAPTURE(axis);
                    CAPTURE(k);
                    Shape put = shape;
                    put[axis] = k;
                    const Tensor x = laid_out(shape, layout, 3, dtype, -4, 4), index = crossing(put, shape[axis]),
                                 values = laid_out(put, layout, 4, dtype, -4, 4);
                    Values want = elements(x);
                    for_each_index(put, [&](const Shape& at) {  // i rises with everything else fixed
                        Shape to = at;
                        to[axis] = static_cast<std::int64_t>(element(index, at));
                        want[static_cast<std::size_t>((to[0] * shape[1] + to[1]) * shape[2] + to[2])] =
                            element(values, at);
                    });
                    const Tensor y = scatter(x, axis - 3, index, values);
                    CHECK(y.dtype() == dtype);
                    CHECK(y.shape() == shape);
                    CHECK(elements(y) == want);
                }
}

TEST_CASE("scatter: a value that another one replaces has no derivative") {
    const Tensor x = zeros({3}, Dtype::float64), values = ones({3}, Dtype::float64);
    const std::vector<Tensor> slopes = gradients(
        [](const auto& in) {
            return scatter(in[0], 0, ids({1, 2, 1}), in[1]);
        },
        {x, values}, tensor({5, 6, 7}, Dtype::float64));
    CHECK(elements(slopes[0]) == Values{5, 0, 0});
    CHECK(elements(slopes[1]) == Values{0, 7, 6});
}

TEST_CASE("scatter: index and index_put are NumPy's x[i, j]") {
    const Tensor x = reshape(arange(24, Dtype::float64), {2, 3, 4});
    const Tensor i = matrix({1, 0}, {2, 1}), j = ids({2, 0, 2});
    const Tensor some = index(x, {i, j});
    CHECK(some.shape() == Shape{2, 3, 4});
    for_each_index({2, 3, 4}, [&](const Shape& at) {
        CHECK(element(some, at) == element(x, {1 - at[0], at[1] == 1 ? 0 : 2, at[2]}));
    });
    CHECK(elements(index(x, {ids({1}), ids({2}), ids({3})})) == Values{23});
    CHECK(elements(index(x, {ids({-1, -2}), ids({-3, 2})})) == Values{12, 13, 14, 15, 8, 9, 10, 11});
    CHECK(elements(index_put(arange(3), {ids({-1})}, scalar(7, Dtype::int64))) == Values{0, 1, 7});
    CHECK(index(x, {ids({})}).shape() == Shape{0, 3, 4});
    CHECK(index(arange(3), {scalar(2, Dtype::int64)}).item<std::int64_t>() == 2);

    const Tensor put = index_put(x, {i, j}, scalar(-1, Dtype::float64));
    for_each_index({2, 3, 4}, [&](const Shape& at) { CHECK(element(put, at) == (at[1] == 1 ? element(x, at) : -1)); });
    const Tensor added = index_put(x, {i, j}, scalar(1, Dtype::float64), true);
    for_each_index({2, 3, 4}, [&](const Shape& at) {
        CHECK(element(added, at) == element(x, at) + (at[1] == 0 ? 1 : at[1] == 2 ? 2 : 0));
    });
    CHECK(elements(index_put(x, {ids({})}, zeros({0, 3, 4}, Dtype::float64))) == elements(x));
    const std::vector<Tensor> inputs{sample_values({2, 3, 2}, -1, 1, 1), sample_values({3, 2}, -1, 1, 2)};
    for (const bool accumulate : {false, true})
        check_both_orders(
            [&](const auto& in) {
                return index_put(in[0] * in[0], {i, j}, in[1], accumulate) *
                       sum(index(in[0], {ids({0, 0}), ids({1, 1})}));
            },
            inputs);
}

TEST_CASE("scatter: sums of segments") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6, 7, 8}, {4, 2, 1});
    const Tensor sums = segment_sum(x, ids({2, 0, 2, 0}), 4);
    CHECK(sums.shape() == Shape{4, 2, 1});
    CHECK(elements(sums) == Values{10, 12, 0, 0, 6, 8, 0, 0});
    CHECK(elements(segment_sum(tensor({1, 2, 3}), ids({1, 1, 0}), 2)) == Values{3, 3});
    CHECK(elements(segment_sum(zeros({0, 2}), ids({}), 1)) == Values{0, 0});
    CHECK(segment_sum(zeros({3, 0}), ids({0, 0, 0}), 2).shape() == Shape{2, 0});
    check_both_orders(
        [](const auto& in) {
            return segment_sum(in[0] * in[0], ids({1, 0, 1}), 3);
        },
        {sample_values({3, 2}, -1, 1, 3)});
}

TEST_CASE("scatter: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 3});
    check_refused<ShapeError>("scatter: values [2, 2] are not one for each position of the index [2, 1]", [&] {
        scatter(x, 1, matrix({0, 1}, {2, 1}), ones({2, 2}));
    });
    check_refused<DtypeError>("scatter: values are float64, but x float32", [&] {
        scatter(x, 1, matrix({0, 1}, {2, 1}), ones({2, 1}, Dtype::float64));
    });
    check_refused<ValueError>("scatter: position 3 is outside an axis of length 3", [&] {
        scatter(x, 1, matrix({0, 3}, {2, 1}), ones({2, 1}));
    });
    check_refused<ShapeError>("index: 3 positions were given for the 2 axes of [2, 3]", [&] {
        index(x, {ids({0}), ids({0}), ids({0})});
    });
    check_refused<ShapeError>("index: 0 positions were given for the 2 axes of [2, 3]",
                              [&] { index(x, std::vector<Tensor>{}); });
    check_refused<ValueError>("index: position -3 is outside an axis of length 2", [&] { index(x, {ids({-3})}); });
    check_refused<ValueError>("index: position 2 is outside an axis of length 2", [&] { index(x, {ids({2})}); });
    check_refused<ShapeError>("index: positions [3] do not broadcast with those before, [2]", [&] {
        index(x, {ids({0, 1}), ids({0, 1, 2})});
    });
    check_refused<DtypeError>("index: positions must be int64 or int32, not float32", [&] { index(x, {ones({1})}); });
    check_refused<DtypeError>("index_put: values are float64, but x float32",
                              [&] { index_put(x, {ids({0})}, ones({3}, Dtype::float64), true); });
    check_refused<ShapeError>("index_put: values [2] do not stretch to [1, 3], the shape of what is at the positions",
                              [&] { index_put(x, {ids({0})}, ones({2})); });
    check_refused<ShapeError>("segment_sum: segments [3] are not one for each slice of [2, 3]", [&] {
        segment_sum(x, ids({0, 0, 0}), 1);
    });
    check_refused<ValueError>("segment_sum: segment 2 is outside an axis of length 2", [&] {
        segment_sum(x, ids({0, 2}), 2);
    });
    check_refused<ValueError>("segment_sum: n is -1, less than 0", [&] { segment_sum(x, ids({0, 0}), -1); });
    check_refused<ValueError>("index: operand 0 is an undefined tensor", [&] { index(Tensor(), {ids({0})}); });
}

TEST_CASE("scatter: a value that another one replaces stays without derivative where the cotangent is infinite") {
    const Tensor values = tensor({5, 0}, Dtype::float64);
    const Tensor slope = gradients(
        [](const auto& in) {
            return log(scatter(zeros({1}, Dtype::float64), 0, ids({0, 0}), in[0]));
        },
        {values}, ones({1}, Dtype::float64))[0];
    CHECK(elements(slope) == Values{0, infinity});
}

TEST_CASE("scatter: positions and segments of int32, and elements of every dtype") {
    for (const Dtype dtype : {Dtype::int64, Dtype::int32, Dtype::float32, Dtype::float64}) {
        const Tensor x = cast(tensor({1, 2, 3, 4, 5, 6}, {2, 3}), dtype), nines = full({2, 1}, 9, dtype);
        const Tensor put = scatter(x, 1, tensor({2, 0}, {2, 1}, Dtype::int32), nines);
        CHECK(put.dtype() == dtype);
        CHECK(elements(put) == Values{1, 2, 9, 9, 5, 6});
        const Tensor first = tensor({1, 0}, Dtype::int32), second = ids({0, 2});
        CHECK(elements(index(x, {first, second})) == Values{4, 3});
    }
    const Tensor mask = zeros({2, 3}, Dtype::boolean);
    CHECK(elements(scatter(mask, 1, ids({1, 2}).view({2, 1}, {1, 1}, 0), ones({2, 1}, Dtype::boolean))) ==
          Values{0, 1, 0, 0, 0, 1});
    CHECK(elements(segment_sum(tensor({1, 2, 3}), tensor({1, 0, 1}, Dtype::int32), 2)) == Values{2, 4});
}
