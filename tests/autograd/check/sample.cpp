#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/autograd/check/sample.hpp>

using namespace wengert;

TEST_CASE("sample: values are uniform in their range, the same for a seed and others for another") {
    const Tensor x = sample_values({100, 20}, -2, 6, 1);
    CHECK(x.shape() == Shape{100, 20});
    CHECK(x.dtype() == Dtype::float64);
    const std::vector<double> values = x.to_vector<double>();
    double sum = 0;
    for (const double v : values) sum += v;
    const auto [least, greatest] = std::ranges::minmax(values);
    CHECK(least >= -2);
    CHECK(least < -1.9);
    CHECK(greatest < 6);
    CHECK(greatest > 5.9);
    CHECK(sum / 2000 == doctest::Approx(2).epsilon(0.1));
    CHECK(sample_values({100, 20}, -2, 6, 1).to_vector<double>() == values);
    CHECK(sample_values({100, 20}, -2, 6, 2).to_vector<double>() != values);
}
