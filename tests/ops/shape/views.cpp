#include "ops/brute_force.hpp"

#include <random>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/copies.hpp>

using namespace brute_force;

namespace {

Tensor counting(const Shape& shape) { return reshape(arange(shape.numel(), Dtype::float64), shape); }
Values counted(std::initializer_list<double> values) { return values; }

}  // namespace

TEST_CASE("views: they show the same elements") {
    const Tensor x = counting({2, 3, 4});
    CHECK(elements(select(select(x, 0, 1), 0, -1)) == counted({20, 21, 22, 23}));
    CHECK(elements(slice(select(x, 0, 0), 1, 1, -1)) == counted({1, 2, 5, 6, 9, 10}));
    CHECK(elements(select(transpose(x), 1, 0)) == counted({0, 4, 8, 12, 16, 20}));
    CHECK(transpose(x, 0, 2).shape() == Shape{4, 3, 2});
    CHECK(elements(permute(slice(x, 2, 0, 1), {2, 1, 0})) == counted({0, 12, 4, 16, 8, 20}));
    CHECK(elements(expand(slice(select(x, 0, 0), 1, 3, 4), {2, 3, 2})) ==
          counted({3, 3, 7, 7, 11, 11, 3, 3, 7, 7, 11, 11}));
    CHECK(unsqueeze(x, -1).shape() == Shape{2, 3, 4, 1});
    CHECK(unsqueeze(x, 0).shape() == Shape{1, 2, 3, 4});
    CHECK(squeeze(slice(x, 1, 2, 3), -2).shape() == Shape{2, 4});
    CHECK(squeeze(reshape(x, {1, 2, 1, 12, 1})).shape() == Shape{2, 12});
    CHECK(squeeze(x).shape() == x.shape());
    CHECK(squeeze(ones({1, 1})).shape() == Shape{});
    CHECK(squeeze(ones({1, 0})).shape() == Shape{0});
    CHECK(squeeze(reshape(x, {1, 24})).shares_storage(x));
    for (const Shape& order : {Shape{-1, 0, 1}, Shape{2, -3, -2}, Shape{-1, -3, 1}}) {
        CHECK(permute(x, order).shape() == Shape{4, 2, 3});
        CHECK(elements(permute(x, order)) == elements(permute(x, {2, 0, 1})));
    }
    const auto [a, b] = chunk<2>(x);
    CHECK(elements(select(b, 0, 0)) == counted({2, 3, 6, 7, 10, 11}));
    CHECK(chunk(x, 3, 1)[2].shape() == Shape{2, 1, 4});
    for (const Tensor& view : {reshape(x, {6, 4}), transpose(x), expand(x, {5, 2, 3, 4}), slice(x, 1, 1, 1),
                               select(x, 2, 3), unsqueeze(x, 1), a, reshape(slice(x, 2, 1, 3), {6, 2}),
                               reshape(transpose(x), {2, 2, 2, 3}), unsqueeze(transpose(x), 0)})
        CHECK(view.shares_storage(x));
    Tensor written = counting({2, 3});
    const Tensor column = select(written, 1, 0);
    written.mutable_data<double>()[3] = 50;
    CHECK(elements(column) == counted({0, 50}));
}

TEST_CASE("views: chunks of an axis that does not divide are those of PyTorch") {
    const auto lengths = [](std::int64_t axis, int n) {
        std::vector<std::int64_t> result;
        Values all;
        for (const Tensor& part : chunk(arange(axis), n, 0)) {
            result.push_back(part.dim(0));
            const Values values = elements(part);
            all.insert(all.end(), values.begin(), values.end());
        }
        CHECK(all == elements(arange(axis)));
        return result;
    };
    using Lengths = std::vector<std::int64_t>;
    CHECK(lengths(5, 4) == Lengths{2, 2, 1});
    CHECK(lengths(5, 2) == Lengths{3, 2});
    CHECK(lengths(10, 4) == Lengths{3, 3, 3, 1});
    CHECK(lengths(3, 5) == Lengths{1, 1, 1});
    CHECK(lengths(6, 3) == Lengths{2, 2, 2});
    CHECK(lengths(4, 1) == Lengths{4});
    CHECK(lengths(0, 3) == Lengths{0, 0, 0});
    const auto [first, second] = chunk<2>(arange(5));
    CHECK(elements(first) == Values{0, 1, 2});
    CHECK(elements(second) == Values{3, 4});
}

TEST_CASE("views: a copy is made only where no strides would do, and is not of the caller's making") {
    const Tensor x = counting({3, 4});
    CHECK_FALSE(reshape(transpose(x), {12}).shares_storage(x));
    CHECK(elements(reshape(transpose(x), {12})) == counted({0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
    CHECK(contiguous(x).same_as(x));
    CHECK_FALSE(contiguous(transpose(x)).shares_storage(x));
    CHECK(contiguous(transpose(x)).is_contiguous());
    CHECK(expand(x, {3, 4}).same_as(x));
}

TEST_CASE("views: x[i] is a view of the first axis, from either end, and gradients pass") {
    const Tensor x = counting({3, 2});
    CHECK(elements(x[1]) == counted({2, 3}));
    CHECK(elements(x[-1][0]) == counted({4}));
    CHECK(x[0].shares_storage(x));
    Tape tape;
    tape.watch(x);
    CHECK(elements(tape.gradient(x[2][1] * 3, x)) == counted({0, 0, 0, 0, 0, 3}));
    check_refused<ShapeError>("select: position 3 is outside axis 0 of [3, 2]", [&] { x[3]; });
    check_refused<ShapeError>("select: position 9223372036854775807 is outside axis 0 of [3, 2]",
                              [&] { x[std::size_t{0} - 1]; });
    static_assert(!std::is_assignable_v<decltype(x[0]), Tensor>, "x[0] = y would change nothing");
    check_refused<ShapeError>("select: axis 0 does not exist in a tensor of 0 axes", [&] { x[0][0][0]; });
}

TEST_CASE("views: reshape keeps the row-major order, for any strides and any shape") {
    std::mt19937 random(3);
    const auto pick = [&](std::size_t n) { return random() % n; };
    const std::vector<Shape> of_24{{24},       {2, 12},      {12, 2},   {4, 6},          {2, 3, 4},
                                   {1, 24, 1}, {2, 2, 2, 3}, {3, 1, 8}, {2, 1, 3, 2, 2}, {6, 2, 2}};
    int views = 0;
    for (int round = 0; round < 2000; ++round) {
        Tensor x = laid_out(of_24[pick(of_24.size())], static_cast<int>(pick(layouts)), 1);
        if (x.rank() >= 2 && pick(2) == 0)
            x = transpose(x, static_cast<int>(pick(static_cast<std::size_t>(x.rank()))), 0);
        if (pick(4) == 0 && x.rank() < 6) {
            Shape stretched{2};
            for (const auto d : x.shape()) stretched.push_back(d);
            x = select(expand(x, stretched), 0, 1);
        }
        const Shape to = of_24[pick(of_24.size())];
        CAPTURE(to_string(x.shape()));
        CAPTURE(to_string(x.strides()));
        CAPTURE(to_string(to));
        const Tensor y = reshape(x, to);
        CHECK(y.shape() == to);
        CHECK(elements(y) == elements(x));
        views += y.shares_storage(x);
    }
    CHECK(views > 500);
    CHECK(views < 1900);
}

TEST_CASE("views: reshape infers one length") {
    const Tensor x = zeros({3, 4});
    CHECK(reshape(x, {-1}).shape() == Shape{12});
    CHECK(reshape(x, {2, -1, 3}).shape() == Shape{2, 2, 3});
    CHECK(reshape(zeros({0, 4}), {-1}).shape() == Shape{0});
    CHECK(reshape(zeros({0, 4}), {-1, 2}).shape() == Shape{0, 2});
    CHECK(reshape(scalar(1), {-1}).shape() == Shape{1});
    CHECK(reshape(scalar(1), {1, 1}).shape() == Shape{1, 1});
    CHECK(reshape(zeros({1}), {}).shape() == Shape{});
    const auto refused = [](const Tensor& t, const Shape& to, const std::string& text) {
        check_refused<ShapeError>("reshape: " + text, [&] { reshape(t, to); });
    };
    refused(x, {5}, "[3, 4] has 12 elements and cannot become [5]");
    refused(x, {-1, 5}, "[3, 4] has 12 elements and cannot become [-1, 5]");
    refused(x, {-1, -1}, "[-1, -1] leaves more than one length open");
    refused(x, {-3, -4}, "[3, 4] has 12 elements and cannot become [-3, -4]");
    // Their product is 0 modulo 2^64.
    refused(x, {-(std::int64_t{1} << 62), 4},
            "a tensor [-4611686018427387904, 4] has more elements than can be counted");
    refused(x, {-1, 0}, "[3, 4] has 12 elements and cannot become [-1, 0]");
    refused(x, {}, "[3, 4] has 12 elements and cannot become []");
    refused(zeros({0, 4}), {0, -1}, "[0, 4] has 0 elements and cannot become [0, -1]");
    refused(transpose(x), {7}, "[4, 3] has 12 elements and cannot become [7]");
}

TEST_CASE("views: gradients of views of views, in whatever order they are used") {
    struct Case {
        std::string name;
        Tensor (*f)(const std::vector<Tensor>&);
    };
    const std::vector<Case> cases{
        {"transposed back and flattened",
         [](const auto& in) {
             const Tensor back = transpose(transpose(in[0]));
             return sum(reshape(back, {-1}) * 2) + sum(back * back * back);
         }},
        {"flattened, then part of a wider tensor",
         [](const auto& in) {
             const Tensor y = in[0] * 2, flat = reshape(y, {12}), wide = concat({y, in[0]}, 1);
             return sum(flat * flat) + sum(wide * wide * wide);
         }},
        {"slices of slices",
         [](const auto& in) {
             const Tensor rows = slice(in[0], 0, 1, 3), part = slice(rows, 1, 0, 2);
             return sum(part * part) + sum(rows * rows * rows) + sum(in[0]);
         }},
        {"a stretched slice",
         [](const auto& in) {
             return expand(slice(in[0], 1, 1, 2), {2, 4, 3}) * in[0].shape()[0];
         }},
        {"the same row four times",
         [](const auto& in) {
             Tensor total = select(in[0], 0, 0);
             for (int t = 0; t < 3; ++t) total = total * select(in[0], 0, 0) + select(in[0], 0, t);
             return total;
         }},
        {"chunks in reverse",
         [](const auto& in) {
             const auto [a, b, c] = chunk<3>(in[0]);
             return c * b + a;
         }},
    };
    const Tensor x = sample_values({4, 3}, -1, 1, 1);
    for (const Case& c : cases) {
        CAPTURE(c.name);
        const GradcheckResult result = gradcheck(c.f, {x}, {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("views: a leaf that is itself a view") {
    const Tensor x = transpose(counting({4, 3}));
    const auto f = [](const std::vector<Tensor>& in) {
        const Tensor back = transpose(in[0]), flat = reshape(back, {12});
        return sum(flat * flat) + sum(back * back * back);
    };
    const Tensor g = gradients(f, {x}, scalar(1, Dtype::float64))[0];
    CHECK(g.shape() == Shape{3, 4});
    for_each_index({3, 4}, [&](const Shape& i) {
        const double v = element(x, i);
        CHECK(element(g, i) == 2 * v + 3 * v * v);
    });
}

TEST_CASE("views: windows along every axis, and their sums where they came from") {
    const Shape shape{3, 7, 4};
    for (int layout = 0; layout < layouts; ++layout)
        for (int axis = 0; axis < 3; ++axis)
            for (const std::int64_t size : {1, 2, 3})
                for (const std::int64_t step : {1, 2, 5}) {
                    CAPTURE(layout);
                    CAPTURE(axis);
                    CAPTURE(size);
                    CAPTURE(step);
                    const Tensor x = laid_out(shape, layout, 3), y = unfold(x, axis - 3, size, step);
                    CHECK(y.shares_storage(x));
                    REQUIRE(y.rank() == 4);
                    CHECK(y.dim(-1) == size);
                    std::int64_t windows = 0;
                    while (windows * step + size <= shape[axis]) ++windows;
                    CHECK(y.dim(axis) == windows);
                    const auto place = [&](Shape at) {
                        at[axis] = at[axis] * step + at[3];
                        at.erase(3);
                        return at;
                    };
                    for_each_index(y.shape(), [&](const Shape& at) { CHECK(element(y, at) == element(x, place(at))); });
                    const Tensor values = sample_values(y.shape(), -1, 1, 5);
                    Tensor sums = zeros(shape, Dtype::float64);
                    for_each_index(y.shape(), [&](const Shape& at) {
                        const Shape to = place(at);
                        sums.mutable_data<double>()[(to[0] * shape[1] + to[1]) * shape[2] + to[2]] +=
                            element(values, at);
                    });
                    check_close(overlap_add(values, axis, shape[axis], step), elements(sums), 4, 1);
                }
    check_close(overlap_add(ones({3, 2}), 0, 4, 1), {1, 2, 2, 1}, 0);
}

TEST_CASE("views: what does not fit is refused with the caller's line") {
    const Tensor x = zeros({2, 3});
    check_refused<ShapeError>("transpose: axis 2 does not exist in a tensor of 2 axes", [&] { transpose(x, 0, 2); });
    check_refused<ShapeError>("transpose: axis -2 does not exist in a tensor of 1 axes", [&] { transpose(ones({3})); });
    check_refused<ShapeError>("permute: [0, 0] is no order of the axes of [2, 3]", [&] { permute(x, {0, 0}); });
    check_refused<ShapeError>("permute: [0] is no order of the axes of [2, 3]", [&] { permute(x, {0}); });
    check_refused<ShapeError>("permute: [1, 1] is no order of the axes of [2, 3]", [&] { permute(x, {1, -1}); });
    check_refused<ShapeError>("permute: [0, -3] is no order of the axes of [2, 3]", [&] { permute(x, {0, -3}); });
    check_refused<ShapeError>("expand: [2, 3] does not stretch to [2, 4]", [&] { expand(x, {2, 4}); });
    check_refused<ShapeError>("expand: [2, 3] does not stretch to [3]", [&] { expand(x, {3}); });
    check_refused<ShapeError>("expand: [2, 3] does not stretch to [2, 1]", [&] { expand(x, {2, 1}); });
    check_refused<ShapeError>("expand: [1] does not stretch to [-2]", [&] { expand(ones({1}), {-2}); });
    check_refused<ShapeError>("slice: [2, 4) is outside axis 1 of [2, 3]", [&] { slice(x, 1, 2, 4); });
    check_refused<ShapeError>("slice: [2, 1) is outside axis 1 of [2, 3]", [&] { slice(x, 1, 2, 1); });
    check_refused<ShapeError>("slice: [-1, 2) is outside axis 0 of [2, 3]", [&] { slice(x, 0, -3, 2); });
    check_refused<ShapeError>("slice: axis 5 does not exist in a tensor of 2 axes", [&] { slice(x, 5, 0, 1); });
    check_refused<ShapeError>("select: position 2 is outside axis 0 of [2, 3]", [&] { select(x, 0, 2); });
    check_refused<ShapeError>("select: position -1 is outside axis 0 of [2, 3]", [&] { select(x, 0, -3); });
    check_refused<ShapeError>("select: axis 0 does not exist in a tensor of 0 axes", [&] { select(scalar(1), 0, 0); });
    check_refused<ShapeError>("unsqueeze: axis 4 does not exist in a result of 3 axes", [&] { unsqueeze(x, 4); });
    check_refused<ShapeError>("unsqueeze: a tensor has at most 6 axes", [&] {
        unsqueeze(zeros({1, 1, 1, 1, 1, 1}), 0);
    });
    check_refused<ShapeError>("squeeze: axis 0 of [2, 3] has length 2, not 1", [&] { squeeze(x, 0); });
    check_refused<ShapeError>("squeeze: axis 2 does not exist in a tensor of 2 axes", [&] { squeeze(x, 2); });
    check_refused<ShapeError>("chunk: axis -1 of [2, 3] has only 3 parts, not 4", [&] { chunk<4>(x); });
    check_refused<ValueError>("chunk: n is 0, less than 1", [&] { chunk(x, 0, 1); });
    check_refused<ShapeError>("unfold: axis 2 does not exist in a tensor of 2 axes", [&] { unfold(x, 2, 1, 1); });
    check_refused<ShapeError>("unfold: a window of 4 is longer than axis 1 of [2, 3]", [&] { unfold(x, 1, 4, 1); });
    check_refused<ValueError>("unfold: a window of 0 and a step of 1 are no lengths", [&] { unfold(x, 1, 0, 1); });
    check_refused<ValueError>("unfold: a window of 1 and a step of -1 are no lengths", [&] { unfold(x, 1, 1, -1); });
    check_refused<ShapeError>("unfold: a tensor has at most 6 axes", [&] {
        unfold(zeros({1, 1, 1, 1, 1, 1}), 0, 1, 1);
    });
}

TEST_CASE("views: an undefined tensor is refused in the name of what was called") {
    const Tensor none;
    const auto refused = [](const std::string& name) { return name + ": operand 0 is an undefined tensor"; };
    check_refused<ValueError>(refused("reshape"), [&] { reshape(none, {1}); });
    check_refused<ValueError>(refused("permute"), [&] { permute(none, {0}); });
    check_refused<ValueError>(refused("transpose"), [&] { transpose(none); });
    check_refused<ValueError>(refused("expand"), [&] { expand(none, {1}); });
    check_refused<ValueError>(refused("slice"), [&] { slice(none, 0, 0, 1); });
    check_refused<ValueError>(refused("select"), [&] { select(none, 0, 0); });
    check_refused<ValueError>(refused("unsqueeze"), [&] { unsqueeze(none, 0); });
    check_refused<ValueError>(refused("squeeze"), [&] { squeeze(none, 0); });
    check_refused<ValueError>(refused("squeeze"), [&] { squeeze(none); });
    check_refused<ValueError>(refused("chunk"), [&] { chunk(none, 1, 0); });
    check_refused<ValueError>(refused("contiguous"), [&] { contiguous(none); });
    check_refused<ValueError>(refused("unfold"), [&] { unfold(none, 0, 1, 1); });
    check_refused<ValueError>(refused("overlap_add"), [&] { overlap_add(none, 0, 1, 1); });
    check_refused<ValueError>(refused("put_slice"), [&] { put_slice(none, {2}, 0, 0, 1); });
}

TEST_CASE("views: a view of a leaf can be taken again after a pass has released it") {
    Tensor w = tensor({1, 2, 3}, {3, 1});
    w.set_parameter();
    Tape tape;
    for (int pass = 0; pass < 2; ++pass) {
        const Tensor gradient = tape.gradient(sum(expand(w, {3, 4})), w);
        CHECK(gradient.to_vector<double>() == std::vector<double>{4, 4, 4});
    }
}
