#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/reduce/counts.hpp>
#include <wengert/ops/reduce/extremes.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/prod.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/views.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

TEST_CASE("rows: each is read once, in order, whatever the axes and the place in memory") {
    for (const Shape& shape : {Shape{2, 3, 4}, Shape{3, 1, 40}, Shape{2, 3, 2, 3}, Shape{300, 5}, Shape{7}, Shape{}}) {
        for (int layout = 0; layout < layouts; ++layout) {
            for (int set = 0; set < 1 << shape.rank(); ++set) {
                CAPTURE(to_string(shape));
                CAPTURE(layout);
                CAPTURE(set);
                const Tensor x = laid_out(shape, layout, 1);
                const std::vector<Values> want = rows_of(x, set);
                std::vector<Values> seen(want.size());
                for_each_row<const double>(axes_of(set, shape.rank()), {&x},
                                           [&](std::int64_t row, std::span<const double> elements) {
                                               Values& values = seen[static_cast<std::size_t>(row)];
                                               values.insert(values.end(), elements.begin(), elements.end());
                                           });
                CHECK(seen == want);
            }
        }
    }
}

TEST_CASE("rows: what is written lands where it belongs, in whatever layout, on every thread") {
    for (const Shape& shape : {Shape{2, 3, 4}, Shape{40, 50, 6}, Shape{17, 1030}, Shape{5}}) {
        for (const int layout : {0, 1, 2, 3}) {
            for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
                for (int set = 0; set < 1 << shape.rank(); ++set) {
                    CAPTURE(to_string(shape));
                    CAPTURE(layout);
                    CAPTURE(set);
                    const Tensor x = laid_out(shape, layout, 1, dtype), y = laid_out(shape, (layout + 1) % 4, 2, dtype);
                    visit_floating(dtype, [&](auto type) {
                        using T = decltype(type);
                        for_each_row<const T, T>(axes_of(set, shape.rank()), {&x, &y},
                                                 [](std::int64_t, std::span<const T> in, std::span<T> out) {
                                                     std::partial_sum(in.begin(), in.end(), out.begin());
                                                 });
                    });
                    std::vector<Values> want = rows_of(x, set);
                    for (Values& row : want) {
                        auto sum = visit_floating(dtype, [](auto type) { return static_cast<double>(type); });
                        for (double& v : row) {
                            sum += v;
                            if (dtype == Dtype::float32) sum = static_cast<float>(sum);
                            v = sum;
                        }
                    }
                    CHECK(rows_of(y, set) == want);
                }
            }
        }
    }
}

TEST_CASE("rows: operands may differ in type and in the length of their rows, and be stretched") {
    const Tensor x = laid_out({2, 5, 3}, 1, 1), first = zeros({2, 2, 3}, Dtype::int64);
    const Tensor stretched = scalar(10, Dtype::float64).view({2, 5, 3}, {0, 0, 0}, 0);
    for_each_row<const double, const double, std::int64_t>(
        1, {&x, &stretched, &first},
        [](std::int64_t row, std::span<const double> a, std::span<const double> b, std::span<std::int64_t> out) {
            CHECK(a.size() == 5);
            CHECK(b[4] == 10);
            out[0] = row;
            out[1] = a[1] > 0;
        });
    for_each_index({2, 1, 3}, [&](Shape index) {
        CHECK(element(first, index) == static_cast<double>(index[0] * 3 + index[2]));
        index[1] = 1;
        CHECK(element(first, index) == (element(x, index) > 0));
    });
}

TEST_CASE("rows: there may be none, and they may be empty") {
    const Tensor none = zeros({0, 3}), empty = zeros({3, 0});
    for_each_row<const float>(1, {&none}, [](std::int64_t, std::span<const float>) { FAIL("there is no row"); });
    int rows = 0;
    for_each_row<const float>(1, {&empty}, [&](std::int64_t, std::span<const float> x) { rows += x.empty(); });
    CHECK(rows == 3);
    CHECK_THROWS_AS(for_each_row<const double>(1, {&none}, [](std::int64_t, std::span<const double>) {}), DtypeError);
    CHECK_THROWS_AS(for_each_row<const float>(2, {&none}, [](std::int64_t, std::span<const float>) {}), ShapeError);
}

TEST_CASE("rows: one long row is reduced in pieces, to the same total by any number of threads") {
    constexpr std::int64_t n = 3 * (1 << 15) + 17;
    Tensor x = sample_values({n}, -1, 1, 5);
    const Tensor whole = cast(trunc(10.0 * x), Dtype::int64);
    x.mutable_data<double>()[70'000] = x.mutable_data<double>()[90'000] = 2;
    x.mutable_data<double>()[40'000] = -2;
    const Tensor across = transpose(reshape(slice(x, 0, 0, n - 1), {8, (n - 1) / 8}));
    const auto reduced = [&] {
        return Values{max(x).item(),
                      argmax(x).item(),
                      min(x).item(),
                      argmin(x).item(),
                      argmax(whole).item(),
                      max(across).item(),
                      max(x > 1.9).item(),
                      min(x < 1.9).item(),
                      count_nonzero(whole).item(),
                      sum(whole).item(),
                      prod(1.0 + 1e-4 * x).item(),
                      logsumexp(x).item(),
                      logsumexp(1e4 * x).item()};
    };
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const Values by_one = reduced();
    omp_set_num_threads(3);
    CHECK(reduced() == by_one);
    omp_set_num_threads(threads);

    const Values all = elements(x), integers = elements(whole);
    double product = 1, exponentials = 0;
    for (const double v : all) {
        product *= 1 + 1e-4 * v;
        exponentials += std::exp(v);
    }
    const auto first = [](const Values& v) {
        return static_cast<double>(std::distance(v.begin(), std::ranges::max_element(v)));
    };
    const auto nonzero = std::ranges::count_if(integers, [](double v) { return v != 0; });
    check_close(
        tensor(by_one, {13}),
        {2, 70'000, -2, 40'000, first(integers), 2, 1, 0, static_cast<double>(nonzero),
         std::accumulate(integers.begin(), integers.end(), 0.0), product, std::log(exponentials), 2e4 + std::log(2)},
        1000);
}

TEST_CASE("rows: infinities and NaN in any piece of a long row are kept") {
    constexpr std::int64_t n = 2 * (1 << 15);
    constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const auto with = [](double early, double late) {
        Tensor x = full({n}, -infinity, Dtype::float64);
        x.mutable_data<double>()[5] = early;
        x.mutable_data<double>()[n - 5] = late;
        return x;
    };
    CHECK(logsumexp(with(3, -infinity)).item() == 3);
    CHECK(logsumexp(with(-infinity, 1000)).item() == 1000);
    CHECK(logsumexp(with(-infinity, -infinity)).item() == -infinity);
    CHECK(logsumexp(with(infinity, 1000)).item() == infinity);
    for (const auto& [early, late] : {std::pair{nan, 1.0}, {1.0, nan}, {nan, infinity}, {infinity, nan}}) {
        const Tensor x = with(early, late);
        CHECK(std::isnan(logsumexp(x).item()));
        CHECK(std::isnan(max(x).item()));
        CHECK(argmax(x).item() == (std::isnan(early) ? 5 : n - 5));
    }
    CHECK(argmax(with(nan, nan)).item() == 5);
}
