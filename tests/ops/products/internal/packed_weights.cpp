#include <wengert/ops/products/internal/packed_weights.hpp>

#include "ops/brute_force.hpp"

#include <thread>
#include <wengert/ops/products/linear.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/products/threads.hpp>
#include <wengert/ops/shape/views.hpp>

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
             {1, 1}, {1, 70}, {70, 1}, {48, 16}, {37, 131}, {300, 65}, {64, 64}, {1000, 301}}) {
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
        check_products(slice(weight, 1, 0, 30), 128);
        check_products(slice(weight, 1, 30, 80), 128);
        check_products(slice(weight, 0, 10, 40), 128);
        check_products(transpose(weight), 128);
        check_products(weight, 128);
    }
}

TEST_CASE("packed weights: a write is seen by the next product") {
    Tensor weight = parameter({256, 128}, 1);
    const Tensor x = ones({8, 128});
    const auto write = [&](int how) {
        if (how == 0) weight.fill(2);
        if (how == 1) weight.copy_from(full({256, 128}, 3));
        if (how == 2) *weight.mutable_data<float>() += 1;
        if (how == 3) slice(weight, 0, 1, 2).fill(-1);
        if (how == 4) fill(weight, 4);
        if (how == 5) wengert::write(full({1, 128}, 5), {slice(weight, 0, 3, 4)});
    };
    for (int how = 0; how < 6; ++how) {
        for (int use = 0; use < 3; ++use) linear(x, weight);
        write(how);
        for (int use = 0; use < 3; ++use)
            check_close(linear(x, weight), elements(linear(cast(x, Dtype::float64), cast(weight, Dtype::float64))), 4,
                        128);
    }
}

TEST_CASE("packed weights: packed at the second use, given back with the parameter") {
    const Tensor matrix = ones({256, 128});
    if (gemm::pack({matrix.data<float>(), 256, 128, 128, 1}, Precision::float32) == nullptr) {
        MESSAGE("skipped: no layout is faster than a matrix' own here");
        return;
    }
    {
        const Tensor weight = parameter({256, 128}, 1), x = ones({8, 128}), ct = ones({8, 256});
        const Values unpacked = elements(linear(x, weight));
        CHECK(packed_weight_bytes() == 0);
        CHECK(elements(linear(x, weight)) == unpacked);
        const std::int64_t bytes = packed_weight_bytes();
        CHECK(bytes >= 256 * 128 * 4);
        linear(x, weight);
        CHECK(packed_weight_bytes() == bytes);
        for (int use = 0; use < 2; ++use) matmul(ct, weight);
        CHECK(packed_weight_bytes() < 2 * bytes);  // of a matrix and its transpose only one is kept
        linear(slice(x, 0, 0, 4), weight);         // too small to be worth it
        CHECK(packed_weight_bytes() <= bytes);
    }
    CHECK(packed_weight_bytes() == 0);
    CHECK(is_weight(parameter({2, 2}, 1)));
    CHECK(is_weight(transpose(parameter({2, 2}, 1))));
    CHECK_FALSE(is_weight(full({2, 2}, 1)));
    CHECK_FALSE(is_weight(cast(full({2, 2}, 1), Dtype::float64).set_parameter()));
}

TEST_CASE("packed weights: many views of a parameter take hardly more memory than it does") {
    const Tensor weight = parameter({512, 64}, 1), x = ones({16, 64});
    for (int begin = 0; begin < 200; ++begin) {
        const Tensor window = slice(weight, 0, begin, begin + 256);
        for (int use = 0; use < 2; ++use) linear(x, window);
        CHECK(packed_weight_bytes() <= 512 * 64 * 5);
    }
}

TEST_CASE("packed weights: what packing would pad to more than the parameter is not kept") {
    for (const auto& [out, in] : std::vector<std::pair<std::int64_t, std::int64_t>>{{2, 4096}, {4096, 2}, {65, 512}}) {
        const Tensor weight = parameter({out, in}, 1);
        for (int use = 0; use < 3; ++use) {
            check_products(weight, 128);
            CHECK(packed_weight_bytes() <= out * in * 5);
        }
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
    const Tensor weight = parameter({128, 128}, 1), x = cast(sample_values({32, 128}, -1, 1, 2), Dtype::float32);
    const Values want = elements(linear(cast(x, Dtype::float64), cast(weight, Dtype::float64)));
    std::vector<std::thread> threads;
    std::array<Tensor, 4> results;
    for (Tensor& result : results)
        threads.emplace_back([&] {
            for (int use = 0; use < 50; ++use) result = linear(x, weight);
        });
    for (std::thread& thread : threads) thread.join();
    for (const Tensor& result : results) check_close(result, want, 4, 128);
}
