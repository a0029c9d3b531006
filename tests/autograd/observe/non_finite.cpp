#include <doctest/doctest.h>

#include <limits>
#include <wengert/autograd/observe/non_finite.hpp>

using namespace wengert;

TEST_CASE("non_finite: the first in row-major order, wherever it stands in memory") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = cast(tensor({1, infinity, nan, 2, -infinity, 3}, {2, 3}), dtype);
        const auto first = first_non_finite(x), first_nan = first_non_finite(x, false);
        REQUIRE(first.has_value());
        CHECK(first->value == infinity);
        CHECK(first->index == Shape{0, 1});
        REQUIRE(first_nan.has_value());
        CHECK(first_nan->value != first_nan->value);
        CHECK(first_nan->index == Shape{0, 2});
        const auto across = first_non_finite(x.view({3, 2}, {1, 3}, 0));
        REQUIRE(across.has_value());
        CHECK(across->value == infinity);
        CHECK(across->index == Shape{1, 0});
        CHECK(!first_non_finite(cast(tensor({1, 2}), dtype)).has_value());
        CHECK(!first_non_finite(zeros({0, 3}, dtype)).has_value());
    }
    CHECK(!first_non_finite(zeros({2}, Dtype::int64)).has_value());
}
