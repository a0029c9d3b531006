#include <wengert/ops/index/gather.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

Tensor positions(const Shape& shape, std::int64_t length) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back((i * 7 + i / 3) % length);
    return tensor(values, shape);
}

}  // namespace

TEST_CASE("gather: elements by their positions along every axis, of any dtype, and their sums where they came from") {
    const Shape shape{2, 5, 3};
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64})
        for (int layout = 0; layout < layouts; ++layout)
            for (int axis = 0; axis < 3; ++axis)
                for (const std::int64_t k : {0, 1, 4, 9}) {
                    CAPTURE(to_string(dtype));
                    CAPTURE(layout);
                    CAPTURE(axis);
                    CAPTURE(k);
                    const Tensor x = laid_out(shape, layout, 3, dtype, -4, 4);
                    Shape taken = shape;
                    taken[axis] = k;
                    const Tensor index = positions(taken, shape[axis]);
                    const auto place = [&](Shape at) {
                        at[axis] = static_cast<std::int64_t>(element(index, at));
                        return at;
                    };
                    Values want;
                    for_each_index(taken, [&](const Shape& at) { want.push_back(element(x, place(at))); });
                    const Tensor y = gather(x, axis - 3, index);
                    CHECK(y.shape() == taken);
                    CHECK(y.dtype() == dtype);
                    CHECK(elements(y) == want);
                    if (dtype == Dtype::int64) continue;
                    const Tensor values = cast(sample_values(taken, -1, 1, 5), dtype);
                    Tensor sums = cast(x, Dtype::float64).clone();
                    for_each_index(taken, [&](const Shape& at) {
                        Shape to = place(at);
                        std::int64_t offset = 0;
                        for (int i = 0; i < 3; ++i) offset = offset * shape[i] + to[i];
                        sums.mutable_data<double>()[offset] += element(values, at);
                    });
                    check_close(scatter_add(x, axis, index, values), elements(sums), 16, 1);
                }
}

TEST_CASE("index_select: slices of an axis") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    CHECK(elements(index_select(x, 1, ids({2, 0, 2}))) == Values{3, 1, 3, 6, 4, 6});
    CHECK(elements(index_select(x, -2, ids({1}))) == Values{4, 5, 6});
    CHECK(index_select(x, 0, ids({})).shape() == Shape{0, 3});
}

TEST_CASE("gather: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 3});
    check_refused<ShapeError>("gather: axis 2 does not exist in a tensor of 2 axes", [&] { gather(x, 2, ids({0})); });
    check_refused<ShapeError>("gather: the index [1] does not fit [2, 3] along axis 1",
                              [&] { gather(x, 1, ids({0})); });
    check_refused<ShapeError>("gather: the index [3, 1] does not fit [2, 3] along axis 1", [&] {
        gather(x, 1, positions({3, 1}, 2));
    });
    check_refused<ValueError>("gather: position 3 is outside an axis of length 3", [&] {
        gather(x, 1, tensor(std::vector<std::int64_t>{0, 3}, {2, 1}));
    });
    check_refused<ValueError>("index_select: position -1 is outside an axis of length 2",
                              [&] { index_select(x, 0, ids({-1})); });
    check_refused<DtypeError>("gather: the index must be int64 or int32, not float32", [&] {
        gather(x, 1, zeros({2, 1}));
    });
    check_refused<ShapeError>("index_select: positions must have one axis, not be []",
                              [&] { index_select(x, 0, scalar(1, Dtype::int64)); });
    check_refused<ShapeError>("scatter_add: values [2, 2] are not one for each position of the index [2, 1]", [&] {
        scatter_add(x, 1, positions({2, 1}, 2), ones({2, 2}));
    });
    // PyTorch would read the first columns alone.
    check_refused<ShapeError>("gather: the index [1, 2] does not fit [2, 3] along axis 0", [&] {
        gather(x, 0, positions({1, 2}, 1));
    });
    check_refused<DtypeError>("scatter_add: values are float32, but x float64", [&] {
        scatter_add(ones({2, 3}, Dtype::float64), 1, positions({2, 1}, 2), ones({2, 1}));
    });
    check_refused<DtypeError>("scatter_add: x is int64; float32 or float64 is needed", [&] {
        scatter_add(zeros({2, 3}, Dtype::int64), 1, positions({2, 1}, 2), ones({2, 1}, Dtype::int64));
    });
    check_refused<DtypeError>("scatter_add: values are int64; float32 or float64 is needed", [&] {
        scatter_add(x, 1, positions({2, 1}, 2), ones({2, 1}, Dtype::int64));
    });
    check_refused<ValueError>("gather: operand 0 is an undefined tensor", [&] { gather(Tensor(), 0, ids({0})); });
}

TEST_CASE("gather: positions of int32 are positions, and bools and integers are looked up as they are") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3}), at = tensor({2, 0, 1, 1}, {2, 2}, Dtype::int32);
    const Tensor whole = cast(at, Dtype::int64), values = tensor({10, 20, 30, 40}, {2, 2});
    CHECK(elements(gather(x, 1, at)) == Values{3, 1, 5, 5});
    CHECK(elements(gather(x, 1, transpose(at))) == elements(gather(x, 1, transpose(whole))));
    CHECK(elements(scatter_add(x, 1, at, values)) == Values{21, 2, 13, 4, 75, 6});
    CHECK(elements(index_select(x, 1, tensor({2, 2}, Dtype::int32))) == Values{3, 3, 6, 6});
    CHECK(gather(x > 2, 1, at).to_vector<bool>() == std::vector<bool>{true, false, true, true});
    CHECK(gather(cast(x, Dtype::int32), 1, at).to_vector<std::int32_t>() == std::vector<std::int32_t>{3, 1, 5, 5});
    const auto slopes = gradients([&](const auto& in) { return gather(in[0], 1, at); }, {x}, values);
    CHECK(elements(slopes[0]) == Values{20, 0, 10, 0, 70, 0});
    check_refused<ValueError>("gather: position -1 is outside an axis of length 3", [&] {
        gather(x, 1, full({2, 1}, -1, Dtype::int32));
    });
    check_refused<DtypeError>("gather: the index must be int64 or int32, not bool", [&] { gather(x, 1, x > 0); });
}
