// Covers autograd/observe/memory.hpp
#include <doctest/doctest.h>

#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("tape: a million ops in a chain run forward, backward and end without recursion") {
    constexpr int length = 1'000'000;
    Tensor x = scalar(1, Dtype::float64);
    x.set_parameter();
    double derivative = 0;
    {
        Tape tape;
        Tensor y = x;
        for (int i = 0; i < length; ++i) y = scale(y, 1.000001);
        CHECK(tape.size() == length + 1);
        derivative = tape.gradient(y, x).item();
    }
    CHECK(derivative == doctest::Approx(std::pow(1.000001, length)).epsilon(1e-9));
}

TEST_CASE("tape: views in a long chain") {
    Tensor x = vector({1, 2, 3});
    x.set_parameter();
    Tape tape;
    Tensor y = x;
    for (int i = 0; i < 100'000; ++i) y = slice(y, 0, 0, 3);
    CHECK(elements(tape.gradient(y, x, {.cotangent = vector({4, 5, 6})})) == Values{4, 5, 6});
}

TEST_CASE("tape: a training step after the second allocates nothing from the system") {
    Tensor w = matrix({0.5, 0.1, -0.3, 0.4}, 2);
    w.set_parameter();
    const Tensor x = matrix({1, 2, 3, 4, 5, 6}, 3);
    release_cached_memory();
    const std::int64_t start = allocator_statistics().system_allocations;
    std::int64_t after_second = 0;
    for (int step = 1; step <= 20; ++step) {
        Tape tape;
        Tensor h = x;
        for (int t = 0; t < 30; ++t) h = add(tiny::tanh(product(h, w)), slice(concat(x, h), 0, 1, 4));
        const Tensor gradient = tape.gradient(sum(h), w);
        w.copy_from(add(w, scale(gradient, -1e-6)));
        if (step == 2) after_second = allocator_statistics().system_allocations;
    }
    CHECK(after_second > start);
    CHECK(allocator_statistics().system_allocations == after_second);
}

TEST_CASE("tape: what backward no longer needs is released as it goes") {
    constexpr std::int64_t size = 10'000, layers = 50, bytes = size * 8;
    Tensor x = full({size}, 0.5, Dtype::float64);
    x.set_parameter();
    Tape tape;
    Tensor y = x;
    for (std::int64_t i = 0; i < layers; ++i) y = tiny::tanh(y);
    y = sum(y);
    const std::int64_t before = allocator_statistics().live_bytes;
    CHECK(saved_bytes(tape) == layers * bytes);
    SUBCASE("by default") {
        reset_peak_live_bytes();
        const Tensor g = tape.gradient(y, x);
        CHECK(saved_bytes(tape) == 0);
        CHECK(allocator_statistics().live_bytes < before - (layers - 2) * bytes);
        CHECK(allocator_statistics().peak_live_bytes < before + 8 * bytes);
    }
    SUBCASE("unless it is retained") {
        tape.gradient(y, x, {.retain_graph = true});
        CHECK(saved_bytes(tape) == layers * bytes);
    }
}

TEST_CASE("tape: all memory returns with the tape") {
    const Tensor x = vector({1, 2});
    const std::int64_t before = allocator_statistics().live_bytes;
    {
        Tape tape;
        tape.watch(x);
        const Tensor g = tape.gradient(sum(mul(x, tiny::tanh(x))), x, {.create_graph = true});
        tape.gradient(sum(g), x);
    }
    CHECK(allocator_statistics().live_bytes == before);
}
