#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <wengert/nn/clipping.hpp>
#include <wengert/ops/products/threads.hpp>
#include <wengert/ops/random/random.hpp>
#include <wengert/ops/shape/views.hpp>

#include "parity.hpp"

using namespace wengert;

namespace {

/// Restores the number of threads.
struct Threads {
    explicit Threads(int n) { set_thread_count(n); }
    ~Threads() { set_thread_count(before); }
    int before = thread_count();
};

}  // namespace

TEST_CASE("clipping is PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture fixture("optimisers", precision);
        for (const std::string limit : {"tight", "loose"}) {
            CAPTURE(limit);
            std::vector<Tensor> gradients{fixture["clip.gradient.a"].clone(), fixture["clip.gradient.b"].clone()};
            const double norm = clip_gradient_norm(gradients, fixture["clip." + limit + ".max_norm"].item());
            fixture.check("clip.norm", scalar(norm, precision.dtype));
            fixture.check("clip." + limit + ".a", gradients[0]);
            fixture.check("clip." + limit + ".b", gradients[1]);
        }
    }
}

TEST_CASE("a gradient of one's own is scaled in place, elements that others see are not") {
    const Tensor shared = full({2}, 3), row = full({1}, 2);
    std::vector<Tensor> gradients{shared, shared, expand(row, {2}), transpose(full({2, 2}, 1)), full({2}, 1)};
    const void* const elements = gradients[4].raw();
    const double norm = clip_gradient_norm(gradients, 1);
    CHECK(norm == doctest::Approx(std::sqrt(4 * 9 + 2 * 4 + 4 + 2)));
    CHECK(gradients[4].raw() == elements);
    CHECK(shared.to_vector<double>() == std::vector{3.0, 3.0});
    CHECK(row.item() == 2);
    const double values[] = {3, 3, 2, 1, 1};
    for (std::size_t i = 0; i < gradients.size(); ++i)
        for (const double v : gradients[i].to_vector<double>())
            CHECK(v == doctest::Approx(values[i] / norm).epsilon(1e-5));
}

TEST_CASE("a norm within the limit changes nothing") {
    const Tensor g = tensor({3, 4});
    std::vector<Tensor> gradients{g};
    CHECK(clip_gradient_norm(gradients, 5.1) == 5);
    CHECK(gradients[0].same_as(g));
    CHECK(g.to_vector<double>() == std::vector{3.0, 4.0});
    CHECK(g.version() == 0);
}

TEST_CASE("the norm is the same for any number of threads, and exact for many small elements") {
    Generator generator(1);
    const Tensor g = normal({300'007}, 0, 1, generator);
    const auto norm = [&](int threads) {
        const Threads scope(threads);
        std::vector<Tensor> gradients{g};
        return clip_gradient_norm(gradients, 1e9);
    };
    double sum = 0;
    for (const double v : g.to_vector<double>()) sum += v * v;
    CHECK(norm(1) == doctest::Approx(std::sqrt(sum)).epsilon(1e-12));
    CHECK(norm(1) == norm(2));
    CHECK(norm(1) == norm(3));
    std::vector<Tensor> tenths{full({1'000'000}, 0.1)};
    CHECK(clip_gradient_norm(tenths, 1e9) == doctest::Approx(1000 * static_cast<double>(0.1f)).epsilon(1e-12));
}

TEST_CASE("float32 elements whose squares are no float32 count") {
    std::vector<Tensor> gradients{full({4}, 1e30), full({1}, 1e-30)};
    CHECK(clip_gradient_norm(gradients, 2) == doctest::Approx(2e30));
    CHECK(gradients[0].at({0}) == doctest::Approx(1));
    std::vector<Tensor> tiny{full({4}, 1e-30)};
    CHECK(clip_gradient_norm(tiny, 1) == doctest::Approx(2e-30).epsilon(1e-6));
}

TEST_CASE("gradients whose norm is not finite stay as they are") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    std::vector<Tensor> gradients{tensor({nan, 1}), ones({2})};
    CHECK(std::isnan(clip_gradient_norm(gradients, 1)));
    CHECK(gradients[1].at({0}) == 1);
    gradients = {tensor({infinity, 1}), ones({2})};
    CHECK(clip_gradient_norm(gradients, 1) == infinity);
    CHECK(gradients[0].at({0}) == infinity);
    CHECK(gradients[0].at({1}) == 1);
}

TEST_CASE("no gradients, gradients without elements, and a limit of 0") {
    std::vector<Tensor> none, empty{zeros({0, 3})}, some{ones({2})};
    CHECK(clip_gradient_norm(none, 1) == 0);
    CHECK(clip_gradient_norm(empty, 1) == 0);
    CHECK(clip_gradient_norm(some, 0) == doctest::Approx(std::sqrt(2)));
    CHECK(some[0].to_vector<double>() == std::vector{0.0, 0.0});
}

TEST_CASE("nonsense is refused") {
    std::vector<Tensor> gradients{ones({2}), Tensor()}, integers{ones({2}, Dtype::int64)};
    CHECK_THROWS_WITH_AS(clip_gradient_norm(gradients, -1), "clip_gradient_norm: max_norm is -1, not 0 or more",
                         ValueError);
    CHECK_THROWS_AS(clip_gradient_norm(gradients, std::numeric_limits<double>::quiet_NaN()), ValueError);
    CHECK_THROWS_WITH_AS(clip_gradient_norm(gradients, 1), "clip_gradient_norm: gradient 1 is undefined", ValueError);
    CHECK_THROWS_WITH_AS(clip_gradient_norm(integers, 1), "clip_gradient_norm: gradient 0 is int64", DtypeError);
}
