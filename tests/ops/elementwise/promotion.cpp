#include <fmt/format.h>

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/elementwise/promotion.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/copies.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

TEST_CASE("promotion: the dtype of a result is PyTorch's") {
    // With axes or without, and the dtype; NumPy would say float64 for the sixth.
    struct Kind {
        Shape shape;
        Dtype dtype;
    };
    const Kind f32{{2}, Dtype::float32}, f64{{2}, Dtype::float64}, i64{{2}, Dtype::int64}, s32{{}, Dtype::float32},
        s64{{}, Dtype::float64}, si{{}, Dtype::int64}, i32{{2}, Dtype::int32}, b{{2}, Dtype::boolean},
        si32{{}, Dtype::int32}, sb{{}, Dtype::boolean};
    const struct {
        Kind x, y;
        Dtype result;
    } cases[] = {
        {f32, f32, Dtype::float32}, {f32, f64, Dtype::float64}, {f64, i64, Dtype::float64}, {f32, i64, Dtype::float32},
        {f64, s32, Dtype::float64}, {f32, s64, Dtype::float32}, {i64, s32, Dtype::float32}, {i64, s64, Dtype::float64},
        {s32, s64, Dtype::float64}, {f32, si, Dtype::float32},  {s32, si, Dtype::float32},  {f32, i32, Dtype::float32},
        {f64, b, Dtype::float64},   {i32, s32, Dtype::float32}, {b, s64, Dtype::float64},   {i32, i64, Dtype::int64},
        {i32, si, Dtype::int32},    {i32, b, Dtype::int32},     {b, i64, Dtype::int64},     {b, si32, Dtype::int32},
        {si32, si, Dtype::int64},   {i32, sb, Dtype::int32},    {i64, si32, Dtype::int64},  {sb, si32, Dtype::int32}};
    for (const auto& [x, y, result] : cases) {
        const Tensor a = cast(full(x.shape, 3), x.dtype), b = cast(full(y.shape, 2), y.dtype);
        CAPTURE(to_string(a));
        CAPTURE(to_string(b));
        CHECK((a + b).dtype() == result);
        CHECK((b * a).dtype() == result);
        CHECK((a > b).dtype() == Dtype::boolean);
        CHECK(where(a > b, a, b).dtype() == result);
        CHECK((a / b).dtype() == (is_integral(result) ? Dtype::float32 : result));
        CHECK(elements(a / b)[0] == elements(a)[0] / elements(b)[0]);
        if (is_integral(result)) continue;
        CHECK(map([](auto x, auto y) { return x * y; }, a, b).dtype() == result);
        CHECK(map_sum([](auto x, auto y) { return x * y; }, all_axes, a, b).dtype() == result);
    }
    CHECK((ones({3}) + 2 - arange(3)).dtype() == Dtype::float32);
    CHECK((scalar(2.0) * ones({3}, Dtype::float64)).dtype() == Dtype::float64);
}

TEST_CASE("promotion: a number decides only if it is of a later kind than all tensors") {
    const struct {
        Dtype of, with_bool, with_whole, with_float;
    } cases[] = {{Dtype::boolean, Dtype::boolean, Dtype::int64, Dtype::float32},
                 {Dtype::int32, Dtype::int32, Dtype::int32, Dtype::float32},
                 {Dtype::int64, Dtype::int64, Dtype::int64, Dtype::float32},
                 {Dtype::float32, Dtype::float32, Dtype::float32, Dtype::float32},
                 {Dtype::float64, Dtype::float64, Dtype::float64, Dtype::float64}};
    for (const auto& [dtype, with_bool, with_whole, with_float] : cases) {
        const Tensor x = ones({2}, dtype);
        CAPTURE(to_string(dtype));
        CHECK((x + true).dtype() == with_bool);
        CHECK((1 + x).dtype() == with_whole);
        CHECK((x + std::uint8_t{1}).dtype() == with_whole);
        CHECK((x * 0.5f).dtype() == with_float);
        CHECK((x * std::numeric_limits<std::uint64_t>::max()).dtype() == with_float);  // no int64 is so large
    }
    CHECK(where(tensor({true, false}), 1, 0).dtype() == Dtype::int64);
    CHECK(where(tensor({true, false}), 1, 0.5).dtype() == Dtype::float32);
    CHECK(where(tensor({true, false}), true, false).dtype() == Dtype::boolean);
    CHECK(where(arange(2), arange(2, Dtype::int32), 7).dtype() == Dtype::int32);
    for (const Dtype stored : {Dtype::float16, Dtype::bfloat16}) {
        const std::string text =
            fmt::format(": an operand is {}, which is stored only: cast() it first", to_string(stored));
        check_refused<DtypeError>("mul" + text, [&] { ones({2}) * ones({2}, stored); });
        check_refused<DtypeError>("less" + text, [&] { static_cast<void>(ones({2}, stored) < 1); });
        check_refused<DtypeError>("map" + text, [&] { map([](auto x) { return x + 1.0; }, ones({2}, stored)); });
    }
}

TEST_CASE("promotion: each operand's derivative has its own dtype") {
    const Tensor x = tensor({1, 2, 3}), y = tensor({4, 5, 6}, Dtype::float64);
    const std::vector<Tensor> slopes =
        gradients([](const auto& in) { return in[0] * in[1] * arange(3); }, {x, y}, ones({3}, Dtype::float64));
    CHECK(slopes[0].dtype() == Dtype::float32);
    CHECK(elements(slopes[0]) == Values{0, 5, 12});
    CHECK(slopes[1].dtype() == Dtype::float64);
    CHECK(elements(slopes[1]) == Values{0, 2, 6});
    for (const int order : {1, 2}) {
        const GradcheckResult result =
            gradcheck([](const auto& in) { return in[0] * in[0] * arange(3) + in[0] * ones({3}); },
                      {sample_values({3}, -1, 1, 1)}, {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("promotion: a condition only chooses") {
    const Tensor x = tensor({1, 2}), mask = tensor({1, 0}, Dtype::float64);
    CHECK(where(mask, x, 0).dtype() == Dtype::float32);
    CHECK(elements(where(ids({0, 7}), x, -x)) == Values{-1, 2});
    CHECK(where(x > 1, mask, x).dtype() == Dtype::float64);
    CHECK(where(mask, 1, 0).dtype() == Dtype::float64);
}

TEST_CASE("promotion: += and the others give a tensor another value, and leave the old one alone") {
    Tensor x = tensor({1, 2});
    const Tensor old = x;
    x += 1;
    x *= old;
    x -= tensor({0.5, 0.5});
    x /= 2;
    CHECK(elements(x) == Values{0.75, 2.75});
    CHECK(elements(old) == Values{1, 2});
    const Tensor slope = gradients(
        [](const auto& in) {
            Tensor sum = in[0];
            for (int i = 0; i < 3; ++i) sum += in[0] * in[0];
            return sum;
        },
        {old}, ones({2}))[0];
    CHECK(elements(slope) == Values{7, 13});
    check_refused<ShapeError>("add: shapes do not broadcast: [2] and [3] (2 != 3)", [&] { x += ones({3}); });
}

TEST_CASE("promotion: convert is cast as an op") {
    const Tensor x = tensor({1.5, 2}), wide = convert(x, Dtype::float64);
    CHECK(wide.dtype() == Dtype::float64);
    CHECK(convert(x, Dtype::float32).same_as(x));
    CHECK(elements(convert(ids({3}), Dtype::float32)) == Values{3});
    const Tensor slope = gradients([](const auto& in) { return convert(in[0], Dtype::float64) * 0.1; }, {x},
                                   ones({2}, Dtype::float64))[0];
    CHECK(slope.dtype() == Dtype::float32);
    CHECK(elements(slope) == elements(full({2}, 0.1)));
    check_refused<DtypeError>("convert: float32 or float64 are differentiable, int64 is not: see cast()",
                              [&] { convert(x, Dtype::int64); });
}
