#include <wengert/ops/reduce/counts.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

TEST_CASE("counts: over every set of axes, of any dtype") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64, Dtype::int32, Dtype::boolean})
        for (const Shape& shape : {Shape{2, 5, 3}, Shape{2, 0, 3}, Shape{}}) {
            const Tensor x = laid_out(shape, 0, 3, dtype, -2, 2);  // as int64 with many zeros
            for (int set = 0; set < 1 << shape.rank(); ++set) {
                CAPTURE(to_string(shape));
                CAPTURE(to_string(dtype));
                CAPTURE(set);
                const ReductionAxes axes = axes_of(set, shape.rank());
                const auto [kept, reduced] = without(shape, set);
                Values counts, some, each;
                for (const Values& row : rows_of(x, set)) {
                    const auto n = std::ranges::count_if(row, [](double element) { return element != 0; });
                    counts.push_back(static_cast<double>(n));
                    some.push_back(n > 0);
                    each.push_back(n == std::ssize(row));
                }
                CHECK(elements(count_nonzero(x, axes)) == counts);
                CHECK(count_nonzero(x, axes).dtype() == Dtype::int64);
                CHECK(count_nonzero(x, axes, true).shape() == kept);
                CHECK(elements(any(x, axes)) == some);
                CHECK(elements(all(x, axes)) == each);
                CHECK(any(x, axes).shape() == reduced);
                CHECK(all(x, axes, true).shape() == kept);
                CHECK(any(x, axes).dtype() == Dtype::boolean);
                CHECK(all(x, axes).dtype() == Dtype::boolean);
            }
        }
    CHECK(any(zeros({0})).item() == 0);
    CHECK(all(zeros({0})).item() == 1);
    CHECK(count_nonzero(tensor({0, -0.0, not_a_number, 1e-30})).item<std::int64_t>() == 2);
}

TEST_CASE("counts: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("any: axis 2 does not exist in a tensor of 2 axes", [&] { any(ones({2, 3}), 2); });
    check_refused<ShapeError>("all: axis 0 to reduce is given twice", [&] { all(ones({2, 3}), {0, 0}); });
    check_refused<ValueError>("count_nonzero: operand 0 is an undefined tensor", [&] { count_nonzero(Tensor()); });
}
