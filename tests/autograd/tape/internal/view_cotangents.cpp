#include <doctest/doctest.h>

#include <chrono>
#include <numeric>
#include <wengert/autograd/tape/internal/view_cotangents.hpp>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("view cotangents: slices side by side") {
    const Tensor x = vector({1, 2, 3, 4, 5, 6});
    Tape tape;
    tape.watch(x);
    const Tensor a = slice(x, 0, 0, 2), b = slice(x, 0, 2, 4), c = slice(x, 0, 4, 6);
    const Tensor y = add(add(mul(a, a), scale(b, 3)), mul(c, b));
    CHECK(elements(tape.gradient(y, x, {.cotangent = vector({1, 10})})) == Values{2, 40, 3 + 5, 30 + 60, 3, 40});
}

TEST_CASE("view cotangents: what no slice shows is zero") {
    const Tensor x = vector({1, 2, 3, 4, 5, 6});
    Tape tape;
    tape.watch(x);
    const Tensor y = add(slice(x, 0, 4, 5), slice(x, 0, 1, 2));
    CHECK(elements(tape.gradient(y, x)) == Values{0, 1, 0, 0, 1, 0});
    const Tensor none = sum(slice(x, 0, 3, 3));
    CHECK(elements(tape.gradient(none, x)) == Values{0, 0, 0, 0, 0, 0});
    const Tensor nested = add(sum(slice(x, 0, 0, 0)), sum(slice(x, 0, 0, 2)));  // the empty one begins there too
    CHECK(elements(tape.gradient(nested, x)) == Values{1, 1, 0, 0, 0, 0});
    const Tensor reversed = add(sum(slice(x, 0, 0, 2)), sum(slice(x, 0, 0, 0)));
    CHECK(elements(tape.gradient(reversed, x)) == Values{1, 1, 0, 0, 0, 0});
    const Tensor odd = sum(every_other(x));
    CHECK(elements(tape.gradient(odd, x)) == Values{1, 0, 1, 0, 1, 0});
    const Tensor both = add(sum(every_other(x)), sum(slice(x, 0, 1, 4)));
    CHECK(elements(tape.gradient(both, x)) == Values{1, 1, 2, 1, 1, 0});
}

TEST_CASE("view cotangents: slices that overlap") {
    const Tensor x = vector({1, 2, 3, 4, 5});
    Tape tape;
    tape.watch(x);
    const Tensor y = add(mul(slice(x, 0, 0, 3), slice(x, 0, 1, 4)), slice(x, 0, 1, 4));
    CHECK(elements(tape.gradient(y, x, {.cotangent = vector({1, 10, 100})})) == Values{2, 32, 430, 400, 0});
}

TEST_CASE("view cotangents: intervals that are set join, and say what is not") {
    Coverage coverage(0);
    const auto gaps = [&] {
        std::vector<std::pair<std::int64_t, std::int64_t>> result;
        coverage.for_each_gap(10, [&](std::int64_t begin, std::int64_t end) { result.emplace_back(begin, end); });
        return result;
    };
    using Gaps = std::vector<std::pair<std::int64_t, std::int64_t>>;
    CHECK(gaps() == Gaps{{0, 10}});
    CHECK(coverage.add(4, 6));
    CHECK(coverage.add(8, 9));
    CHECK(gaps() == Gaps{{0, 4}, {6, 8}, {9, 10}});
    CHECK(coverage.add(5, 5));  // nothing
    CHECK_FALSE(coverage.add(5, 7));
    CHECK_FALSE(coverage.add(0, 10));
    CHECK_FALSE(coverage.add(3, 5));
    CHECK(coverage.add(6, 7));
    CHECK(coverage.add(3, 4));
    CHECK(gaps() == Gaps{{0, 3}, {7, 8}, {9, 10}});
    CHECK(coverage.add(7, 8));
    CHECK(gaps() == Gaps{{0, 3}, {9, 10}});
    CHECK(coverage.add(9, 10));
    CHECK(coverage.add(0, 3));
    CHECK(gaps().empty());
}

namespace {

/// What a slice costs in the backward pass of `count` slices of one tensor, in nanoseconds.
template <class Order>
double cost_of_slice(std::int64_t count, const Order& order, bool create_graph = false) {
    double best = 1e300;
    for (int run = 0; run < 3; ++run) {
        const Tensor x = full({count}, 1, Dtype::float64);
        Tape tape;
        tape.watch(x);
        std::vector<std::int64_t> begins(static_cast<std::size_t>(count));
        std::iota(begins.begin(), begins.end(), 0);
        order(begins);
        Tensor total = slice(x, 0, begins[0], begins[0] + 1);
        for (std::size_t i = 1; i < begins.size(); ++i) total = add(total, slice(x, 0, begins[i], begins[i] + 1));
        const auto begin = std::chrono::steady_clock::now();
        const Tensor g = tape.gradient(total, x, {.create_graph = create_graph});
        const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
        best = std::min(best, time.count() / static_cast<double>(count));
        REQUIRE(elements(g) == Values(static_cast<std::size_t>(count), 1));
    }
    return best;
}

}  // namespace

TEST_CASE("view cotangents: a slice costs the same however many there are, in either order") {
    const auto forward = [](auto&) {};
    const auto backward = [](auto& begins) { std::ranges::reverse(begins); };
    CHECK(cost_of_slice(1 << 15, forward) < 8 * cost_of_slice(1 << 10, forward));
    CHECK(cost_of_slice(1 << 15, backward) < 8 * cost_of_slice(1 << 10, backward));
}

TEST_CASE("view cotangents: recorded, too, a slice costs the same however many there are") {
    const auto forward = [](auto&) {};
    CHECK(cost_of_slice(1 << 14, forward, true) < 8 * cost_of_slice(1 << 9, forward, true));
}

TEST_CASE("view cotangents: recorded, slices of one tensor have derivatives of higher order") {
    const Tensor x = vector({1, 2, 3});
    Tape tape;
    tape.watch(x);
    const auto cube = [&](std::int64_t i) {
        const Tensor part = slice(x, 0, i, i + 1);
        return mul(part, mul(part, part));
    };
    const Tensor total = add(add(cube(0), cube(1)), cube(1));  // x0^3 + 2 x1^3
    const Tensor g = tape.gradient(total, x, {.create_graph = true});
    const Tensor h = tape.gradient(sum(g), x, {.create_graph = true});
    CHECK(elements(g) == Values{3, 24, 0});
    CHECK(elements(h) == Values{6, 24, 0});
    CHECK(elements(tape.gradient(sum(h), x)) == Values{6, 12, 0});
}

TEST_CASE("view cotangents: slices along different axes, and transposed ones") {
    const Tensor x = matrix({1, 2, 3, 4}, 2);
    Tape tape;
    tape.watch(x);
    const Tensor row = slice(x, 0, 1, 2), column = transpose(slice(x, 1, 0, 1)), whole = transpose(x);
    const Tensor y = add(add(scale(row, 2), scale(column, 30)), slice(whole, 0, 1, 2));
    CHECK(elements(tape.gradient(y, x, {.cotangent = matrix({1, 10}, 1)})) == Values{30, 1, 302, 30});
}

TEST_CASE("view cotangents: a slice of a slice") {
    const Tensor x = vector({1, 2, 3, 4, 5, 6});
    Tape tape;
    tape.watch(x);
    const Tensor outer = slice(x, 0, 1, 5), inner = slice(outer, 0, 1, 3);
    SUBCASE("alone") {
        CHECK(elements(tape.gradient(mul(inner, inner), x, {.cotangent = vector({1, 10})})) ==
              Values{0, 0, 6, 80, 0, 0});
    }
    SUBCASE("with the slice itself") {
        const Tensor y = add(sum(mul(outer, outer)), sum(inner));
        CHECK(elements(tape.gradient(y, x, {.retain_graph = true})) == Values{0, 4, 7, 9, 10, 0});
        const Tensor z = add(sum(inner), sum(mul(outer, outer)));
        CHECK(elements(tape.gradient(z, x)) == Values{0, 4, 7, 9, 10, 0});
    }
    SUBCASE("with the base itself") {
        const Tensor y = add(sum(inner), sum(mul(x, x)));
        CHECK(elements(tape.gradient(y, x)) == Values{2, 4, 7, 9, 10, 12});
    }
}
