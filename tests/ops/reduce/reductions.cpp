#include "ops/brute_force.hpp"

#include <wengert/ops/reduce/reductions.hpp>

using namespace brute_force;

namespace {

/// The shape with the axes of a set of length 1, and without them.
std::pair<Shape, Shape> without(const Shape& shape, int set) {
    Shape kept = shape, reduced;
    for (int axis = 0; axis < shape.rank(); ++axis) {
        if (set >> axis & 1)
            kept[axis] = 1;
        else
            reduced.push_back(shape[axis]);
    }
    return {kept, reduced};
}

ReductionAxes axes_of(int set, int rank) {
    ReductionAxes axes;
    for (int axis = rank - 1; axis >= 0; --axis)
        if (set >> axis & 1) axes.add(axis % 2 == 0 ? axis - rank : axis);
    return axes;
}

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

TEST_CASE("reductions: max and argmax along every axis") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
        for (int layout = 0; layout < layouts; ++layout) {
            const Shape shape{2, 5, 3};
            const Tensor x = laid_out(shape, layout, 3, dtype, -4, 4);  // as int64 with many ties
            for (int axis = -3; axis < 3; ++axis) {
                CAPTURE(to_string(dtype));
                CAPTURE(layout);
                CAPTURE(axis);
                const int at = normalize_axis(axis, 3);
                Shape rows = shape, reduced = shape;
                rows[at] = 1;
                reduced.erase(at);
                Values largest, positions;
                for_each_index(rows, [&](Shape index) {
                    double best = -infinity, position = -1;
                    for (index[at] = 0; index[at] < shape[at]; ++index[at]) {
                        if (element(x, index) <= best) continue;
                        best = element(x, index);
                        position = static_cast<double>(index[at]);
                    }
                    largest.push_back(best);
                    positions.push_back(position);
                });
                CHECK(elements(argmax(x, axis)) == positions);
                CHECK(argmax(x, axis).shape() == reduced);
                CHECK(argmax(x, axis, true).shape() == rows);
                CHECK(argmax(x, axis).dtype() == Dtype::int64);
                if (dtype == Dtype::int64) continue;
                CHECK(elements(max(x, axis)) == largest);
                CHECK(max(x, axis).shape() == reduced);
                CHECK(max(x, axis, true).shape() == rows);
                const Tensor ct = cast(sample_values(reduced, 1, 2, 4), dtype);
                const Tensor g = gradients([axis](const auto& in) { return max(in[0], axis); }, {x}, ct)[0];
                const Values cts = elements(ct);
                std::size_t row = 0;
                for_each_index(rows, [&](Shape index) {
                    for (index[at] = 0; index[at] < shape[at]; ++index[at])
                        CHECK(element(g, index) == (static_cast<double>(index[at]) == positions[row] ? cts[row] : 0));
                    ++row;
                });
            }
        }
    }
}

TEST_CASE("reductions: of equal elements the first is the largest, and gets the gradient") {
    const Tensor x = tensor({1, 3, 3, 2, 3}, Dtype::float64);
    CHECK(argmax(x, 0).item<std::int64_t>() == 1);
    CHECK(elements(gradients([](const auto& in) { return max(in[0], 0); }, {x}, scalar(5, Dtype::float64))[0]) ==
          Values{0, 5, 0, 0, 0});
    CHECK(argmax(tensor({-infinity, -infinity}), 0).item<std::int64_t>() == 0);
}

TEST_CASE("reductions: the first NaN is the largest") {
    const Tensor x = tensor({1, not_a_number, 3, not_a_number, infinity}, Dtype::float64);
    CHECK(std::isnan(max(x, 0).item()));
    CHECK(argmax(x, 0).item<std::int64_t>() == 1);
    CHECK(argmax(tensor({not_a_number, 3}), 0).item<std::int64_t>() == 0);
    for (const std::int64_t at : {0, 1, 63, 64, 65, 130, 199}) {
        Tensor rows = cast(arange(400), Dtype::float32).clone();
        rows.mutable_data<float>()[200 + at] = static_cast<float>(not_a_number);
        CHECK(elements(argmax(reshape(rows, {2, 200}), 1)) == Values{199, static_cast<double>(at)});
    }
    CHECK(std::isnan(sum(x).item()));
    CHECK(std::isnan(mean(x).item()));
}

TEST_CASE("reductions: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 0});
    check_refused<ShapeError>("max: axis 1 of [2, 0] has length 0", [&] { max(x, 1); });
    check_refused<ShapeError>("argmax: axis -1 of [2, 0] has length 0", [&] { argmax(x, -1); });
    check_refused<ShapeError>("sum: axis 2 does not exist in a tensor of 2 axes", [&] { sum(x, {0, 2}); });
    check_refused<ShapeError>("sum: axis -3 does not exist in a tensor of 2 axes", [&] { mean(x, -3); });
    check_refused<ShapeError>("max: axis 0 does not exist in a tensor of 0 axes", [&] { max(scalar(1), 0); });
    check_refused<DtypeError>("max: int64 is not supported; float32 or float64 is needed", [&] { max(arange(3), 0); });
    CHECK_THROWS_WITH_AS((ReductionAxes{0, 1, 2, 3, 4, 5, 0}), "more axes to reduce than a tensor can have",
                         ShapeError);
}
