#include "ops/brute_force.hpp"

#include <concepts>
#include <wengert/ops/reduce/reductions.hpp>

#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

namespace {

template <class Axes>
concept CanSumOver = requires(const Tensor& x, Axes axes) {
    sum(x, axes);
};

// sum(x, true) would be a sum over axis 1.
static_assert(CanSumOver<int> && CanSumOver<ReductionAxes> && !CanSumOver<bool> && !CanSumOver<const bool&>);
static_assert(std::convertible_to<int, ReductionAxes> && !std::convertible_to<bool, ReductionAxes>);

}  // namespace

TEST_CASE("reductions: sum and mean over every set of axes, whatever the operand's place in memory") {
    for (const Shape& shape : {Shape{2, 3, 4}, Shape{5, 1, 33}, Shape{2, 0, 3}, Shape{2, 1, 3, 2}, Shape{7}, Shape{}}) {
        for (int set = 0; set < 1 << shape.rank(); ++set) {
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(shape));
                CAPTURE(set);
                CAPTURE(layout);
                const Tensor x = laid_out(shape, layout, 1);
                const auto [kept, reduced] = without(shape, set);
                const ReductionAxes axes = axes_of(set, shape.rank());
                Values want(static_cast<std::size_t>(kept.numel()));
                const Shape strides = contiguous_strides(kept);
                for_each_index(shape, [&](const Shape& i) {
                    want[static_cast<std::size_t>(broadcast_offset(kept, strides, i))] += element(x, i);
                });
                CHECK(sum(x, axes).shape() == reduced);
                CHECK(sum(x, axes, true).shape() == kept);
                check_close(sum(x, axes), want, 16, 1);
                check_close(sum(x, axes, true), want, 16, 1);
                check_close(sum(cast(x, Dtype::float32), axes), want, 16, 1);
                Values means = want;
                const std::int64_t count = axes.count(shape);
                for (double& m : means) m /= static_cast<double>(count);
                check_close(mean(x, axes), means, 16, 1);
                CHECK(mean(x, axes, true).shape() == kept);
            }
        }
    }
    CHECK(sum(ones({2, 3})).shape() == Shape{});
    CHECK(sum(ones({2, 3}), all_axes, true).shape() == Shape{1, 1});
    CHECK(sum(zeros({0})).item() == 0);
    CHECK(std::isnan(mean(zeros({0})).item()));
}

TEST_CASE("reductions: gradients of sum and mean") {
    const Tensor x = laid_out({2, 3, 4}, 1, 1);
    const Tensor ct = tensor({1, 2, 3}, Dtype::float64);
    const auto by_sum = gradients([](const auto& in) { return sum(in[0], {0, -1}); }, {x}, ct);
    const auto by_mean = gradients([](const auto& in) { return mean(in[0], {0, -1}); }, {x}, ct);
    for_each_index({2, 3, 4}, [&](const Shape& i) {
        CHECK(element(by_sum[0], i) == static_cast<double>(i[1] + 1));
        CHECK(element(by_mean[0], i) == static_cast<double>(i[1] + 1) / 8);
    });
}

TEST_CASE("reductions: sums of rows and columns of every length") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const std::int64_t rows : {1, 7, 8, 9, 65, 130, 300})
            for (const std::int64_t n : {1, 3, 8, 15, 16, 17, 33}) {
                CAPTURE(rows);
                CAPTURE(n);
                const Tensor x = laid_out({rows, n}, 0, 1, dtype, 0, 1);
                Values of_rows(static_cast<std::size_t>(rows)), of_columns(static_cast<std::size_t>(n));
                for_each_index(x.shape(), [&](const Shape& i) {
                    of_rows[static_cast<std::size_t>(i[0])] += element(x, i);
                    of_columns[static_cast<std::size_t>(i[1])] += element(x, i);
                });
                check_close(sum(x, 1), of_rows, 8, 1);
                check_close(sum(x, 0), of_columns, 16, static_cast<double>(rows) / 4);
                check_close(sum(transpose(x), 0), of_rows, 8, 1);
            }
}

TEST_CASE("reductions: the gradient of a sum is memory of its own, in order") {
    const Tensor x = laid_out({3, 40}, 1, 1), ct = tensor({1, 2, 3}, Dtype::float64);
    const auto g = gradients([](const auto& in) { return sum(in[0], 1) + sum(in[1], 1); }, {x, ones({3, 40})}, ct);
    CHECK(g[0].is_contiguous());
    CHECK(!g[0].shares_storage(ct));
    for_each_index(x.shape(), [&](const Shape& i) { CHECK(element(g[0], i) == static_cast<double>(i[0] + 1)); });
    // Twice the same operand, and below another op.
    const auto twice = gradients([](const auto& in) { return sum(in[0] * 2.0, 1) + sum(in[0], 1); }, {x}, ct);
    for_each_index(x.shape(),
                   [&](const Shape& i) { CHECK(element(twice[0], i) == static_cast<double>(3 * i[0] + 3)); });
}

TEST_CASE("reductions: sum_to reverses broadcasting") {
    const Tensor x = laid_out({2, 3, 4}, 2, 1);
    for (const Shape& shape :
         {Shape{2, 3, 4}, Shape{3, 4}, Shape{4}, Shape{3, 1}, Shape{1, 1}, Shape{}, Shape{2, 1, 1}}) {
        Values want(static_cast<std::size_t>(shape.numel()));
        const Shape strides = contiguous_strides(shape);
        for_each_index({2, 3, 4}, [&](const Shape& i) {
            want[static_cast<std::size_t>(broadcast_offset(shape, strides, i))] += element(x, i);
        });
        const Tensor y = sum_to(x, shape);
        CHECK(y.shape() == shape);
        check_close(y, want, 16, 1);
    }
}

TEST_CASE("reductions: a NaN makes the sum and the mean NaN") {
    const Tensor x = tensor({1, not_a_number, 3, not_a_number, infinity}, Dtype::float64);
    CHECK(std::isnan(sum(x).item()));
    CHECK(std::isnan(mean(x).item()));
}

TEST_CASE("reductions: what does not fit is refused with the caller's line, in the name of what was called") {
    const Tensor x = ones({2, 0});
    check_refused<ShapeError>("sum: axis 2 does not exist in a tensor of 2 axes", [&] { sum(x, {0, 2}); });
    check_refused<ShapeError>("sum: axis 1 to reduce is given twice", [&] { sum(x, {-1, 1}); });
    check_refused<ShapeError>("mean: axis -3 does not exist in a tensor of 2 axes", [&] { mean(x, -3); });
    check_refused<DtypeError>("mean: the operand is int64; float32 or float64 is needed", [&] { mean(arange(3)); });
    check_refused<ValueError>("mean: operand 0 is an undefined tensor", [&] { mean(Tensor()); });
    check_refused<ShapeError>("sum_to: [3] does not stretch to [2, 0]", [&] { sum_to(x, {3}); });
    check_refused<ShapeError>("sum_to: [1, 2, 0] does not stretch to [2, 0]", [&] { sum_to(x, {1, 2, 0}); });
    check_refused<DtypeError>("sum: an operand is float16, which is stored only: cast() it first",
                              [&] { sum(ones({2}, Dtype::float16)); });
    Tensor weight = ones({2, 3});
    weight.set_parameter().set_name("w");
    check_refused<ShapeError>("mean: axis 2 does not exist in a tensor of 2 axes\n  in operand 0 = parameter \"w\"",
                              [&] { mean(weight, 2); });
    CHECK_THROWS_WITH_AS((ReductionAxes{0, 1, 2, 3, 4, 5, 0}), "more axes to reduce than a tensor can have",
                         ShapeError);
}
