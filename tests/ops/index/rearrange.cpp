#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/reduce/reductions.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

const Tensor& counting() {
    static const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3}, Dtype::float64);
    return x;
}

void check(const Tensor& y, const Shape& shape, const Values& values) {
    CHECK(y.shape() == shape);
    CHECK(elements(y) == values);
}

}  // namespace

TEST_CASE("rearrange: every step-th element, from either end, as NumPy's slices") {
    const Tensor x = arange(6);
    check(slice(x, 0, {.step = 2}), {3}, {0, 2, 4});
    check(slice(x, 0, {.begin = 1, .step = 2}), {3}, {1, 3, 5});
    check(slice(x, 0, {.begin = 1, .end = -1, .step = 3}), {2}, {1, 4});
    check(slice(x, 0, {.step = -1}), {6}, {5, 4, 3, 2, 1, 0});
    check(slice(x, 0, {.begin = -2, .end = 0, .step = -2}), {2}, {4, 2});
    check(slice(x, 0, {.begin = 4}), {2}, {4, 5});
    check(slice(x, 0, {.begin = -100, .end = 100}), {6}, {0, 1, 2, 3, 4, 5});
    check(slice(x, 0, {.begin = 100, .end = -100, .step = -4}), {2}, {5, 1});
    check(slice(x, 0, {.begin = 4, .end = 2}), {0}, {});
    check(slice(x, 0, {.begin = 2, .end = 4, .step = -1}), {0}, {});
    check(slice(x, 0, {.begin = 3, .step = std::numeric_limits<std::int64_t>::max()}), {1}, {3});
    check(slice(x, 0, {.step = std::numeric_limits<std::int64_t>::min()}), {1}, {5});
    check(slice(zeros({2, 0}), 1, {.step = -1}), {2, 0}, {});
    check(slice(counting(), 1, {.step = 2}), {2, 2}, {1, 3, 4, 6});
    CHECK(slice(counting(), 1, {.step = 2}).shares_storage(counting()));
    // What the definition says: begin, begin + step, .. as long as the end is not reached.
    for (std::int64_t n = 0; n < 5; ++n)
        for (std::int64_t begin = 0; begin < n; ++begin)
            for (std::int64_t end = 0; end <= n; ++end)
                for (const std::int64_t step : {-3, -2, -1, 1, 2, 3}) {
                    Values want;
                    for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += step)
                        want.push_back(static_cast<double>(i));
                    check(slice(arange(n), 0, {begin, end, step}), {static_cast<std::int64_t>(want.size())}, want);
                }
}

TEST_CASE("rearrange: the coordinates of a grid") {
    const std::vector<Tensor> grid = meshgrid({arange(2), tensor({7, 8, 9})});
    check(grid.at(0), {2, 3}, {0, 0, 0, 1, 1, 1});
    check(grid.at(1), {2, 3}, {7, 8, 9, 7, 8, 9});
    CHECK(meshgrid({}).empty());
}

TEST_CASE("rearrange: flip and roll") {
    const Tensor& x = counting();
    check(flip(x), {2, 3}, {6, 5, 4, 3, 2, 1});
    check(flip(x, 1), {2, 3}, {3, 2, 1, 6, 5, 4});
    check(flip(x, {0}), {2, 3}, {4, 5, 6, 1, 2, 3});
    check(flip(transpose(x), -1), {3, 2}, {4, 1, 5, 2, 6, 3});
    check(flip(scalar(3)), {}, {3});
    check(flip(arange(3)), {3}, {2, 1, 0});
    check(roll(x, 1, 1), {2, 3}, {3, 1, 2, 6, 4, 5});
    check(roll(x, -4, 1), {2, 3}, {2, 3, 1, 5, 6, 4});
    check(roll(zeros({2, 0}), 1, 1), {2, 0}, {});
    check(roll(x, {1, -1}, {0, -1}), {2, 3}, {5, 6, 4, 2, 3, 1});
    check(roll(x, {1, 1}, {1, 1}), {2, 3}, {2, 3, 1, 5, 6, 4});
    check(roll(x, std::vector<std::int64_t>(), {}), {2, 3}, {1, 2, 3, 4, 5, 6});
}

TEST_CASE("rearrange: repetitions") {
    const Tensor& x = counting();
    check(repeat_interleave(x, 2, 1), {2, 6}, {1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6});
    check(tile(x, 2, 1), {2, 6}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    check(tile(x, 2, 0), {4, 3}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
    check(tile(x, 0, 0), {0, 3}, {});
    check(repeat_interleave(x, 0, 1), {2, 0}, {});
    check(repeat_interleave(x, tensor({2, 0, 1}, Dtype::int64), 1), {2, 3}, {1, 1, 3, 4, 4, 6});
    check(repeat_interleave(x, tensor({1, 2}, Dtype::int32), -2), {3, 3}, {1, 2, 3, 4, 5, 6, 4, 5, 6});
    check(repeat_interleave(x, tensor({0, 0}, Dtype::int64), 0), {0, 3}, {});
    check(repeat_interleave(zeros({0, 2}), arange(0), 0), {0, 2}, {});
    check(tile(x, {2, 1}), {4, 3}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
    check(tile(x, {2, 2}), {4, 6}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    check(tile(x, Shape{2}), {2, 6}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    check(tile(arange(2), {2, 1, 2}), {2, 1, 4}, {0, 1, 0, 1, 0, 1, 0, 1});
    check(tile(x, {1, 0}), {2, 0}, {});
    check(tile(scalar(3), {2}), {2}, {3, 3});
    check(tile(x, Shape{}), {2, 3}, {1, 2, 3, 4, 5, 6});
}

TEST_CASE("rearrange: every way to pad") {
    const Tensor& x = counting();
    check(pad(x, 1, 1, 2), {2, 6}, {0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0});
    check(pad(x, 0, 1, 0, {.value = 9}), {3, 3}, {9, 9, 9, 1, 2, 3, 4, 5, 6});
    check(pad(x, 1, 1, 2, {.mode = PadMode::edge}), {2, 6}, {1, 1, 2, 3, 3, 3, 4, 4, 5, 6, 6, 6});
    check(pad(x, 1, 2, 1, {.mode = PadMode::reflect}), {2, 6}, {3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5});
    check(pad(x, 1, 1, 2, {.mode = PadMode::circular}), {2, 6}, {3, 1, 2, 3, 1, 2, 6, 4, 5, 6, 4, 5});
    check(pad(zeros({0}), 0, 1, 1, {.value = 2}), {2}, {2, 2});
    check(pad(arange(2), 0, 0, 1), {3}, {0, 1, 0});
    check(pad(x, {{1, 0}, {0, 2}}), {3, 5}, {0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0});
    check(pad(x, {{}, {1, 0}}, {.value = 9}), {2, 4}, {9, 1, 2, 3, 9, 4, 5, 6});
    check(pad(x, {{1, 1}, {1, 1}}, {.mode = PadMode::reflect}), {4, 5},
          {5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 2, 1, 2, 3, 2});
    check(pad(x, {{0, 1}, {1, 0}}, {.mode = PadMode::circular}), {3, 4}, {3, 1, 2, 3, 6, 4, 5, 6, 3, 1, 2, 3});
    check(pad(scalar(3), {}), {}, {3});
    check(pad(zeros({0}), 0, 0, 0, {.mode = PadMode::edge}), {0}, {});
}

TEST_CASE("rearrange: triangles and diagonals") {
    const Tensor& x = counting();
    check(tril(x), {2, 3}, {1, 0, 0, 4, 5, 0});
    check(tril(x, 1), {2, 3}, {1, 2, 0, 4, 5, 6});
    check(triu(x), {2, 3}, {1, 2, 3, 0, 5, 6});
    check(triu(x, -1), {2, 3}, {1, 2, 3, 4, 5, 6});
    check(triu(full({2, 2}, not_a_number), 2), {2, 2}, {0, 0, 0, 0});
    check(diagonal(x), {2}, {1, 5});
    check(diagonal(transpose(x)), {2}, {1, 5});
    check(diagonal(reshape(arange(8), {2, 2, 2})), {2, 2}, {0, 3, 4, 7});
    check(diag_embed(tensor({1, 2})), {2, 2}, {1, 0, 0, 2});
    check(diag_embed(x), {2, 3, 3}, {1, 0, 0, 0, 2, 0, 0, 0, 3, 4, 0, 0, 0, 5, 0, 0, 0, 6});
}

TEST_CASE("rearrange: every diagonal of every two axes") {
    const Tensor x = reshape(arange(3 * 2 * 4), {3, 2, 4});
    for (int a = 0; a < 3; ++a)
        for (int b = 0; b < 3; ++b)
            for (const std::int64_t k : {-5, -4, -2, -1, 0, 1, 2, 3, 4, 7}) {
                if (a == b) continue;
                CAPTURE(a);
                CAPTURE(b);
                CAPTURE(k);
                const int other = 3 - a - b;
                const std::int64_t first = std::max<std::int64_t>(0, -k), m = x.dim(a), n = x.dim(b);
                Values want;
                std::int64_t length = 0;
                for (std::int64_t o = 0; o < x.dim(other); ++o) {
                    length = 0;
                    for (std::int64_t i = first; i < m && i + k < n; ++i, ++length) {
                        Shape at{0, 0, 0};
                        at[other] = o;
                        at[a] = i;
                        at[b] = i + k;
                        want.push_back(element(x, at));
                    }
                }
                const Tensor y = diagonal(x, k, a, b - 3);
                check(y, {x.dim(other), length}, want);
                if (length == 0) continue;
                // The reverse, and nothing beside the diagonal.
                const Tensor whole = diag_embed(y, k, a, b);
                CHECK(whole.dim(a) == length + std::abs(k));
                CHECK(whole.dim(b) == length + std::abs(k));
                check(diagonal(whole, k, a, b), {x.dim(other), length}, want);
                CHECK(sum(whole).item<std::int64_t>() == sum(y).item<std::int64_t>());
            }
    constexpr auto most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
    check(diagonal(counting(), most), {0}, {});
    check(diagonal(counting(), least), {0}, {});
    check(diag_embed(tensor({1, 2}), 1), {3, 3}, {0, 1, 0, 0, 0, 2, 0, 0, 0});
    check(diag_embed(tensor({1, 2}), -1), {3, 3}, {0, 0, 0, 1, 0, 0, 0, 2, 0});
    check(diag_embed(zeros({0}), 1), {1, 1}, {0});
    check(diag_embed(tensor({1, 2}), 0, 1, 0), {2, 2}, {1, 0, 0, 2});
    check(diag_embed(tensor({1, 2}), 1, 1, 0), {3, 3}, {0, 0, 0, 1, 0, 0, 0, 2, 0});
}

TEST_CASE("rearrange: axes moved, joined and taken apart") {
    const Tensor x = reshape(arange(24), {2, 3, 4});
    CHECK(movedim(x, 0, -1).shape() == Shape{3, 4, 2});
    CHECK(movedim(x, -1, 0).shape() == Shape{4, 2, 3});
    CHECK(element(movedim(x, 2, 0), {3, 1, 2}) == element(x, {1, 2, 3}));
    CHECK(flatten(x).shape() == Shape{24});
    CHECK(flatten(x, 1).shape() == Shape{2, 12});
    CHECK(flatten(x, 0, 1).shape() == Shape{6, 4});
    CHECK(flatten(scalar(1)).shape() == Shape{1});
    const std::vector<Tensor> parts = split(counting(), {1, 0, 2}, 1);
    REQUIRE(parts.size() == 3);
    check(parts[0], {2, 1}, {1, 4});
    check(parts[1], {2, 0}, {});
    check(parts[2], {2, 2}, {2, 3, 5, 6});
    const std::vector<Tensor> pairs = split(counting(), 2, 1);
    REQUIRE(pairs.size() == 2);
    check(pairs[0], {2, 2}, {1, 2, 4, 5});
    check(pairs[1], {2, 1}, {3, 6});
    CHECK(pairs[1].shares_storage(counting()));
    CHECK(split(counting(), 1, 0).size() == 2);
    CHECK(split(counting(), 9, 1).size() == 1);
    CHECK(split(counting(), {3}, 1).size() == 1);
    CHECK(split(zeros({2, 0}), 3, 1).at(0).shape() == Shape{2, 0});
    const std::vector<Tensor> rows = unbind(counting(), 0);
    REQUIRE(rows.size() == 2);
    check(rows[1], {3}, {4, 5, 6});
}

TEST_CASE("rearrange: what does not fit is refused with the caller's line") {
    const Tensor& x = counting();
    check_refused<ShapeError>("flip: axis 2 does not exist in a tensor of 2 axes", [&] { flip(x, 2); });
    check_refused<ShapeError>("roll: axis 2 does not exist in a tensor of 2 axes", [&] { roll(x, 1, 2); });
    check_refused<ValueError>("tile: n is -1, less than 0", [&] { tile(x, -1, 0); });
    check_refused<ValueError>("repeat_interleave: n is -1, less than 0", [&] { repeat_interleave(x, -1, 0); });
    check_refused<ValueError>("pad: before is -1, less than 0", [&] { pad(x, 0, -1, 0); });
    check_refused<ValueError>("pad: 2 and 0 are more than an axis of length 2 has for this mode: 1",
                              [&] { pad(x, 0, 2, 0, {.mode = PadMode::reflect}); });
    check_refused<ValueError>("tile: the axis would be longer than a number can say",
                              [&] { tile(x, std::numeric_limits<std::int64_t>::max(), 0); });
    check_refused<ValueError>("roll: there are 2 shifts for 1 axes", [&] { roll(x, {1, 2}, std::vector<int>{0}); });
    check_refused<ShapeError>("roll: axis 2 does not exist in a tensor of 2 axes", [&] { roll(x, {1, 2}, {0, 2}); });
    check_refused<ShapeError>("repeat_interleave: counts [3] are not one for each slice of axis 0 of [2, 3]",
                              [&] { repeat_interleave(x, arange(3), 0); });
    check_refused<DtypeError>("repeat_interleave: counts must be int64 or int32, not float32",
                              [&] { repeat_interleave(x, ones({2}), 0); });
    check_refused<ValueError>("repeat_interleave: a count is -1, less than 0", [&] {
        repeat_interleave(x, tensor({1, -1}, Dtype::int64), 0);
    });
    check_refused<ValueError>("repeat_interleave: the axis would be longer than a number can say",
                              [&] { repeat_interleave(x, full({2}, 5e18, Dtype::int64), 0); });
    check_refused<ValueError>("repeat_interleave: operand 1 is an undefined tensor",
                              [&] { repeat_interleave(x, Tensor(), 0); });
    check_refused<ValueError>("tile: n is -1, less than 0", [&] { tile(x, {1, -1}); });
    check_refused<ShapeError>("pad: widths of 1 axes were given for [2, 3]", [&] {
        pad(x, std::vector<PadWidths>{{1, 1}});
    });
    check_refused<ValueError>("split: a length of 0 parts nothing", [&] { split(x, 0, 1); });
    check_refused<ShapeError>("diagonal: [3] is no matrix", [&] { diagonal(ones({3}), 1); });
    check_refused<ShapeError>("diagonal: axis 1 has both rows and columns", [&] { diagonal(x, 0, 1, -1); });
    check_refused<ShapeError>("diagonal: axis 2 does not exist in a tensor of 2 axes", [&] { diagonal(x, 0, 2, 0); });
    check_refused<ShapeError>("diag_embed: axis -2 has both rows and columns", [&] { diag_embed(x, 0, -2, 1); });
    check_refused<ValueError>("diag_embed: the axis would be longer than a number can say",
                              [&] { diag_embed(x, std::numeric_limits<std::int64_t>::min()); });
    check_refused<ShapeError>("tril: [3] is no matrix", [&] { tril(ones({3})); });
    check_refused<ShapeError>("diag_embed: [] is no row of a diagonal", [&] { diag_embed(scalar(1)); });
    check_refused<ShapeError>("flatten: axis 1 is behind axis 0", [&] { flatten(x, 1, 0); });
    check_refused<ShapeError>("split: the lengths do not add up to axis 1 of [2, 3]", [&] { split(x, {1, 1}, 1); });
    check_refused<ValueError>("slice: a step of 0 goes nowhere", [&] { slice(x, 0, {.step = 0}); });
    check_refused<ShapeError>("slice: axis 2 does not exist in a tensor of 2 axes", [&] { slice(x, 2, {.step = -1}); });
    check_refused<ShapeError>("meshgrid: [2, 3] is not one axis", [&] { meshgrid({x}); });
    check_refused<ValueError>("meshgrid: operand 1 is an undefined tensor", [&] { meshgrid({arange(2), Tensor()}); });
    check_refused<ShapeError>("meshgrid: a tensor has at most 6 axes",
                              [&] { meshgrid(std::vector<Tensor>(7, arange(1))); });
    check_refused<ValueError>("flip: operand 0 is an undefined tensor", [&] { flip(Tensor()); });
}

TEST_CASE("rearrange: integers and bools stay what they are") {
    for (const Dtype dtype : {Dtype::int64, Dtype::int32, Dtype::boolean}) {
        const Tensor x = cast(tensor({1, 0, 1, 1}, {2, 2}), dtype);
        for (const Tensor& y : {tril(x), flip(x, 0), pad(x, 0, 1, 0), diag_embed(x), roll(x, 1, 1), diagonal(x)})
            CHECK(y.dtype() == dtype);
        CHECK(elements(tril(x)) == Values{1, 0, 1, 1});
        CHECK(elements(triu(x, 1)) == Values{0, 0, 0, 0});
        CHECK(elements(flip(x, 0)) == Values{1, 1, 1, 0});
        CHECK(elements(diag_embed(diagonal(x))) == Values{1, 0, 0, 1});
    }
}
