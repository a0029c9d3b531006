#include <algorithm>
#include <limits>
#include <wengert/ops/reduce/extremes.hpp>
#include <wengert/ops/reduce/prod.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/scans.hpp>

#include "ops/brute_force.hpp"
#include "ops/reduce/axis_sets.hpp"

using namespace brute_force;

TEST_CASE("integer sums: sums, products and extremes over every set of axes, wherever the elements stand") {
    for (const Dtype dtype : {Dtype::int64, Dtype::int32, Dtype::boolean})
        for (const Shape& shape : {Shape{2, 5, 3}, Shape{2, 0, 3}, Shape{}, Shape{3, 70}})
            for (int layout = 0; layout < layouts; ++layout) {
                const Tensor x = laid_out(shape, layout, 3, dtype, -3, 3);
                for (int set = 0; set < 1 << shape.rank(); ++set) {
                    CAPTURE(to_string(shape));
                    CAPTURE(to_string(dtype));
                    CAPTURE(layout);
                    CAPTURE(set);
                    const ReductionAxes axes = axes_of(set, shape.rank());
                    Values sums, products, least, most;
                    bool is_empty = false;
                    for (const Values& row : rows_of(x, set)) {
                        double total = 0, product = 1;
                        for (const double v : row) total += v, product *= v;
                        sums.push_back(total);
                        products.push_back(product);
                        is_empty |= row.empty();
                        if (row.empty()) continue;
                        least.push_back(std::ranges::min(row));
                        most.push_back(std::ranges::max(row));
                    }
                    const Tensor total = sum(x, axes), product = prod(x, axes, true);
                    CHECK(total.dtype() == Dtype::int64);
                    CHECK(product.dtype() == Dtype::int64);
                    CHECK(elements(total) == sums);
                    if (shape.numel() < 100) CHECK(elements(product) == products);
                    CHECK(product.shape() == without(shape, set).first);
                    if (is_empty) continue;
                    CHECK(max(x, axes).dtype() == dtype);
                    CHECK(elements(max(x, axes)) == most);
                    CHECK(elements(amin(x, axes)) == least);
                    CHECK(elements(min(x, axes)) == least);
                    CHECK(elements(amax(x, axes)) == most);
                }
            }
}

TEST_CASE("integer sums: running sums, forward and backward") {
    for (const Dtype dtype : {Dtype::int64, Dtype::int32, Dtype::boolean}) {
        const Tensor x = tensor({1, 0, -2, 5, 1, 1}, {2, 3}, dtype);
        const bool is_bool = dtype == Dtype::boolean;
        CHECK(cumsum(x, 1).dtype() == Dtype::int64);
        CHECK(elements(cumsum(x, 1)) == (is_bool ? Values{1, 1, 2, 1, 2, 3} : Values{1, 1, -1, 5, 6, 7}));
        CHECK(elements(cumsum(x, -1, true)) == (is_bool ? Values{2, 1, 1, 3, 2, 1} : Values{-1, -2, -2, 7, 2, 1}));
        CHECK(elements(cumsum(x, 0)) == (is_bool ? Values{1, 0, 1, 2, 1, 2} : Values{1, 0, -2, 6, 1, -1}));
        CHECK(elements(cumsum(transpose(x), 1)) == (is_bool ? Values{1, 2, 0, 1, 1, 2} : Values{1, 6, 0, 1, -2, -1}));
        CHECK(cumsum(zeros({2, 0}, dtype), 1).shape() == Shape{2, 0});
    }
}

TEST_CASE("integer sums: of int32 they do not overflow, of int64 they wrap around") {
    constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
    const Tensor x = full({1000}, most, Dtype::int32);
    CHECK(sum(x).item<std::int64_t>() == std::int64_t{1000} * most);
    CHECK(prod(slice(x, 0, 0, 2)).item<std::int64_t>() == std::int64_t{most} * most);
    constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
    const Tensor y = tensor(std::vector<std::int64_t>{largest, 2}, {2});
    CHECK(sum(y).item<std::int64_t>() == std::numeric_limits<std::int64_t>::min() + 1);
    CHECK(prod(y).item<std::int64_t>() == -2);
    CHECK(cumsum(y, 0).to_vector<std::int64_t>() ==
          std::vector<std::int64_t>{largest, std::numeric_limits<std::int64_t>::min() + 1});
}
