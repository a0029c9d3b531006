#include <wengert/ops/packed_weights.hpp>

#include "brute_force.hpp"

#include <thread>
#include <wengert/ops/matmul.hpp>
#include <wengert/ops/threads.hpp>
#include <wengert/ops/views.hpp>

using namespace brute_force;

namespace {

Tensor parameter(const Shape& shape, std::uint64_t seed) {
    return cast(sample_values(shape, -1, 1, seed), Dtype::float32).set_parameter();
}

/// x weight^T and ct weight in float32 as they are, and what float64 makes of the same elements.
void check_products(const Tensor& weight, std::int64_t rows) {
    const Tensor x = cast(sample_values({rows, weight.dim(1)}, -1, 1, 7), Dtype::float32),
                 ct = cast(sample_values({rows, weight.dim(0)}, -1, 1, 8), Dtype::float32),
                 bias = full({weight.dim(0)}, 0.5);
    const auto exact = [](const Tensor& t) { return cast(t, Dtype::float64); };
    const double size = static_cast<double>(std::max(weight.dim(0), weight.dim(1)));
    for (int use = 0; use < 3; ++use) {
        check_close(linear(x, weight), elements(linear(exact(x), exact(weight))), 4, size);
        check_close(matmul(ct, weight), elements(matmul(exact(ct), exact(weight))), 4, size);
        check_close(linear(x, weight, bias), elements(linear(exact(x), exact(weight), exact(bias))), 4, size);
    }
}

}  // namespace

TEST_CASE("packed weights: products are those of the weight, whatever its shape") {
    for (const auto& [out, in] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {1, 1}, {1, 70}, {70, 1}, {48, 16}, {16, 48}, {37, 131}, {300, 65}, {64, 64}}) {
        const Tensor weight = parameter({out, in}, 3);
        for (const std::int64_t rows : {1, 2, 3, 17, 64, 257}) {
            CAPTURE(out);
            CAPTURE(in);
            CAPTURE(rows);
            check_products(weight, rows);
        }
    }
    CHECK(packed_weight_bytes() == 0);
}

TEST_CASE("packed weights: views of a parameter have layouts of their own") {
    const Tensor weight = parameter({96, 80}, 1);
    for (int round = 0; round < 2; ++round) {
        check_products(slice(weight, 1, 0, 30), 8);
        check_products(slice(weight, 1, 30, 80), 8);
        check_products(slice(weight, 0, 10, 40), 8);
        check_products(transpose(weight), 8);
        check_products(weight, 8);
    }
}

TEST_CASE("packed weights: a write is seen by the next product") {
    Tensor weight = parameter({40, 24}, 1);
    const Tensor x = ones({4, 24});
    const auto write = [&](int how) {
        if (how == 0) weight.fill(2);
        if (how == 1) weight.copy_from(full({40, 24}, 3));
        if (how == 2) *weight.mutable_data<float>() += 1;
        if (how == 3) slice(weight, 0, 1, 2).fill(-1);
    };
    for (int how = 0; how < 4; ++how) {
        for (int use = 0; use < 3; ++use) linear(x, weight);
        write(how);
        for (int use = 0; use < 3; ++use)
            check_close(linear(x, weight), elements(linear(cast(x, Dtype::float64), cast(weight, Dtype::float64))), 4,
                        24);
    }
}

TEST_CASE("packed weights: packed at the second use, given back with the parameter") {
    if (!gemm::can_pack()) {
        MESSAGE("skipped: no layout is faster than a matrix' own here");
        return;
    }
    {
        const Tensor weight = parameter({64, 48}, 1), x = ones({4, 48}), ct = ones({4, 64});
        linear(x, weight);
        CHECK(packed_weight_bytes() == 0);
        linear(x, weight);
        const std::int64_t bytes = packed_weight_bytes();
        CHECK(bytes >= 64 * 48 * 4);
        linear(x, weight);
        CHECK(packed_weight_bytes() == bytes);
        for (int use = 0; use < 2; ++use) matmul(ct, weight);
        CHECK(packed_weight_bytes() < 2 * bytes);  // of a matrix and its transpose only one is kept
        const Tensor other = weight.clone();
        CHECK(packed_weight(other) == nullptr);
        const Tensor constant = full({64, 48}, 1), exact = cast(constant, Dtype::float64);
        for (int use = 0; use < 3; ++use) {
            CHECK(packed_weight(constant) == nullptr);
            CHECK(packed_weight(exact) == nullptr);
        }
    }
    CHECK(packed_weight_bytes() == 0);
}

TEST_CASE("packed weights: many views of a parameter take no more memory than it does") {
    const Tensor weight = parameter({512, 64}, 1), x = ones({4, 64});
    for (int begin = 0; begin < 200; ++begin) {
        const Tensor window = slice(weight, 0, begin, begin + 256);
        for (int use = 0; use < 2; ++use) linear(x, window);
        CHECK(packed_weight_bytes() <= 512 * 64 * 4);
    }
}

TEST_CASE("packed weights: the number of threads may change between products") {
    const int before = thread_count();
    const Tensor weight = parameter({512, 256}, 1);
    for (const int threads : {1, 3, 2, 1}) {
        set_thread_count(threads);
        check_products(weight, 64);
    }
    set_thread_count(before);
}

TEST_CASE("packed weights: threads may use one parameter") {
    const Tensor weight = parameter({64, 48}, 1), x = cast(sample_values({4, 48}, -1, 1, 2), Dtype::float32);
    const Values want = elements(linear(cast(x, Dtype::float64), cast(weight, Dtype::float64)));
    std::vector<std::thread> threads;
    std::array<Tensor, 4> results;
    for (Tensor& result : results)
        threads.emplace_back([&] {
            for (int use = 0; use < 50; ++use) result = linear(x, weight);
        });
    for (std::thread& thread : threads) thread.join();
    for (const Tensor& result : results) check_close(result, want, 4, 48);
}
