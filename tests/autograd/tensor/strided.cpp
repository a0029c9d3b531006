#include <doctest/doctest.h>

#include <array>
#include <vector>
#include <wengert/autograd/tensor/strided.hpp>

#include "../../values.hpp"

using namespace wengert;

namespace {

Tensor counting(const Shape& shape, Dtype dtype) {
    const Tensor flat = arange(shape.numel(), dtype);
    return flat.view(shape, contiguous_strides(shape), 0);
}

Tensor transposed(const Tensor& x) {
    return x.view({x.shape()[1], x.shape()[0]}, {x.strides()[1], x.strides()[0]}, x.offset());
}

}  // namespace

TEST_CASE("strided: writing from and into views of any strides, storing and adding") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64, Dtype::int32}) {
        const Tensor source = counting({2, 3}, dtype), target = zeros({3, 2}, dtype);
        write(transposed(source), {target});
        CHECK(elements(target) == Values{0, 3, 1, 4, 2, 5});
        write(source, {transposed(target), true});
        CHECK(elements(target) == Values{0, 6, 2, 8, 4, 10});
    }
}

TEST_CASE("strided: writing a part leaves the rest alone") {
    const Tensor target = zeros({3, 4}, Dtype::float64);
    write(counting({3, 2}, Dtype::float64), {target.view({3, 2}, {4, 1}, 1)});
    CHECK(elements(target) == Values{0, 0, 1, 0, 0, 2, 3, 0, 0, 4, 5, 0});
    fill(target.view({3}, {4}, 3), 9);
    CHECK(elements(target) == Values{0, 0, 1, 9, 0, 2, 3, 9, 0, 4, 5, 9});
}

TEST_CASE("strided: types are converted") {
    const Tensor target = zeros({2}, Dtype::int64);
    write(tensor({1, -2}, Dtype::float64), {target});
    CHECK(elements(target) == Values{1, -2});
    write(tensor({3, 0.0}, Dtype::float32), {target, true});
    CHECK(elements(target) == Values{4, -2});
    CHECK_THROWS_WITH_AS(write(tensor({0.5, 1}), {target}), "0.5 is no int64", ValueError);
    CHECK_THROWS_WITH_AS(fill(target, 1.5), "1.5 is no int64", ValueError);
    const Tensor mask = tensor({true, false, false}), half = zeros({3}, Dtype::float16);
    write(tensor({0, 0.5, 0}), {mask, true});
    CHECK(elements(mask) == Values{1, 1, 0});
    write(mask, {half});
    CHECK(elements(half) == Values{1, 1, 0});
    CHECK_THROWS_WITH_AS(write(half, {half, true}), "the operand is float16, which is stored only: cast() it first",
                         DtypeError);
    CHECK(elements(target) == Values{4, -2});
}

TEST_CASE("strided: stretched sources, scalars, empty tensors, six axes") {
    const Tensor target = zeros({2, 3}, Dtype::float64);
    write(tensor({1, 2, 3}, Dtype::float64).view({2, 3}, {0, 1}, 0), {target});
    CHECK(elements(target) == Values{1, 2, 3, 1, 2, 3});
    write(tensor({1, 2}, Dtype::float32).view({2, 3}, {1, 0}, 0), {target});
    CHECK(elements(target) == Values{1, 1, 1, 2, 2, 2});
    write(tensor({1, 2}, Dtype::float64).view({2, 3}, {1, 0}, 0), {target, true});
    CHECK(elements(target) == Values{2, 2, 2, 4, 4, 4});
    const Tensor one = zeros({}, Dtype::float32);
    write(scalar(4), {one, true});
    CHECK(one.item() == 4);
    write(zeros({0, 3}), {zeros({0, 3}), true});
    fill(zeros({0, 3}), 1);
    const Shape six{2, 1, 2, 2, 1, 2};
    const Tensor many = counting(six, Dtype::float64), reversed = zeros(six, Dtype::float64);
    write(many.view(six, {1, 1, 2, 4, 1, 8}, 0), {reversed});
    CHECK(elements(reversed) == Values{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15});
}

TEST_CASE("strided: shapes must be the same") {
    CHECK_THROWS_WITH_AS(write(zeros({2, 3}), {zeros({3, 2})}), "cannot write [2, 3] into [3, 2]", ShapeError);
    CHECK_THROWS_AS(write(zeros({1}), {zeros({})}), ShapeError);
}

TEST_CASE("strided: rows come in order with the offsets of all operands") {
    std::vector<std::array<std::int64_t, 2>> seen;
    const std::array<Shape, 2> strides{Shape{20, 10, 1}, Shape{1, 2, 4}};
    for_each_outer_position({2, 2, 5}, strides,
                            [&](const std::array<std::int64_t, 2>& offsets) { seen.push_back(offsets); });
    CHECK(seen == std::vector<std::array<std::int64_t, 2>>{{0, 0}, {10, 2}, {20, 1}, {30, 3}});
    for_each_outer_position({2, 0, 5}, strides, [&](const auto&) { FAIL("there is no row"); });
}

TEST_CASE("strided: simplify joins what lies in one run and drops axes of one") {
    Shape shape{2, 3, 1, 4};
    std::array<Shape, 2> strides{Shape{12, 4, 4, 1}, Shape{12, 4, 7, 1}};
    simplify(shape, strides);
    CHECK(shape == Shape{24});
    CHECK(strides[1] == Shape{1});
    shape = {2, 3};
    strides = {Shape{3, 1}, Shape{0, 1}};
    simplify(shape, strides);
    CHECK(shape == Shape{2, 3});
    shape = {1, 1};
    simplify(shape, strides);
    CHECK(shape == Shape{1});
}

TEST_CASE("strided: whatever writes to a tensor counts as a write") {
    const Tensor x = zeros({2, 3});
    const std::uint32_t before = x.version();
    fill(x, 1);
    CHECK(x.version() == before + 1);
    fill(transposed(x), 2);
    CHECK(x.version() == before + 2);
    write(ones({2, 3}), {x});
    CHECK(x.version() == before + 3);
    write(ones({2, 3}), {x, true});
    CHECK(x.version() == before + 4);
    packed(transposed(x));
    CHECK(x.version() == before + 4);
}
