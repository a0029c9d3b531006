#include "ops/brute_force.hpp"

#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>

#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

namespace {

struct Row {
    Values softmax, log_softmax;
    double log_sum;
};

Row of_row(const Values& x) {
    long double highest = -infinity, total = 0;
    for (const double v : x) highest = std::max(highest, static_cast<long double>(v));
    for (const double v : x) total += std::exp(v - highest);
    Row row{{}, {}, static_cast<double>(highest + std::log(total))};
    for (const double v : x) {
        row.softmax.push_back(static_cast<double>(std::exp(v - highest) / total));
        row.log_softmax.push_back(static_cast<double>(v - highest - std::log(total)));
    }
    return row;
}

}  // namespace

TEST_CASE("softmax: along every axis, whatever the operand's place in memory") {
    for (const Shape& shape : {Shape{3, 5, 4}, Shape{2, 1, 37}, Shape{40, 2}, Shape{1}, Shape{5, 0, 2}}) {
        for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
            for (int layout = 0; layout < layouts; ++layout) {
                for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
                    CAPTURE(to_string(shape));
                    CAPTURE(axis);
                    CAPTURE(layout);
                    const Tensor x = laid_out(shape, layout, 1, dtype, -5, 5);
                    const int at = normalize_axis(axis, shape.rank());
                    Shape rows = shape, reduced = shape;
                    rows[at] = 1;
                    reduced.erase(at);
                    const Tensor soft = softmax(x, axis), log_soft = log_softmax(x, axis), sums = logsumexp(x, axis);
                    CHECK(soft.shape() == shape);
                    CHECK(log_soft.shape() == shape);
                    CHECK(sums.shape() == reduced);
                    Values log_sums;
                    for_each_index(rows, [&](Shape index) {
                        Values row;
                        for (index[at] = 0; index[at] < shape[at]; ++index[at]) row.push_back(element(x, index));
                        const Row want = row.empty() ? Row{{}, {}, -infinity} : of_row(row);
                        log_sums.push_back(want.log_sum);
                        for (index[at] = 0; index[at] < shape[at]; ++index[at]) {
                            const auto i = static_cast<std::size_t>(index[at]);
                            // A difference of up to 10 is off by half of its last place: four of the result's.
                            CHECK(ulps(element(soft, index), want.softmax[i], dtype) <= 12);
                            CHECK(ulps(element(log_soft, index), want.log_softmax[i], dtype, 4) <= 4);
                        }
                    });
                    check_close(sums, log_sums, 4, 4);
                }
            }
        }
    }
}

TEST_CASE("softmax: over every set of axes at once") {
    for (const Shape& shape : {Shape{2, 3, 4}, Shape{2, 1, 3, 5}, Shape{}}) {
        for (int set = 0; set < 1 << shape.rank(); ++set) {
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(shape));
                CAPTURE(set);
                CAPTURE(layout);
                const Tensor x = laid_out(shape, layout, 1, Dtype::float64, -5, 5);
                const ReductionAxes axes = axes_of(set, shape.rank());
                const Tensor soft = softmax(x, axes), log_soft = log_softmax(x, axes);
                const std::vector<Values> rows = rows_of(x, set), soft_rows = rows_of(soft, set),
                                          log_rows = rows_of(log_soft, set);
                Values sums;
                for (std::size_t row = 0; row < rows.size(); ++row) {
                    const Row want = of_row(rows[row]);
                    sums.push_back(want.log_sum);
                    for (std::size_t i = 0; i < rows[row].size(); ++i) {
                        CHECK(ulps(soft_rows[row][i], want.softmax[i], Dtype::float64) <= 12);
                        CHECK(ulps(log_rows[row][i], want.log_softmax[i], Dtype::float64, 4) <= 4);
                    }
                }
                CHECK(soft.is_contiguous());
                check_close(logsumexp(x, axes), sums, 4, 4);
                CHECK(logsumexp(x, axes).shape() == without(shape, set).second);
                CHECK(logsumexp(x, axes, true).shape() == without(shape, set).first);
            }
        }
    }
}

TEST_CASE("softmax: gradients against the Jacobian") {
    const Values x{0.3, -1.2, 2, 0.5, -0.1}, ct{1, -2, 0.5, 3, 0.25};
    const Row row = of_row(x);
    Values by_softmax(5), by_log_softmax(5), by_sum(5);
    for (std::size_t j = 0; j < 5; ++j) {
        for (std::size_t i = 0; i < 5; ++i) {
            by_softmax[j] += ct[i] * row.softmax[i] * ((i == j) - row.softmax[j]);
            by_log_softmax[j] += ct[i] * ((i == j) - row.softmax[j]);
        }
        by_sum[j] = 7 * row.softmax[j];
    }
    const Tensor input = tensor(x, {5}), cotangent = tensor(ct, {5});
    check_close(gradients([](const auto& in) { return softmax(in[0]); }, {input}, cotangent)[0], by_softmax, 16, 1);
    check_close(gradients([](const auto& in) { return log_softmax(in[0]); }, {input}, cotangent)[0], by_log_softmax, 16,
                1);
    check_close(gradients([](const auto& in) { return logsumexp(in[0]); }, {input}, scalar(7, Dtype::float64))[0],
                by_sum, 16, 1);
}

TEST_CASE("softmax: large numbers neither overflow nor lose their digits") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = tensor({10000, 10000, -10000}, dtype);
        check_close(softmax(x), {0.5, 0.5, 0}, 1);
        check_close(log_softmax(x), {-std::log(2), -std::log(2), -20000 - std::log(2)}, 1);
        CHECK(logsumexp(x).item() == doctest::Approx(10000.693147));
        CHECK(elements(softmax(tensor({3e38, -3e38}, dtype))) == Values{1, 0});
    }
}

TEST_CASE("softmax: minus infinity weighs exactly nothing, also if nothing else is there") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        for (const std::int64_t n : {1, 3, 16, 37}) {
            CAPTURE(n);
            const Tensor none = full({2, n}, -infinity, dtype);
            const Values nothing(static_cast<std::size_t>(2 * n));
            CHECK(elements(softmax(none)) == nothing);
            CHECK(elements(logsumexp(none)) == Values{-infinity, -infinity});
            const auto g = gradients([](const auto& in) { return softmax(in[0]); }, {none}, ones({2, n}, dtype));
            CHECK(elements(g[0]) == nothing);
            const auto h = gradients([](const auto& in) { return logsumexp(in[0]); }, {none}, ones({2}, dtype));
            CHECK(elements(h[0]) == nothing);
        }
        const Tensor one = tensor({-infinity, 2, -infinity}, dtype);
        CHECK(elements(softmax(one)) == Values{0, 1, 0});
        CHECK(elements(log_softmax(one)) == Values{-infinity, 0, -infinity});
        CHECK(logsumexp(one).item() == 2);
    }
    CHECK(logsumexp(zeros({2, 0})).shape() == Shape{2});
    CHECK(elements(logsumexp(zeros({2, 0}))) == Values{-infinity, -infinity});
}

TEST_CASE("softmax: a NaN makes its row NaN, wherever it stands, and no other") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        for (const double others : {1.0, -infinity}) {
            for (std::int64_t place = 0; place < 37; ++place) {
                CAPTURE(place);
                CAPTURE(others);
                Tensor x = full({2, 37}, others, dtype);
                visit_floating(dtype, [&](auto type) {
                    x.mutable_data<decltype(type)>()[place] = static_cast<decltype(type)>(not_a_number);
                });
                const Values soft = elements(softmax(x)), log_soft = elements(log_softmax(x)),
                             sums = elements(logsumexp(x));
                for (std::size_t i = 0; i < 37; ++i) {
                    CHECK(std::isnan(soft[i]));
                    CHECK(std::isnan(log_soft[i]));
                    CHECK_FALSE(std::isnan(soft[37 + i]));
                }
                CHECK(std::isnan(sums[0]));
                CHECK_FALSE(std::isnan(sums[1]));
            }
        }
        CHECK(logsumexp(tensor({infinity, 1}, dtype)).item() == infinity);
        CHECK(std::isnan(softmax(tensor({infinity, 1}, dtype)).at({0})));
    }
}

TEST_CASE("softmax: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("softmax: axis 2 does not exist in a tensor of 2 axes", [&] {
        softmax(zeros({2, 3}), 2);
    });
    check_refused<ShapeError>("log_softmax: axis -1 does not exist in a tensor of 0 axes",
                              [&] { log_softmax(scalar(1)); });
    check_refused<ShapeError>("logsumexp: axis -2 does not exist in a tensor of 1 axes",
                              [&] { logsumexp(zeros({2}), -2); });
    check_refused<ShapeError>("softmax: axis 1 to reduce is given twice", [&] { softmax(zeros({2, 3}), {-1, 1}); });
    check_refused<ValueError>("logsumexp: operand 0 is an undefined tensor", [&] { logsumexp(Tensor()); });
    check_refused<DtypeError>("softmax: the operand is int64; float32 or float64 is needed", [&] {
        softmax(zeros({2, 3}, Dtype::int64), 0);
    });
}
