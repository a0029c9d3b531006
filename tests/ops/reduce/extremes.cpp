#include <wengert/ops/reduce/extremes.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

namespace {

/// What max and argmax, or min and argmin, should give of a row: the first of the extremes, and where it stands.
std::pair<double, double> first_extreme(const Values& row, double sign) {
    double best = row[0], position = 0;
    for (std::size_t i = 1; i < row.size(); ++i) {
        if (!(sign * row[i] > sign * best)) continue;
        best = row[i];
        position = static_cast<double>(i);
    }
    return {best, position};
}

}  // namespace

TEST_CASE("extremes: values and positions over every set of axes, whatever the operand's place in memory") {
    for (const Shape& shape : {Shape{2, 5, 3}, Shape{3, 1, 70}, Shape{2, 1, 3, 2}, Shape{20, 3}, Shape{}}) {
        for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
            for (int layout = 0; layout < layouts; ++layout) {
                const Tensor x = laid_out(shape, layout, 3, dtype, -4, 4);  // as int64 with many ties
                for (int set = 0; set < 1 << shape.rank(); ++set) {
                    CAPTURE(to_string(shape));
                    CAPTURE(to_string(dtype));
                    CAPTURE(layout);
                    CAPTURE(set);
                    const ReductionAxes axes = axes_of(set, shape.rank());
                    const auto [kept, reduced] = without(shape, set);
                    Values largest, smallest, at_largest, at_smallest;
                    for (const Values& row : rows_of(x, set)) {
                        const auto [high, high_at] = first_extreme(row, 1);
                        const auto [low, low_at] = first_extreme(row, -1);
                        largest.push_back(high);
                        at_largest.push_back(high_at);
                        smallest.push_back(low);
                        at_smallest.push_back(low_at);
                    }
                    CHECK(elements(argmax(x, axes)) == at_largest);
                    CHECK(elements(argmin(x, axes)) == at_smallest);
                    CHECK(argmax(x, axes).shape() == reduced);
                    CHECK(argmax(x, axes, true).shape() == kept);
                    CHECK(argmin(x, axes).dtype() == Dtype::int64);
                    if (dtype == Dtype::int64) continue;
                    CHECK(elements(max(x, axes)) == largest);
                    CHECK(elements(min(x, axes)) == smallest);
                    CHECK(max(x, axes).shape() == reduced);
                    CHECK(min(x, axes, true).shape() == kept);
                }
            }
        }
    }
}

TEST_CASE("extremes: the gradient goes to the first extreme of each row") {
    const Shape shape{2, 5, 3};
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor x = laid_out(shape, layout, 3);
        for (int set = 0; set < 8; ++set) {
            CAPTURE(layout);
            CAPTURE(set);
            const ReductionAxes axes = axes_of(set, 3);
            const Tensor ct = sample_values(without(shape, set).second, 1, 2, 4);
            const auto check = [&](const auto& f, double sign) {
                const Tensor g = gradients([&](const auto& in) { return f(in[0], axes); }, {x}, ct)[0];
                const std::vector<Values> rows = rows_of(x, set), slopes = rows_of(g, set);
                for (std::size_t row = 0; row < rows.size(); ++row)
                    for (std::size_t i = 0; i < rows[row].size(); ++i)
                        CHECK(
                            slopes[row][i] ==
                            (static_cast<double>(i) == first_extreme(rows[row], sign).second ? elements(ct)[row] : 0));
            };
            check([](const Tensor& t, const ReductionAxes& a) { return max(t, a); }, 1);
            check([](const Tensor& t, const ReductionAxes& a) { return min(t, a); }, -1);
        }
    }
}

TEST_CASE("extremes: of all elements by default, at a flat position") {
    const Tensor x = tensor({1, 7, -3, 7, 2, -3}, {2, 3}, Dtype::float64);
    CHECK(max(x).item() == 7);
    CHECK(min(x).item() == -3);
    CHECK(argmax(x).item<std::int64_t>() == 1);
    CHECK(argmin(x).item<std::int64_t>() == 2);
    CHECK(argmax(transpose(x)).item<std::int64_t>() == 1);  // the 7 of the second row, in the transposed order
    CHECK(argmax(x, all_axes, true).shape() == Shape{1, 1});
    CHECK(argmax(x, {}).shape() == Shape{2, 3});
}

TEST_CASE("extremes: of equal elements the first is the largest, and gets the gradient") {
    const Tensor x = tensor({1, 3, 3, 2, 3}, Dtype::float64);
    CHECK(argmax(x, 0).item<std::int64_t>() == 1);
    CHECK(elements(gradients([](const auto& in) { return max(in[0], 0); }, {x}, scalar(5, Dtype::float64))[0]) ==
          Values{0, 5, 0, 0, 0});
    CHECK(argmax(tensor({-infinity, -infinity}), 0).item<std::int64_t>() == 0);
    CHECK(argmin(tensor({infinity, infinity}), 0).item<std::int64_t>() == 0);
}

TEST_CASE("extremes: of equal elements amax and amin share the gradient") {
    const Tensor x = tensor({1, 3, 3, 2, 3, 1}, Dtype::float64), one = scalar(6, Dtype::float64);
    CHECK(amax(x).item() == 3);
    CHECK(amin(x).item() == 1);
    CHECK(elements(gradients([](const auto& in) { return amax(in[0]); }, {x}, one)[0]) == Values{0, 2, 2, 0, 2, 0});
    CHECK(elements(gradients([](const auto& in) { return amin(in[0]); }, {x}, one)[0]) == Values{3, 0, 0, 0, 0, 3});
    const Tensor spoilt = tensor({1, not_a_number, not_a_number}, Dtype::float64);
    CHECK(elements(gradients([](const auto& in) { return amax(in[0]); }, {spoilt}, one)[0]) == Values{0, 6, 0});
    check_refused<ShapeError>("amax: axis 0 of [0] has length 0", [&] { amax(ones({0})); });
}

TEST_CASE("extremes: the first NaN is both the largest and the smallest") {
    const Tensor x = tensor({1, not_a_number, 3, not_a_number, infinity}, Dtype::float64);
    for (const Tensor& value : {max(x, 0), min(x, 0), max(x)}) CHECK(std::isnan(value.item()));
    CHECK(argmax(x, 0).item<std::int64_t>() == 1);
    CHECK(argmin(x, 0).item<std::int64_t>() == 1);
    CHECK(argmax(tensor({not_a_number, 3}), 0).item<std::int64_t>() == 0);
    for (const std::int64_t at : {0, 1, 63, 64, 65, 130, 199}) {
        Tensor rows = cast(arange(400), Dtype::float32).clone();
        rows.mutable_data<float>()[200 + at] = static_cast<float>(not_a_number);
        CHECK(elements(argmax(reshape(rows, {2, 200}), 1)) == Values{199, static_cast<double>(at)});
        CHECK(elements(argmin(reshape(rows, {2, 200}), 1)) == Values{0, static_cast<double>(at)});
    }
}

TEST_CASE("extremes: of long rows, wherever the extreme or the NaN stands") {
    constexpr std::int64_t n = 5003;
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64})
        for (const std::int64_t place : {0, 1, 17, 2047, 2048, 4095, 4999, 5002}) {
            CAPTURE(to_string(dtype));
            CAPTURE(place);
            Values row(n, 2);
            const auto at = static_cast<std::size_t>(place);
            row[at] = 3;
            row.back() = std::max(row.back(), 3.0);  // a later one as large
            CHECK(argmax(cast(tensor(row, {n}), dtype)).item<std::int64_t>() == place);
            row[at] = -3;
            CHECK(argmin(cast(tensor(row, {1, n}), dtype), 1).item<std::int64_t>() == place);
            if (dtype == Dtype::int64) continue;
            CHECK(min(cast(tensor(row, {n}), dtype)).item() == -3);
            row[at] = row.back() = not_a_number;
            CHECK(argmax(cast(tensor(row, {n}), dtype)).item<std::int64_t>() == place);
            CHECK(argmin(cast(tensor(row, {n}), dtype)).item<std::int64_t>() == place);
            CHECK(std::isnan(max(cast(tensor(row, {n}), dtype)).item()));
            CHECK(std::isnan(amin(cast(tensor(row, {1, n}), dtype), 1).item()));
        }
}

TEST_CASE("extremes: a cotangent that is not finite stays in its place") {
    const Tensor x = tensor({1, 3, 2, 5, 4, 4}, {2, 3}, Dtype::float64);
    const Tensor ct = tensor({infinity, 2}, Dtype::float64);
    CHECK(elements(gradients([](const auto& in) { return max(in[0], 1); }, {x}, ct)[0]) ==
          Values{0, infinity, 0, 2, 0, 0});
    Tape tape;  // the recorded pass, too
    const Tensor y = tensor({1, 2}, Dtype::float64);
    tape.watch(y);
    CHECK(elements(tape.gradient(max(y), y, {.create_graph = true, .cotangent = scalar(infinity, Dtype::float64)})) ==
          Values{0, infinity});
}

TEST_CASE("extremes: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 0});
    check_refused<ShapeError>("max: axis 1 of [2, 0] has length 0", [&] { max(x, 1); });
    check_refused<ShapeError>("min: axis 1 of [2, 0] has length 0", [&] { min(x); });
    check_refused<ShapeError>("argmax: axis -1 of [2, 0] has length 0", [&] { argmax(x, {0, -1}); });
    check_refused<ShapeError>("max: axis 0 does not exist in a tensor of 0 axes", [&] { max(scalar(1), 0); });
    check_refused<ShapeError>("argmin: axis -2 to reduce is given twice", [&] { argmin(ones({2, 3}), {0, -2}); });
    check_refused<DtypeError>("max: operand 0 is float16, which is stored only: cast() it first",
                              [&] { max(ones({2}, Dtype::float16)); });
    check_refused<ValueError>("max: operand 0 is an undefined tensor", [&] { max(Tensor(), 0); });
    CHECK(max(ones({0, 3}), 1).shape() == Shape{0});
}
