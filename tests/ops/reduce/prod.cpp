#include <wengert/ops/reduce/prod.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

TEST_CASE("prod: values and gradients over every set of axes, whatever the operand's place in memory") {
    for (const Shape& shape : {Shape{2, 5, 3}, Shape{3, 1, 7}, Shape{2, 0, 3}, Shape{2, 1, 3, 2}, Shape{}})
        for (int layout = 0; layout < layouts; ++layout) {
            const Tensor x = laid_out(shape, layout, 3);
            for (int set = 0; set < 1 << shape.rank(); ++set) {
                CAPTURE(to_string(shape));
                CAPTURE(layout);
                CAPTURE(set);
                const ReductionAxes axes = axes_of(set, shape.rank());
                const auto [kept, reduced] = without(shape, set);
                const Tensor ct = sample_values(reduced, 1, 2, 4);
                const Tensor g = gradients([&](const auto& in) { return prod(in[0], axes); }, {x}, ct)[0];
                const std::vector<Values> rows = rows_of(x, set), slopes = rows_of(g, set);
                const Tensor y = prod(x, axes);
                CHECK(y.shape() == reduced);
                CHECK(prod(x, axes, true).shape() == kept);
                for (std::size_t row = 0; row < rows.size(); ++row) {
                    double product = 1;
                    for (const double element : rows[row]) product *= element;
                    CHECK(elements(y)[row] == doctest::Approx(product).epsilon(1e-13));
                    for (std::size_t i = 0; i < rows[row].size(); ++i) {
                        double others = elements(ct)[row];
                        for (std::size_t k = 0; k < rows[row].size(); ++k) others *= k == i ? 1 : rows[row][k];
                        CHECK(slopes[row][i] == doctest::Approx(others).epsilon(1e-13));
                    }
                }
            }
        }
}

TEST_CASE("prod: zeros have the product of the others as their derivative") {
    const auto slope = [](const Tensor& x) {
        return elements(gradients([](const auto& in) { return prod(in[0]); }, {x}, scalar(1, Dtype::float64))[0]);
    };
    CHECK(slope(tensor({2, 0, 3}, Dtype::float64)) == Values{0, 6, 0});
    CHECK(slope(tensor({2, 0, 0}, Dtype::float64)) == Values{0, 0, 0});
    CHECK(prod(zeros({0})).item() == 1);
    CHECK(std::isnan(prod(tensor({0, not_a_number})).item()));
}

TEST_CASE("prod: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("prod: axis 2 does not exist in a tensor of 2 axes", [&] { prod(ones({2, 3}), 2); });
    check_refused<ShapeError>("prod: axis 1 does not exist in a tensor of 1 axes", [&] { prod(arange(3), 1); });
    check_refused<DtypeError>("prod: operand 0 is bfloat16, which is stored only: cast() it first",
                              [&] { prod(ones({2}, Dtype::bfloat16)); });
    check_refused<ValueError>("prod: operand 0 is an undefined tensor", [&] { prod(Tensor()); });
}
