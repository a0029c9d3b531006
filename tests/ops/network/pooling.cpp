#include <algorithm>
#include <limits>
#include <source_location>
#include <string>
#include <wengert/ops/network/pooling.hpp>
#include <wengert/ops/shape/views.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

/// Windows on an axis: what each shows of it, and how many elements it has with its padding.
struct Window {
    std::vector<std::int64_t> shown;
    std::int64_t length;
};
using Windows = std::vector<Window>;

Windows by_kernel(std::int64_t length, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                  std::int64_t dilation = 1) {
    Windows windows;
    for (std::int64_t begin = -padding; begin + dilation * (kernel - 1) < length + padding; begin += stride) {
        Window window{{}, kernel};
        for (std::int64_t k = 0; k < kernel; ++k)
            if (const std::int64_t i = begin + dilation * k; i >= 0 && i < length) window.shown.push_back(i);
        windows.push_back(window);
    }
    return windows;
}

Windows by_count(std::int64_t length, std::int64_t count) {
    Windows windows;
    for (std::int64_t i = 0; i < count; ++i) {
        Window window;
        const double width = static_cast<double>(length) / static_cast<double>(count), at = static_cast<double>(i);
        for (auto j = static_cast<std::int64_t>(std::floor(at * width + 1e-9));
             static_cast<double>(j) < (at + 1) * width - 1e-9; ++j)
            window.shown.push_back(j);
        window.length = std::ssize(window.shown);
        windows.push_back(window);
    }
    return windows;
}

/// Compares with what loops over the windows of each image find: the largest elements, or the means.
void check_pools(const Tensor& x, const Windows& rows, const Windows& columns, const Tensor& largest,
                 const Tensor& means, const Tensor& means_of_shown) {
    Shape shape = x.shape();
    shape[2] = std::ssize(rows);
    shape[3] = std::ssize(columns);
    for (const Tensor& y : {largest, means, means_of_shown}) REQUIRE(y.shape() == shape);
    const double epsilon = x.dtype() == Dtype::float64 ? 1e-14 : 1e-6;
    for_each_index(shape, [&](const Shape& y) {
        const Window &vertical = rows[static_cast<std::size_t>(y[2])],
                     &horizontal = columns[static_cast<std::size_t>(y[3])];
        double best = -infinity, sum = 0;
        for (const std::int64_t i : vertical.shown)
            for (const std::int64_t j : horizontal.shown) {
                const double value = element(x, {y[0], y[1], i, j});
                best = std::max(best, value);
                sum += value;
            }
        const auto shown = static_cast<double>(vertical.shown.size() * horizontal.shown.size());
        CHECK(element(largest, y) == best);
        CHECK(
            element(means, y) ==
            doctest::Approx(sum / static_cast<double>(vertical.length * horizontal.length)).epsilon(epsilon).scale(1));
        CHECK(element(means_of_shown, y) == doctest::Approx(sum / shown).epsilon(epsilon).scale(1));
    });
}

}  // namespace

TEST_CASE("pooling: the largest elements and the means of windows, however images lie") {
    struct Case {
        Size2d image, kernel, stride, padding;
    };
    for (const Case& c : {Case{{6, 4}, 2, 2, 0},
                          {{5, 7}, {3, 2}, {2, 1}, {1, 0}},
                          {{4, 4}, 3, 1, 1},
                          {{7, 5}, {2, 4}, 3, {1, 2}},
                          {{1, 1}, 1, 1, 0},
                          {{1, 3}, {2, 3}, 1, 1}})
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(c.image.height);
                CAPTURE(c.image.width);
                CAPTURE(layout);
                const Tensor x = laid_out({2, 3, c.image.height, c.image.width}, layout, 1, dtype);
                check_pools(
                    x, by_kernel(c.image.height, c.kernel.height, c.stride.height, c.padding.height),
                    by_kernel(c.image.width, c.kernel.width, c.stride.width, c.padding.width),
                    max_pool2d(x, c.kernel, {.stride = c.stride, .padding = c.padding}),
                    avg_pool2d(x, c.kernel, {.stride = c.stride, .padding = c.padding}),
                    avg_pool2d(x, c.kernel, {.stride = c.stride, .padding = c.padding, .count_include_pad = false}));
            }
}

TEST_CASE("pooling: a maximum of elements that stand apart") {
    struct Case {
        Size2d image, kernel, stride, padding, dilation;
    };
    for (const Case& c : {Case{{6, 7}, 2, 2, 0, 2},
                          {{6, 7}, {3, 2}, 1, {1, 0}, {2, 3}},
                          {{9, 4}, {4, 1}, {1, 2}, 0, {2, 5}},
                          {{5, 8}, {2, 3}, 1, {2, 3}, 3}})
        for (int layout = 0; layout < layouts; ++layout) {
            CAPTURE(c.image.height);
            const Tensor x = laid_out({2, 3, c.image.height, c.image.width}, layout, 1, Dtype::float64);
            const Windows rows = by_kernel(c.image.height, c.kernel.height, c.stride.height, c.padding.height,
                                           c.dilation.height),
                          columns = by_kernel(c.image.width, c.kernel.width, c.stride.width, c.padding.width,
                                              c.dilation.width);
            const Tensor y =
                max_pool2d(x, c.kernel, {.stride = c.stride, .padding = c.padding, .dilation = c.dilation});
            REQUIRE(y.shape() == Shape{2, 3, std::ssize(rows), std::ssize(columns)});
            for_each_index(y.shape(), [&](const Shape& at) {
                double best = -infinity;
                for (const std::int64_t i : rows[static_cast<std::size_t>(at[2])].shown)
                    for (const std::int64_t j : columns[static_cast<std::size_t>(at[3])].shown)
                        best = std::max(best, element(x, {at[0], at[1], i, j}));
                CHECK(element(y, at) == best);
            });
        }
    const Tensor x = laid_out({2, 9}, 0, 1, Dtype::float32);
    CHECK(elements(max_pool1d(x, 3, {.stride = 2, .padding = 2, .dilation = 3})) ==
          elements(max_pool2d(unsqueeze(x, 1), {1, 3}, {.stride = {1, 2}, .padding = {0, 2}, .dilation = {1, 3}})));
}

TEST_CASE("pooling: adaptive windows part an image, and share elements where they do not divide it") {
    for (const Size2d image : {Size2d{6, 4}, {5, 7}, {1, 3}})
        for (const Size2d size : {Size2d{1}, {3, 2}, {4, 5}, {7, 1}})
            for (int layout = 0; layout < layouts; ++layout) {
                const Tensor x = laid_out({2, 2, image.height, image.width}, layout, 1);
                const Tensor means = adaptive_avg_pool2d(x, size);
                check_pools(x, by_count(image.height, size.height), by_count(image.width, size.width),
                            adaptive_max_pool2d(x, size), means, means);
            }
}

TEST_CASE("pooling: the stride is the kernel's size unless it is given, on each axis") {
    const Tensor x = laid_out({1, 6, 9}, 0, 1);
    CHECK(elements(max_pool2d(x, {2, 3})) == elements(max_pool2d(x, {2, 3}, {.stride = {2, 3}})));
    CHECK(elements(avg_pool2d(x, {2, 3}, {.stride = {0, 1}})) == elements(avg_pool2d(x, {2, 3}, {.stride = {2, 1}})));
}

TEST_CASE("pooling: sequences are images of height 1, and images have any axes before them") {
    const Tensor x = laid_out({2, 3, 9}, 1, 1), image = unsqueeze(x, -2);
    CHECK(elements(max_pool1d(x, 3, {.stride = 2, .padding = 1})) ==
          elements(max_pool2d(image, {1, 3}, {.stride = {1, 2}, .padding = {0, 1}})));
    CHECK(elements(avg_pool1d(x, 4, {.padding = 2, .count_include_pad = false})) ==
          elements(avg_pool2d(image, {1, 4}, {.padding = {0, 2}, .count_include_pad = false})));
    for (const std::int64_t size : {1, 2, 4, 9, 11}) {
        CHECK(adaptive_max_pool1d(x, size).shape() == Shape{2, 3, size});
        CHECK(elements(adaptive_max_pool1d(x, size)) == elements(adaptive_max_pool2d(image, {1, size})));
        CHECK(elements(adaptive_avg_pool1d(x, size)) == elements(adaptive_avg_pool2d(image, {1, size})));
    }
    CHECK(elements(adaptive_avg_pool1d(tensor({1, 2, 3, 4, 6}), 2)) == Values{2, static_cast<float>(13.0 / 3)});
    CHECK(max_pool1d(x, 3).shape() == Shape{2, 3, 3});
    CHECK(max_pool1d(select(select(x, 0, 0), 0, 0), 3).shape() == Shape{3});
    CHECK(max_pool2d(select(image, 0, 0), {1, 3}).shape() == Shape{3, 1, 3});
    CHECK(avg_pool2d(laid_out({2, 1, 2, 1, 4, 4}, 0, 1), 2).shape() == Shape{2, 1, 2, 1, 2, 2});
    for (const Tensor& none : {max_pool2d(zeros({0, 3, 4, 4}), 2), avg_pool2d(zeros({0, 3, 4, 4}), 2)})
        CHECK(none.shape() == Shape{0, 3, 2, 2});
}

TEST_CASE("pooling: of equally large elements the first has the cotangent, and a NaN is the largest") {
    const Tensor ties = ones({4, 4}, Dtype::float64), ct = tensor({1, 2, 3, 4}, {2, 2}, Dtype::float64);
    const auto pool = [](const auto& in) { return max_pool2d(in[0], 2); };
    CHECK(elements(gradients(pool, {ties}, ct)[0]) == Values{1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0});
    const Tensor x =
        tensor({1, not_a_number, 2, infinity, not_a_number, 5, -infinity, -infinity}, {2, 4}, Dtype::float64);
    const Tensor y = max_pool2d(x, 2);
    CHECK(std::isnan(element(y, {0, 0})));
    CHECK(element(y, {0, 1}) == infinity);
    CHECK(elements(gradients(pool, {x}, tensor({7, 8}, {1, 2}, Dtype::float64))[0]) == Values{0, 7, 0, 8, 0, 0, 0, 0});
    CHECK(elements(max_pool2d(full({2, 2}, -infinity), 2)) == Values{-infinity});
    CHECK(std::isnan(avg_pool2d(tensor({1, not_a_number}, {1, 2}), {1, 2}).item()));
}

TEST_CASE("pooling: means neither drift nor overflow on the way in float32") {
    CHECK(avg_pool2d(full({1000, 1000}, 0.1), 1000).item() == doctest::Approx(0.1f).epsilon(1e-7));
    CHECK(avg_pool1d(full({4}, 3e38), 4).item() == doctest::Approx(3e38).epsilon(1e-6));
}

TEST_CASE("pooling: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 4, 5});
    check_refused<ShapeError>("max_pool2d: x must be [.., H, W], not [3]", [&] { max_pool2d(ones({3}), 2); });
    check_refused<ShapeError>("avg_pool1d: x must be [.., L], not []", [&] { avg_pool1d(scalar(1), 2); });
    check_refused<ShapeError>("avg_pool2d: x [2, 0, 3] has empty images", [&] { avg_pool2d(ones({2, 0, 3}), 2); });
    check_refused<ShapeError>("max_pool2d: a kernel of 5 x 2 does not fit images of 4 x 5 with their padding", [&] {
        max_pool2d(x, {5, 2});
    });
    check_refused<ValueError>("max_pool2d: kernel is 0, outside [1, 2147483647]", [&] { max_pool2d(x, 0); });
    check_refused<ValueError>("max_pool1d: stride is -1, outside [1, 2147483647]",
                              [&] { max_pool1d(x, 2, {.stride = -1}); });
    check_refused<ShapeError>(
        "max_pool2d: a kernel of 2 x 3 with dilation 1 x 3 does not fit images of 4 x 5 with their padding", [&] {
            max_pool2d(x, {2, 3}, {.dilation = {1, 3}});
        });
    check_refused<ShapeError>("max_pool1d: a kernel of 2 with dilation 2 sees padding alone in sequences of 1",
                              [&] { max_pool1d(ones({1}), 2, {.stride = 1, .padding = 1, .dilation = 2}); });
    check_refused<ValueError>("max_pool2d: dilation is 0, outside [1, 2147483647]", [&] {
        max_pool2d(x, 2, {.dilation = {1, 0}});
    });
    for (const std::int64_t far : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
        check_refused<ValueError>("max_pool2d: padding is " + std::to_string(far) + ", outside [0, 1]",
                                  [&] { max_pool2d(x, 2, {.padding = far}); });
    check_refused<ValueError>("avg_pool: windows of a mean have no dilation", [&] {
        apply(AvgPool{{.kernel = 2, .stride = 1, .dilation = 2}}, {&x}, std::source_location::current());
    });
    check_refused<ValueError>("avg_pool2d: padding is 2, outside [0, 1]", [&] {
        avg_pool2d(x, {3, 5}, {.padding = 2});
    });
    check_refused<ValueError>("adaptive_avg_pool2d: size is 0, outside [1, 2147483647]", [&] {
        adaptive_avg_pool2d(x, {2, 0});
    });
    check_refused<ShapeError>("adaptive_max_pool2d: x must be [.., H, W], not [3]",
                              [&] { adaptive_max_pool2d(ones({3}), 2); });
    check_refused<ValueError>("adaptive_max_pool1d: size is 0, outside [1, 2147483647]",
                              [&] { adaptive_max_pool1d(x, 0); });
    check_refused<ShapeError>("adaptive_avg_pool1d: x must be [.., L], not []",
                              [&] { adaptive_avg_pool1d(scalar(1), 2); });
    check_refused<DtypeError>("max_pool2d: the operand is int64; float32 or float64 is needed", [&] {
        max_pool2d(zeros({2, 2}, Dtype::int64), 2);
    });
    check_refused<ValueError>("max_pool2d: operand 0 is an undefined tensor", [&] { max_pool2d(Tensor(), 2); });
    check_refused<ValueError>("avg_pool2d: operand 0 is an undefined tensor", [&] { avg_pool2d(Tensor(), 2); });
}
