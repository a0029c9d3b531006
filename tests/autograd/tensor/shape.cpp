#include <doctest/doctest.h>

#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/tensor/shape.hpp>

using namespace wengert;

TEST_CASE("shape: lengths, rank and number of elements") {
    CHECK(Shape{}.rank() == 0);
    CHECK(Shape{}.empty());
    CHECK(Shape{}.numel() == 1);
    CHECK(Shape{2, 3, 4}.numel() == 24);
    CHECK(Shape{2, 0, 4}.numel() == 0);
    CHECK(Shape{2, 3}.back() == 3);
    CHECK(Shape{2, 3} == Shape{2, 3});
    CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
    CHECK_FALSE(Shape{2} == Shape{2, 1});
    CHECK(to_string(Shape{}) == "[]");
    CHECK(to_string(Shape{64, 103}) == "[64, 103]");
}

TEST_CASE("shape: axes are put in and taken out anywhere") {
    Shape shape{2, 3};
    shape.insert(0, 5);
    CHECK(shape == Shape{5, 2, 3});
    shape.insert(2, 7);
    CHECK(shape == Shape{5, 2, 7, 3});
    shape.push_back(1);
    CHECK(shape == Shape{5, 2, 7, 3, 1});
    shape.erase(0);
    shape.erase(3);
    shape.erase(1);
    CHECK(shape == Shape{2, 3});
}

TEST_CASE("shape: six axes and no more") {
    Shape shape{1, 2, 3, 4, 5, 6};
    CHECK(shape.numel() == 720);
    CHECK_THROWS_WITH_AS(shape.push_back(1), "a tensor has at most 6 axes", ShapeError);
    CHECK_THROWS_AS(shape.insert(0, 1), ShapeError);
    CHECK(shape == Shape{1, 2, 3, 4, 5, 6});
    CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1}), ShapeError);
}

TEST_CASE("shape: contiguous strides are row-major") {
    CHECK(contiguous_strides({2, 3, 4}) == Shape{12, 4, 1});
    CHECK(contiguous_strides({}) == Shape{});
    CHECK(contiguous_strides({5}) == Shape{1});
}

TEST_CASE("shape: elements are numbered in row-major order") {
    CHECK(unravel(0, {2, 3, 4}) == Shape{0, 0, 0});
    CHECK(unravel(5, {2, 3, 4}) == Shape{0, 1, 1});
    CHECK(unravel(23, {2, 3, 4}) == Shape{1, 2, 3});
    CHECK(unravel(4, {2, 1, 3}) == Shape{1, 0, 1});
    CHECK(unravel(0, {}) == Shape{});
}

TEST_CASE("shape: broadcasting aligns at the right and stretches ones") {
    CHECK(broadcast({2, 3}, {2, 3}) == Shape{2, 3});
    CHECK(broadcast({2, 3}, {3}) == Shape{2, 3});
    CHECK(broadcast({3}, {2, 3}) == Shape{2, 3});
    CHECK(broadcast({2, 1}, {1, 3}) == Shape{2, 3});
    CHECK(broadcast({}, {2, 3}) == Shape{2, 3});
    CHECK(broadcast({4, 1, 3}, {2, 1}) == Shape{4, 2, 3});
    CHECK(broadcast({1}, {0}) == Shape{0});
    CHECK(broadcast({0, 3}, {1, 1}) == Shape{0, 3});
    CHECK_THROWS_WITH_AS(broadcast({2, 3}, {2}), "shapes do not broadcast: [2, 3] and [2] (3 != 2)", ShapeError);
    CHECK_THROWS_WITH_AS(broadcast({0}, {2}), "shapes do not broadcast: [0] and [2] (0 != 2)", ShapeError);
}

TEST_CASE("shape: axes count from the back too") {
    CHECK(normalize_axis(0, 3) == 0);
    CHECK(normalize_axis(2, 3) == 2);
    CHECK(normalize_axis(-1, 3) == 2);
    CHECK(normalize_axis(-3, 3) == 0);
    CHECK_THROWS_WITH_AS(normalize_axis(3, 3), "axis 3 does not exist in a tensor of 3 axes", ShapeError);
    CHECK_THROWS_AS(normalize_axis(-4, 3), ShapeError);
    CHECK_THROWS_AS(normalize_axis(0, 0), ShapeError);
}

TEST_CASE("shape: an axis that there is not is an error") {
    Shape matrix{2, 3}, scalar;
    CHECK_THROWS_WITH_AS(matrix[2], "there is no axis 2 in [2, 3]", ShapeError);
    CHECK_THROWS_AS(matrix[-1], ShapeError);
    CHECK_THROWS_AS(std::as_const(matrix)[2], ShapeError);
    CHECK_THROWS_AS(scalar.back(), ShapeError);
    CHECK_THROWS_AS(matrix.erase(2), ShapeError);
    CHECK_THROWS_AS(scalar.erase(0), ShapeError);
    CHECK_THROWS_AS(matrix.insert(3, 1), ShapeError);
    CHECK_THROWS_AS(matrix.insert(-1, 1), ShapeError);
    CHECK(matrix == Shape{2, 3});
}
