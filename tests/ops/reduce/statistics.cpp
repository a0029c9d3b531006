#include <cmath>
#include <wengert/ops/reduce/statistics.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

namespace {

double norm_of(const Values& row, double p) {
    double sum = 0, largest = 0;
    for (const double element : row) {
        largest = std::max(largest, std::abs(element));
        if (element != 0) sum += std::pow(std::abs(element), p);
    }
    return p == 0 ? sum : std::isinf(p) ? largest : std::pow(sum, 1 / p);
}

}  // namespace

TEST_CASE("statistics: values over every set of axes") {
    const Shape shape{2, 5, 3};
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor x = laid_out(shape, layout, 3);
        for (int set = 0; set < 8; ++set) {
            CAPTURE(layout);
            CAPTURE(set);
            const ReductionAxes axes = axes_of(set, 3);
            const auto [kept, reduced] = without(shape, set);
            const std::vector<Values> rows = rows_of(x, set);
            for (const double correction : {0.0, 1.0, 2.5}) {
                const Tensor variance = var(x, axes, correction), deviation = stddev(x, axes, correction);
                CHECK(variance.shape() == reduced);
                CHECK(stddev(x, axes, correction, true).shape() == kept);
                for (std::size_t row = 0; row < rows.size(); ++row) {
                    const double n = static_cast<double>(rows[row].size());
                    double mean = 0, squares = 0;
                    for (const double element : rows[row]) mean += element / n;
                    for (const double element : rows[row]) squares += (element - mean) * (element - mean);
                    if (n <= correction) {
                        CHECK(std::isnan(elements(variance)[row]));
                        continue;
                    }
                    CHECK(elements(variance)[row] == doctest::Approx(squares / (n - correction)).epsilon(1e-12));
                    CHECK(elements(deviation)[row] ==
                          doctest::Approx(std::sqrt(squares / (n - correction))).epsilon(1e-12));
                }
            }
            for (const double p : {0.0, 0.5, 1.0, 2.0, 3.0, infinity}) {
                CAPTURE(p);
                const Tensor y = norm(x, p, axes);
                CHECK(y.shape() == reduced);
                CHECK(norm(x, p, axes, true).shape() == kept);
                for (std::size_t row = 0; row < rows.size(); ++row)
                    CHECK(elements(y)[row] == doctest::Approx(norm_of(rows[row], p)).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("statistics: the norm of nothing but zeros has the derivative 0") {
    for (const double p : {1.0, 1.5, 2.0, 3.0}) {
        CAPTURE(p);
        const Tensor x = zeros({3}, Dtype::float64);
        CHECK(norm(x, p).item() == 0);
        CHECK(elements(gradients([p](const auto& in) { return norm(in[0], p); }, {x}, scalar(1, Dtype::float64))[0]) ==
              Values{0, 0, 0});
    }
}

TEST_CASE("statistics: norms neither overflow nor vanish on the way") {
    for (const double p : {1.5, 2.0, 3.0})
        for (const double scale : {3e-30, 1e30}) {
            CAPTURE(p);
            CAPTURE(scale);
            const Tensor x = cast(tensor({1, -2, 2}, Dtype::float64) * scale, Dtype::float32), one = scalar(1);
            CHECK(norm(x, p).item() == doctest::Approx(scale * norm_of({1, -2, 2}, p)).epsilon(1e-6));
            const Values slope = elements(gradients([p](const auto& in) { return norm(in[0], p); }, {x}, one)[0]);
            CHECK(slope[1] == doctest::Approx(-std::pow(2 / norm_of({1, -2, 2}, p), p - 1)).epsilon(1e-5));
        }
    CHECK(norm(tensor({infinity, 1})).item() == infinity);
    CHECK(elements(gradients([](const auto& in) { return norm(in[0], infinity); }, {tensor({1, -1, 0})},
                             scalar(1))[0]) == Values{0.5, -0.5, 0});
}

TEST_CASE("statistics: equal elements have no deviation, and no slope") {
    const Tensor x = ones({3}, Dtype::float64);
    CHECK(stddev(x).item() == 0);
    CHECK(elements(gradients([](const auto& in) { return stddev(in[0]); }, {x}, scalar(1, Dtype::float64))[0]) ==
          Values{0, 0, 0});
}

TEST_CASE("statistics: a NaN stays") {
    const Tensor x = tensor({1, not_a_number, 3});
    CHECK(std::isnan(var(x).item()));
    for (const double p : {0.5, 1.0, 2.0, 3.0, infinity}) CHECK(std::isnan(norm(x, p).item()));
}

TEST_CASE("statistics: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("var: axis 2 does not exist in a tensor of 2 axes", [&] { var(ones({2, 3}), 2); });
    check_refused<DtypeError>("stddev: the operand is int64; float32 or float64 is needed", [&] { stddev(arange(3)); });
    check_refused<ValueError>("norm: p is -1, not 0 or more", [&] { norm(ones({2}), -1); });
    check_refused<ShapeError>("norm: axis 0 of [0] has length 0", [&] { norm(ones({0}), infinity); });
    check_refused<ValueError>("norm: operand 0 is an undefined tensor", [&] { norm(Tensor()); });
}
