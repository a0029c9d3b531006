#include "ops/brute_force.hpp"

using namespace brute_force;

TEST_CASE("concat: parts one after another, along every axis") {
    for (int axis = -3; axis < 3; ++axis) {
        for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
            const int at = normalize_axis(axis, 3);
            std::vector<Tensor> parts;
            Shape whole{2, 3, 4};
            whole[at] = 0;
            for (int k = 0; k < 4; ++k) {
                Shape shape{2, 3, 4};
                shape[at] = k;
                whole[at] += k;
                parts.push_back(laid_out(shape, k, static_cast<std::uint64_t>(k), dtype, -9, 9));
            }
            const Tensor y = concat(parts, axis);
            REQUIRE(y.shape() == whole);
            CHECK(y.dtype() == dtype);
            for_each_index(whole, [&](const Shape& i) {
                Shape own = i;
                std::size_t k = 0;
                while (own[at] >= parts[k].shape()[at]) own[at] -= parts[k++].shape()[at];
                CHECK(element(y, i) == element(parts[k], own));
            });
        }
    }
    CHECK(elements(concat({ones({2})}, 0)) == Values{1, 1});
}

TEST_CASE("stack: parts side by side, along every axis") {
    for (int axis = -3; axis < 3; ++axis) {
        const int at = normalize_axis(axis, 3);
        std::vector<Tensor> parts;
        for (int k = 0; k < 4; ++k) parts.push_back(laid_out({2, 3}, k, static_cast<std::uint64_t>(k)));
        const Tensor y = stack(parts, axis);
        CHECK(y.shape()[at] == 4);
        for_each_index(y.shape(), [&](const Shape& i) {
            Shape own = i;
            own.erase(at);
            CHECK(element(y, i) == element(parts[static_cast<std::size_t>(i[at])], own));
        });
    }
    CHECK(stack({scalar(1), scalar(2)}, 0).shape() == Shape{2});
}

TEST_CASE("concat: each part gets its share of the cotangent, also a part that occurs twice or is used elsewhere") {
    const Tensor a = tensor({1, 2}, {1, 2}, Dtype::float64), b = tensor({3, 4, 5, 6}, {2, 2}, Dtype::float64);
    const Tensor ct = tensor({1, 2, 3, 4, 5, 6, 7, 8}, {4, 2}, Dtype::float64);
    const auto g = gradients([](const auto& in) { return concat({in[0], in[1], in[0]}, 0); }, {a, b}, ct);
    CHECK(elements(g[0]) == Values{8, 10});
    CHECK(elements(g[1]) == Values{3, 4, 5, 6});
    const auto h = gradients(
        [](const auto& in) {
            return concat({in[1] * 3, in[0], in[0] + in[0]}, 0) * 2;
        },
        {a, b}, ct);
    CHECK(elements(h[0]) == Values{2 * (5 + 14), 2 * (6 + 16)});
    CHECK(elements(h[1]) == Values{6, 12, 18, 24});
    const auto s = gradients(
        [](const auto& in) {
            return stack({in[0], in[0], in[1]}, 2);
        },
        {b, b * 2}, tensor({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 2, 3}, Dtype::float64));
    CHECK(elements(s[0]) == Values{3, 9, 15, 21});
    CHECK(elements(s[1]) == Values{3, 6, 9, 12});
    const auto behind_a_constant = gradients(
        [&](const auto& in) {
            return concat({ones({1, 2}, Dtype::float64), in[0]}, 0);
        },
        {b}, slice(ct, 0, 0, 3));
    CHECK(elements(behind_a_constant[0]) == Values{3, 4, 5, 6});
}

TEST_CASE("concat: what does not fit is refused with the caller's line") {
    const Tensor a = zeros({2, 3});
    check_refused<ValueError>("concat: there are no parts", [&] { concat({}, 0); });
    check_refused<ValueError>("stack: there are no parts", [&] { stack({}, 0); });
    check_refused<ShapeError>("concat: part 1 is [2, 4] and does not continue part 0 [2, 3] along axis 0", [&] {
        concat({a, zeros({2, 4})}, 0);
    });
    check_refused<ShapeError>("concat: part 1 is [2] and does not continue part 0 [2, 3] along axis 1", [&] {
        concat({a, zeros({2})}, 1);
    });
    check_refused<ShapeError>("concat: axis 2 does not exist in a tensor of 2 axes", [&] { concat({a, a}, 2); });
    check_refused<ShapeError>("concat: axis 0 does not exist in a tensor of 0 axes", [&] { concat({scalar(1)}, 0); });
    check_refused<ValueError>("concat: part 1 is an undefined tensor", [&] { concat({a, Tensor()}, 0); });
    check_refused<ShapeError>("stack: part 1 is [3, 2], part 0 is [2, 3]", [&] { stack({a, zeros({3, 2})}, 0); });
    check_refused<ShapeError>("stack: axis 3 does not exist in a result of 3 axes", [&] { stack({a, a}, 3); });
    check_refused<DtypeError>("concat: an operand is float16, which is stored only: cast() it first", [&] {
        concat({a, cast(a, Dtype::float16)}, 0);
    });
}

TEST_CASE("concat: parts of different dtypes become those of one, as operands of an operator") {
    const Tensor flag = tensor({1, 0}) > 0.5, few = tensor({7, 8}, Dtype::int32), many = arange(2),
                 narrow = tensor({0.1, 0.2}), wide = tensor({0.3, 0.4}, Dtype::float64);
    const std::vector<Tensor> parts{flag, few, many, narrow, wide};
    for (std::size_t i = 0; i < parts.size(); ++i)
        for (std::size_t j = 0; j < parts.size(); ++j) {
            const Tensor &x = parts[i], &y = parts[j];
            const Dtype last = parts[std::max(i, j)].dtype();
            for (const auto& [joined, whole] : {std::pair{concat({x, y}, 0), Shape{4}}, {stack({x, y}, 0), {2, 2}}}) {
                CHECK(joined.dtype() == last);
                CHECK(joined.shape() == whole);
                Values want = elements(cast(x, last));
                for (const double v : elements(cast(y, last))) want.push_back(v);
                CHECK(elements(joined) == want);
            }
        }
    CHECK(concat(parts, 0).dtype() == Dtype::float64);
    // Each part's derivative has its own dtype.
    const Tensor ct = tensor({1, 2, 3, 4, 5, 6}, Dtype::float64);
    const auto slopes = gradients([&](const auto& in) { return concat({in[0], many, in[1]}, 0); }, {narrow, wide}, ct);
    CHECK(slopes[0].dtype() == Dtype::float32);
    CHECK(elements(slopes[0]) == Values{1, 2});
    CHECK(slopes[1].dtype() == Dtype::float64);
    CHECK(elements(slopes[1]) == Values{5, 6});
    check_refused<ShapeError>("concat: part 1 is [2, 1] and does not continue part 0 [2] along axis 0", [&] {
        concat({many, ones({2, 1})}, 0);
    });
}
