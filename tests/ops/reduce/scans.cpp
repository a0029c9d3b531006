#include <algorithm>
#include <wengert/ops/reduce/scans.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

namespace {

/// Compares a scan of rows with what a loop over a row, from its end if it is reversed, makes of each.
template <class Scan, class Loop>
void check_scan(const Scan& scan, const Loop& loop) {
    for (const Shape& shape : {Shape{2, 5, 3}, Shape{3, 1, 70}, Shape{2, 0, 3}, Shape{4}})
        for (int layout = 0; layout < layouts; ++layout)
            for (int axis = 0; axis < shape.rank(); ++axis)
                for (const bool reverse : {false, true}) {
                    CAPTURE(to_string(shape));
                    CAPTURE(layout);
                    CAPTURE(axis);
                    CAPTURE(reverse);
                    const Tensor x = laid_out(shape, layout, 3);
                    const Tensor y = scan(x, axis - shape.rank(), reverse);
                    REQUIRE(y.shape() == shape);
                    std::vector<Values> want = rows_of(x, 1 << axis);
                    for (Values& row : want) {
                        if (reverse) std::ranges::reverse(row);
                        loop(row);
                        if (reverse) std::ranges::reverse(row);
                    }
                    const std::vector<Values> got = rows_of(y, 1 << axis);
                    for (std::size_t row = 0; row < want.size(); ++row)
                        for (std::size_t i = 0; i < want[row].size(); ++i)
                            CHECK(got[row][i] == doctest::Approx(want[row][i]).epsilon(1e-13));
                }
}

}  // namespace

TEST_CASE("scans: running sums, products and recurrences along every axis, from either end") {
    check_scan([](const Tensor& x, int axis, bool reverse) { return cumsum(x, axis, reverse); },
               [](Values& row) {
                   for (std::size_t i = 1; i < row.size(); ++i) row[i] += row[i - 1];
               });
    check_scan([](const Tensor& x, int axis, bool reverse) { return cumprod(x, axis, reverse); },
               [](Values& row) {
                   for (std::size_t i = 1; i < row.size(); ++i) row[i] *= row[i - 1];
               });
    check_scan([](const Tensor& x, int axis, bool reverse) { return cumprod(x, axis, reverse, true); },
               [](Values& row) {
                   double product = 1;
                   for (double& element : row) product *= std::exchange(element, product);
               });
    check_scan([](const Tensor& x, int axis, bool reverse) { return linear_scan(0.5 * x, x, axis, reverse); },
               [](Values& row) {
                   for (std::size_t i = 1; i < row.size(); ++i) row[i] += 0.5 * row[i] * row[i - 1];
               });
}

TEST_CASE("scans: logarithms of running sums of exponentials, however large or small") {
    check_scan([](const Tensor& x, int axis, bool reverse) { return logcumsumexp(x, axis, reverse); },
               [](Values& row) {
                   double sum = 0;
                   for (double& element : row) element = std::log(sum += std::exp(element));
               });
    const double two = std::log(2.0);
    check_close(logcumsumexp(tensor({1000, 1000, -1000}, Dtype::float64), 0), {1000, 1000 + two, 1000 + two}, 2);
    check_close(logcumsumexp(tensor({-infinity, -infinity, -1000, 0}, Dtype::float64), 0),
                {-infinity, -infinity, -1000, 0}, 2);
    check_close(logcumsumexp(tensor({0, infinity, 0, infinity}), 0), {0, infinity, infinity, infinity}, 0);
    const Tensor x = tensor({-infinity, 800, -infinity, 800}, Dtype::float64);
    const Tensor slope =
        gradients([](const auto& in) { return logcumsumexp(in[0], 0); }, {x}, ones({4}, Dtype::float64))[0];
    check_close(slope, {0, 2.5, 0, 0.5}, 1024);  // e^(x - y) is as exact as y, which is near 800
}

TEST_CASE("scans: a sum of many float32 numbers does not drift") {
    const Tensor y = cumsum(full({1'000'000}, 0.1, Dtype::float32), 0);
    CHECK(element(y, {999'999}) == doctest::Approx(0.1f * 1e6).epsilon(1e-7));
}

TEST_CASE("scans: zeros have the derivatives of a product") {
    const Tensor x = tensor({2, 0, 3, 0, 5}, Dtype::float64), ct = ones({5}, Dtype::float64);
    CHECK(elements(gradients([](const auto& in) { return cumprod(in[0], 0); }, {x}, ct)[0]) ==
          Values{1, 2 + 6, 0, 0, 0});
}

TEST_CASE("scans: a NaN stays, and goes no way back") {
    const Tensor x = tensor({1, not_a_number, 3});
    for (const Tensor& y : {cumsum(x, 0), cumprod(x, 0), linear_scan(x, x, 0), logcumsumexp(x, 0)}) {
        CHECK(element(y, {0}) == 1);
        CHECK(std::isnan(element(y, {1})));
        CHECK(std::isnan(element(y, {2})));
    }
}

TEST_CASE("scans: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("cumsum: axis 2 does not exist in a tensor of 2 axes", [&] { cumsum(ones({2, 3}), 2); });
    check_refused<ShapeError>("cumprod: axis 0 does not exist in a tensor of 0 axes", [&] { cumprod(scalar(1), 0); });
    check_refused<ShapeError>("cumsum: axis 1 does not exist in a tensor of 1 axes", [&] { cumsum(arange(3), 1); });
    check_refused<DtypeError>("cumprod: the operand is int64; float32 or float64 is needed",
                              [&] { cumprod(arange(3), 0); });
    check_refused<ShapeError>("linear_scan: a [2] and b [3] differ in shape",
                              [&] { linear_scan(ones({2}), ones({3}), 0); });
    check_refused<DtypeError>("linear_scan: a is float32, but b float64",
                              [&] { linear_scan(ones({2}), ones({2}, Dtype::float64), 0); });
    check_refused<DtypeError>("logcumsumexp: the operand is int64; float32 or float64 is needed",
                              [&] { logcumsumexp(arange(3), 0); });
    check_refused<ValueError>("cumsum: operand 0 is an undefined tensor", [&] { cumsum(Tensor(), 0); });
}
