#include <algorithm>
#include <numeric>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/index/sorting.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

TEST_CASE("sorting: along every axis, of any dtype; equal elements keep their order") {
    for (const Shape& shape : {Shape{2, 5, 3}, Shape{3, 1, 70}, Shape{2, 0, 3}})
        for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64})
            for (int axis = 0; axis < 3; ++axis)
                for (const bool descending : {false, true}) {
                    CAPTURE(to_string(shape));
                    CAPTURE(to_string(dtype));
                    CAPTURE(axis);
                    CAPTURE(descending);
                    const Tensor x = laid_out(shape, axis % layouts, 3, dtype, -4, 4);  // as int64 with many ties
                    const Tensor places = argsort(x, axis - 3, descending), y = sort(x, axis, descending);
                    CHECK(places.dtype() == Dtype::int64);
                    CHECK(y.dtype() == dtype);
                    CHECK(y.shape() == shape);
                    const std::vector<Values> rows = rows_of(x, 1 << axis), order = rows_of(places, 1 << axis),
                                              sorted = rows_of(y, 1 << axis);
                    for (std::size_t row = 0; row < rows.size(); ++row) {
                        std::vector<std::pair<double, double>> want;
                        for (std::size_t i = 0; i < rows[row].size(); ++i)
                            want.emplace_back(descending ? -rows[row][i] : rows[row][i], i);
                        std::ranges::sort(want);
                        for (std::size_t i = 0; i < want.size(); ++i) {
                            CHECK(order[row][i] == want[i].second);
                            CHECK(sorted[row][i] == rows[row][static_cast<std::size_t>(want[i].second)]);
                        }
                    }
                }
}

TEST_CASE("sorting: NaN is the largest") {
    const Tensor x = tensor({not_a_number, 2, infinity, -infinity, not_a_number});
    CHECK(elements(argsort(x)) == Values{3, 1, 2, 0, 4});
    CHECK(elements(argsort(x, 0, true)) == Values{0, 4, 2, 1, 3});
    CHECK(std::isnan(median(x).item()));
}

TEST_CASE("sorting: the largest and the smallest, and where they stand") {
    const Tensor x = tensor({3, 1, 2, 9, 7, 8}, {2, 3});
    const TopK two = topk(x, 2), one = topk(x, 1, 0, false);
    CHECK(elements(two.values) == Values{3, 2, 9, 8});
    CHECK(elements(two.indices) == Values{0, 2, 0, 2});
    CHECK(elements(one.values) == Values{3, 1, 2});
    CHECK(topk(x, 0).values.shape() == Shape{2, 0});
}

TEST_CASE("sorting: the largest and the smallest so far, and where the first such stands") {
    for (int layout = 0; layout < layouts; ++layout)
        for (int axis = 0; axis < 3; ++axis) {
            const Tensor x = laid_out({3, 5, 4}, layout, 3, Dtype::int64, -3, 3);  // with many ties
            const TopK high = cummax(x, axis - 3), low = cummin(x, axis);
            const std::vector<Values> rows = rows_of(x, 1 << axis), highs = rows_of(high.values, 1 << axis),
                                      high_places = rows_of(high.indices, 1 << axis),
                                      lows = rows_of(low.values, 1 << axis),
                                      low_places = rows_of(low.indices, 1 << axis);
            for (std::size_t row = 0; row < rows.size(); ++row)
                for (std::size_t i = 0; i < rows[row].size(); ++i) {
                    const auto first = rows[row].begin(), end = first + static_cast<std::ptrdiff_t>(i) + 1;
                    const auto most = std::max_element(first, end), least = std::min_element(first, end);
                    CHECK(highs[row][i] == *most);
                    CHECK(high_places[row][i] == static_cast<double>(most - first));
                    CHECK(lows[row][i] == *least);
                    CHECK(low_places[row][i] == static_cast<double>(least - first));
                }
        }
    const TopK broken = cummax(tensor({1, not_a_number, 3, not_a_number}), 0);
    CHECK(elements(broken.indices) == Values{0, 1, 1, 1});
    CHECK(cummax(zeros({2, 0}), 1).values.shape() == Shape{2, 0});
}

TEST_CASE("sorting: where values go in sorted rows") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64})
        for (const bool right : {false, true}) {
            const Tensor sorted = sort(laid_out({3, 7}, 1, 3, dtype, -4, 4)), one = select(sorted, 0, 1);
            const Tensor values = laid_out({3, 5}, 2, 4, dtype, -5, 5);
            const Tensor by_row = searchsorted(sorted, values, right), by_one = searchsorted(one, values, right);
            CHECK(by_row.dtype() == Dtype::int64);
            for_each_index({3, 5}, [&](const Shape& at) {
                std::int64_t in_row = 0, in_one = 0;
                for (std::int64_t i = 0; i < 7; ++i) {
                    const double v = element(values, at), a = element(sorted, {at[0], i}), b = element(one, {i});
                    in_row += right ? a <= v : a < v;
                    in_one += right ? b <= v : b < v;
                }
                CHECK(element(by_row, at) == in_row);
                CHECK(element(by_one, at) == in_one);
            });
        }
    CHECK(elements(searchsorted(tensor({1, 2, not_a_number}), tensor({not_a_number, 3}))) == Values{2, 2});
    CHECK(elements(searchsorted(zeros({0}), tensor({1, 2}))) == Values{0, 0});
    CHECK(searchsorted(zeros({2, 3}), zeros({2, 0})).shape() == Shape{2, 0});
    CHECK(searchsorted(zeros({3}), scalar(1)).item<std::int64_t>() == 3);
}

TEST_CASE("sorting: quantiles lie on a line between the two nearest elements") {
    const Tensor x = tensor({4, 1, 3, 2}, Dtype::float64);
    CHECK(quantile(x, 0).item() == 1);
    CHECK(quantile(x, 1).item() == 4);
    CHECK(quantile(x, 0.25).item() == 1.75);
    CHECK(median(x).item() == 2.5);
    CHECK(median(tensor({5, 1, 3})).item() == 3);
    CHECK(median(tensor({1, 2, infinity})).item() == 2);
    CHECK(median(tensor({-infinity, -infinity, 1})).item() == -infinity);
    CHECK(median(tensor({infinity, infinity, 1, 2})).item() == infinity);
    CHECK(quantile(tensor({1, infinity}), 0).item() == 1);
    CHECK(quantile(tensor({-infinity, 1, infinity}), 0.25).item() == -infinity);
    CHECK(quantile(tensor({-infinity, 1, infinity}), 0.6).item() == infinity);
    CHECK(std::isnan(median(tensor({-infinity, infinity})).item()));
    CHECK(median(ones({2, 3}), 0).shape() == Shape{3});
    CHECK(quantile(ones({2, 3}), 0.3, 1, true).shape() == Shape{2, 1});
}

TEST_CASE("sorting: quantiles over any axes, by default over all") {
    CHECK(median(tensor({6, 1, 2, 5, 4, 3}, {2, 3})).shape() == Shape{});
    CHECK(median(tensor({6, 1, 2, 5, 4, 3}, {2, 3})).item() == 3.5);
    CHECK(median(scalar(7)).item() == 7);
    CHECK(quantile(scalar(7), 0.9, all_axes, true).shape() == Shape{});
    CHECK(quantile(ones({2, 3}), 0.3, all_axes, true).shape() == Shape{1, 1});
    CHECK(elements(median(ones({2, 3}), ReductionAxes())) == Values(6, 1));
    CHECK(median(zeros({0, 3}), 1).shape() == Shape{0});
    for (int layout = 0; layout < layouts; ++layout)
        for (int set = 1; set < 8; ++set)
            for (const bool keepdim : {false, true}) {
                CAPTURE(set);
                const Tensor x = laid_out({2, 3, 4}, layout, 5);
                const ReductionAxes axes = axes_of(set, 3);
                Values want;
                for (Values row : rows_of(x, set)) {
                    std::ranges::sort(row);
                    const double place = 0.3 * static_cast<double>(row.size() - 1);
                    const auto below = static_cast<std::size_t>(place);
                    const double share = place - static_cast<double>(below);
                    want.push_back(row[below] + share * (row[std::min(below + 1, row.size() - 1)] - row[below]));
                }
                const Tensor y = quantile(x, 0.3, axes, keepdim);
                CHECK(y.shape() == (keepdim ? without(x.shape(), set).first : without(x.shape(), set).second));
                check_close(y, want, 4, 1);
            }
}

TEST_CASE("sorting: equal elements share the derivative of a quantile between them as others do") {
    const auto slopes = [](std::initializer_list<double> values, double q) {
        Tape tape;
        const Tensor x = tensor(values, Dtype::float64);
        tape.watch(x);
        return elements(tape.gradient(quantile(x, q), x));
    };
    CHECK(slopes({1, 1}, 0.5) == Values{0.5, 0.5});
    CHECK(slopes({1, 1}, 0.25) == Values{0.75, 0.25});
    CHECK(slopes({1, 2}, 0.25) == Values{0.75, 0.25});
    CHECK(slopes({1, 1, 1}, 0.5) == Values{0, 1, 0});
    CHECK(quantile(tensor({-1e308, 1e308}, Dtype::float64), 0.25).item() == -0.5e308);
    const GradcheckResult mean_of_two =
        gradcheck([](const auto& in) { return median(in[0]); }, {tensor({1, 1}, Dtype::float64)}, {.order = 2});
    CHECK_MESSAGE(mean_of_two.passed, mean_of_two.message);
}

TEST_CASE("sorting: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 3});
    check_refused<ShapeError>("argsort: axis 2 does not exist in a tensor of 2 axes", [&] { argsort(x, 2); });
    check_refused<ShapeError>("sort: axis 2 does not exist in a tensor of 2 axes", [&] { sort(x, 2); });
    check_refused<ValueError>("topk: k is 4, outside [0, 3]", [&] { topk(x, 4); });
    check_refused<ValueError>("quantile: q is 1.5, outside [0, 1]", [&] { quantile(x, 1.5); });
    check_refused<ShapeError>("median: axis 0 of [0] has length 0", [&] { median(zeros({0})); });
    check_refused<ShapeError>("quantile: axis -1 of [2, 0] has length 0", [&] { quantile(zeros({2, 0}), 0.5, -1); });
    check_refused<ShapeError>("median: axis 2 does not exist in a tensor of 2 axes", [&] { median(x, 2); });
    check_refused<ShapeError>("median: axis 1 to reduce is given twice", [&] { median(x, {-1, 1}); });
    check_refused<ValueError>("sort: operand 0 is an undefined tensor", [&] { sort(Tensor()); });
    check_refused<ShapeError>("cummax: axis 2 does not exist in a tensor of 2 axes", [&] { cummax(ones({2, 3}), 2); });
    check_refused<ShapeError>("searchsorted: values [3, 2] are not for the rows of [2, 4]", [&] {
        searchsorted(ones({2, 4}), ones({3, 2}));
    });
    check_refused<ShapeError>("searchsorted: values [] are not for the rows of [2, 4]", [&] {
        searchsorted(ones({2, 4}), scalar(1));
    });
    check_refused<ShapeError>("searchsorted: values [2] are not for the rows of []",
                              [&] { searchsorted(scalar(1), ones({2})); });
    check_refused<DtypeError>("searchsorted: values are int64, but the rows float32",
                              [&] { searchsorted(ones({2}), arange(2)); });
}
