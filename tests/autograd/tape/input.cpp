#include <doctest/doctest.h>

#include <limits>
#include <wengert/autograd/tape/input.hpp>

#include "../../values.hpp"

using namespace wengert;

TEST_CASE("input: a number is float32, int64 or bool, as its C++ type is, and a scalar of what is asked for") {
    CHECK(Input(1.5).number_dtype() == Dtype::float32);
    CHECK(Input(1.5f).number_dtype() == Dtype::float32);
    CHECK(Input(-2).number_dtype() == Dtype::int64);
    CHECK(Input('a').number_dtype() == Dtype::int64);
    CHECK(Input(true).number_dtype() == Dtype::boolean);
    CHECK(Input(std::size_t{7}).as(Dtype::int32).item<std::int32_t>() == 7);
    CHECK(Input(true).as(Dtype::boolean).item<bool>());
    CHECK(Input(-2).as(Dtype::float64).item() == -2);
    CHECK(Input(0.1).as(Dtype::float64).item() == 0.1);
    CHECK(Input(0.1).as(Dtype::float32).item<float>() == 0.1f);
    CHECK(Input(std::int64_t{INT64_MAX}).as(Dtype::int64).item<std::int64_t>() == INT64_MAX);
    CHECK(Input(std::int64_t{INT64_MIN}).as(Dtype::int64).item<std::int64_t>() == INT64_MIN);
    // What no int64 holds is a float.
    CHECK(Input(std::numeric_limits<std::uint64_t>::max()).number_dtype() == Dtype::float32);
    CHECK(Input(std::numeric_limits<std::uint64_t>::max()).as(Dtype::float64).item() == 0x1p64);
    CHECK_THROWS_WITH_AS(Input(0.5).as(Dtype::int64), "0.5 is no int64", ValueError);
    CHECK_THROWS_WITH_AS(Input(std::int64_t{1} << 31).as(Dtype::int32), "2147483648 is no int32", ValueError);
}

TEST_CASE("input: a tensor is itself, whatever is asked for") {
    const Tensor x = arange(3), none;
    CHECK(Input(x).as(Dtype::float32).same_as(x));
    CHECK_FALSE(Input(x).is_number());
    CHECK(Input(none).is_undefined());
    CHECK_FALSE(Input(0).is_undefined());
    CHECK_THROWS_AS(Input(none).tensor(), ValueError);
    CHECK_THROWS_AS(Input(0).tensor(), ValueError);
}
