#include "ops/brute_force.hpp"

#include <mutex>
#include <wengert/ops/elementwise/internal/nest.hpp>

using namespace brute_force;

TEST_CASE("nest: strides of a tensor in a space to which it broadcasts") {
    const Tensor x = laid_out({3, 1, 4}, 1, 1);
    CHECK(strides_in(x, {2, 3, 5, 4}) == Shape{0, x.strides()[0], 0, x.strides()[2]});
    CHECK(strides_in(x, {3, 1, 4}) == x.strides());
    CHECK(strides_in(scalar(1), {2, 2}) == Shape{0, 0});
}

TEST_CASE("nest: the axis with the shortest steps comes last, and neighbours are joined") {
    const auto nest_of = [](const Shape& space, std::initializer_list<Shape> strides) {
        Nest nest(space, static_cast<int>(strides.size()));
        int operand = 0;
        for (const Shape& s : strides) nest.set(operand++, s);
        nest.arrange();
        return nest;
    };
    const Nest transposed = nest_of({4, 6}, {Shape{1, 4}, Shape{1, 4}});
    CHECK(transposed.shape() == Shape{24});
    CHECK(transposed.step(0, 0) == 1);
    const Nest row = nest_of({4, 1, 6}, {Shape{6, 6, 1}, Shape{0, 0, 1}});
    CHECK(row.shape() == Shape{4, 6});
    CHECK(row.step(0, 1) == 0);
    CHECK(row.step(1, 1) == 1);
    CHECK(nest_of({1, 1}, {Shape{1, 1}}).shape() == Shape{1});
}

TEST_CASE("nest: every position is visited once, with each operand's own offset") {
    for (const Shape& shape :
         {Shape{}, Shape{7}, Shape{3, 0, 2}, Shape{40, 30, 20}, Shape{2, 3, 2, 3, 2, 3}, Shape{1, 30000}}) {
        for (int layout = 0; layout < layouts; ++layout) {
            CAPTURE(to_string(shape));
            CAPTURE(layout);
            const Tensor x = laid_out(shape, layout, 1), count = zeros(shape);
            Nest nest(shape, 2);
            nest.set(0, count);
            nest.set(1, x);
            nest.arrange();
            double total = 0;
            std::mutex mutex;
            float* const visits = static_cast<float*>(count.raw());
            const double* const values = static_cast<const double*>(x.raw());
            const int axis = nest.shared_axis(0, 1, [](int) { return true; });
            nest.run(axis, [&](const std::int64_t* offset, const std::int64_t* strides, std::int64_t n) {
                double part = 0;
                for (std::int64_t i = 0; i < n; ++i) {
                    visits[offset[0] + i * strides[0]] += 1;
                    part += values[offset[1] + i * strides[1]];
                }
                const std::lock_guard lock(mutex);
                total += part;
            });
            CHECK(elements(count) == Values(static_cast<std::size_t>(shape.numel()), 1));
            double want = 0;
            for (const double v : elements(x)) want += v;
            CHECK(total == doctest::Approx(want).epsilon(1e-9));
        }
    }
}

TEST_CASE("nest: a sum is not shared among threads along the axes that it sums") {
    const Shape shape{300, 70};
    for (const Shape& sums : {Shape{0, 1}, Shape{1, 0}, Shape{0, 0}}) {
        const Tensor out = zeros({300});
        Nest nest(shape, 1);
        nest.set(0, sums);
        float* const to = static_cast<float*>(out.raw());
        const int axis = nest.shared_axis(0, 1, [](int) { return true; });
        nest.run(axis, [&](const std::int64_t* offset, const std::int64_t* strides, std::int64_t n) {
            for (std::int64_t i = 0; i < n; ++i) to[offset[0] + i * strides[0]] += 1;
        });
        double total = 0;
        for (const double v : elements(out)) total += v;
        CHECK(total == 300 * 70);
    }
}
