#include "ops/brute_force.hpp"

#include <wengert/ops/shape/copies.hpp>

using namespace brute_force;

TEST_CASE("copies: contiguous copies only what does not stand in order") {
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor x = laid_out({3, 4}, layout, 1), y = contiguous(x);
        CHECK(y.is_contiguous());
        CHECK(y.same_as(x) == x.is_contiguous());
        CHECK(elements(y) == elements(x));
    }
}

TEST_CASE("copies: put_slice sets a part of zeros, along every axis") {
    const Shape shape{3, 4, 5};
    for (int axis = -3; axis < 3; ++axis) {
        for (int layout = 0; layout < layouts; ++layout) {
            const int at = normalize_axis(axis, 3);
            Shape part = shape;
            part[at] = 2;
            const Tensor x = laid_out(part, layout, 1), y = put_slice(x, shape, axis, 1, 3);
            REQUIRE(y.shape() == shape);
            for_each_index(shape, [&](const Shape& index) {
                Shape own = index;
                own[at] -= 1;
                CHECK(element(y, index) == (own[at] >= 0 && own[at] < 2 ? element(x, own) : 0));
            });
        }
    }
}

TEST_CASE("copies: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 3});
    check_refused<ShapeError>("put_slice: [2, 3] is not the part [0, 2) of axis 1 of [2, 5]", [&] {
        put_slice(x, {2, 5}, 1, 0, 2);
    });
    check_refused<ShapeError>("put_slice: [3, 6) is outside axis 1 of [2, 5]", [&] { put_slice(x, {2, 5}, 1, 3, 6); });
    check_refused<ShapeError>("put_slice: [-3, 0) is outside axis 1 of [2, 5]", [&] {
        put_slice(x, {2, 5}, 1, -3, 0);
    });
    check_refused<ShapeError>("put_slice: axis 2 does not exist in a tensor of 2 axes", [&] {
        put_slice(x, {2, 5}, 2, 0, 3);
    });
    check_refused<ShapeError>("overlap_add: [2, 3] are not the windows of an axis 0 of 5 in steps of 1",
                              [&] { overlap_add(x, 0, 5, 1); });
    check_refused<ShapeError>("overlap_add: [2, 3] are not the windows of an axis 0 of 2 in steps of 1",
                              [&] { overlap_add(x, 0, 2, 1); });
    check_refused<ValueError>("overlap_add: a step of 0 is no length", [&] { overlap_add(x, 0, 4, 0); });
    check_refused<ShapeError>("overlap_add: axis 1 does not exist in a tensor of 1 axes",
                              [&] { overlap_add(x, 1, 4, 1); });
}
