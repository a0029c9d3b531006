#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <wengert/autograd/tensor/tensor.hpp>

#include "../../values.hpp"

using namespace wengert;

namespace {

constexpr Dtype all_dtypes[] = {Dtype::boolean, Dtype::int32,   Dtype::int64,   Dtype::float32,
                                Dtype::float64, Dtype::float16, Dtype::bfloat16};

}  // namespace

TEST_CASE("dtype: sizes, names and kinds") {
    const std::size_t sizes[] = {1, 4, 8, 4, 8, 2, 2};
    const char* const names[] = {"bool", "int32", "int64", "float32", "float64", "float16", "bfloat16"};
    for (std::size_t i = 0; i < std::size(all_dtypes); ++i) {
        const Dtype dtype = all_dtypes[i];
        CHECK(size_of(dtype) == sizes[i]);
        CHECK(to_string(dtype) == names[i]);
        CHECK(is_integral(dtype) == (i < 3));
        CHECK(is_floating(dtype) == (i == 3 || i == 4));
        CHECK(is_stored_only(dtype) == (i > 4));
        visit_stored(dtype, [&](auto type) {
            CHECK(dtype_of<decltype(type)> == dtype);
            CHECK(sizeof(type) == sizes[i]);
        });
        if (!is_stored_only(dtype)) visit_dtype(dtype, [&](auto type) { CHECK(dtype_of<decltype(type)> == dtype); });
        if (is_integral(dtype)) visit_integral(dtype, [&](auto type) { CHECK(dtype_of<decltype(type)> == dtype); });
    }
    CHECK_THROWS_WITH_AS(visit_dtype(Dtype::bfloat16, [](auto) {}),
                         "the operand is bfloat16, which is stored only: cast() it first", DtypeError);
}

TEST_CASE("dtype: small whole numbers are the same in all dtypes, whatever they are cast from and to") {
    for (const Dtype from : all_dtypes)
        for (const Dtype to : all_dtypes) {
            CAPTURE(to_string(from));
            CAPTURE(to_string(to));
            const bool as_bool = from == Dtype::boolean || to == Dtype::boolean;
            const Tensor x = tensor({0, 1, 100, -3, 1, 0}, {2, 3}, from), y = cast(x, to);
            CHECK(y.dtype() == to);
            const Values want = as_bool ? Values{0, 1, 1, 1, 1, 0} : Values{0, 1, 100, -3, 1, 0};
            CHECK(elements(y) == want);
            CHECK(elements(cast(x.view({3, 2}, {1, 3}, 0), to)) ==
                  Values{want[0], want[3], want[1], want[4], want[2], want[5]});
            CHECK(cast(zeros({0, 2}, from), to).shape() == Shape{0, 2});
            Tensor z = zeros({2, 3}, to);
            z.copy_from(x);
            CHECK(elements(z) == want);
            z.fill(1);
            CHECK(elements(z) == Values(6, 1));
            CHECK(z.at({0, 1}) == 1);
            CHECK(elements(full({2}, 1, to).clone()) == Values{1, 1});
        }
}

TEST_CASE("dtype: what an integer cannot hold is refused, and anything but 0 is true") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(
        cast(tensor({-0x1p31, 0x1p31 - 1}, Dtype::float64), Dtype::int32).to_vector<std::int32_t>() ==
        std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()});
    for (const double bad : {0x1p31, -0x1p31 - 1, 0.5, not_a_number, infinity})
        CHECK_THROWS_AS(cast(tensor({bad}, Dtype::float64), Dtype::int32), ValueError);
    CHECK_THROWS_WITH_AS(cast(tensor({1.5}), Dtype::int32), "1.5 is no int32", ValueError);
    const Tensor large = tensor(std::vector<std::int64_t>{std::int64_t{1} << 40}, {1});
    CHECK_THROWS_WITH_AS(cast(large, Dtype::int32), "1099511627776 is no int32", ValueError);
    CHECK_THROWS_WITH_AS(large.item<std::int32_t>(), "1099511627776 is no int32", ValueError);
    CHECK_THROWS_WITH_AS(cast(tensor({infinity}, Dtype::float16), Dtype::int64), "inf is no int64", ValueError);
    CHECK(cast(tensor({0, -0.0, 1e-45, not_a_number, -infinity, 0.5}), Dtype::boolean).to_vector<bool>() ==
          std::vector<bool>{false, false, true, true, true, true});
    CHECK(cast(large, Dtype::boolean).item<bool>());
}

TEST_CASE("dtype: float16 and bfloat16 are rounded once, from double too") {
    // Just above the middle of 1 and its neighbour: a float between them would be the middle.
    const double middle16 = 1 + 0x1p-11 + 0x1p-40, middle_brain = 1 + 0x1p-8 + 0x1p-40;
    CHECK(elements(tensor({middle16, 0x1p-25, 65519, 65520, -1e9}, Dtype::float16)) ==
          Values{1 + 0x1p-10, 0, 65504, std::numeric_limits<double>::infinity(),
                 -std::numeric_limits<double>::infinity()});
    CHECK(elements(tensor({middle_brain, 1 + 0x1p-8, 3e38}, Dtype::bfloat16)) ==
          Values{1 + 0x1p-7, 1, std::ldexp(0xe2, 120)});
    CHECK(std::isnan(tensor({not_a_number}, Dtype::float16).item()));
    CHECK(tensor(std::vector<Float16>{Float16(1.5f)}, {1}).to_vector<Float16>()[0].bits == 0x3e00);
    CHECK(elements(cast(tensor({0.1}, Dtype::float16), Dtype::bfloat16)) == Values{0.10009765625});
}
