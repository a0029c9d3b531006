// Covers autograd/tensor/internal/system_memory.hpp

#include <doctest/doctest.h>

#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/tensor/memory_limit.hpp>
#include <wengert/autograd/tensor/tensor.hpp>

using namespace wengert;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

struct Limit {
    explicit Limit(std::size_t bytes) { set_memory_limit(bytes); }
    ~Limit() { set_memory_limit(0); }
};

}  // namespace

TEST_CASE("memory limit: a tensor beyond it is an error that says how much is taken, and what fits goes on") {
    release_cached_memory();
    const std::size_t before = system_bytes();
    const Limit limit(before + 48 * mib);
    CHECK(memory_limit() == before + 48 * mib);
    {
        const Tensor kept = Tensor::empty({8 << 20}, Dtype::float32);
        CHECK(system_bytes() > before + 32 * mib);
        CHECK(system_bytes() <= memory_limit());
        const std::size_t taken = system_bytes();
        try {
            Tensor::empty({16 << 20}, Dtype::float32);
            FAIL("it takes what the limit does not leave");
        } catch (const OutOfMemoryError& error) {
            const std::string text = error.what();
            CAPTURE(text);
            CHECK(text.starts_with("there is no memory for a tensor [16777216] of float32: "));
            CHECK(text.find(" MiB of the limit of ") != text.npos);
            CHECK(text.ends_with(" MiB are taken"));
        }
        CHECK(system_bytes() <= taken);
    }
    // What is cached and not used makes room.
    CHECK(Tensor::empty({10 << 20}, Dtype::float32).numel() == 10 << 20);
    release_cached_memory();
    CHECK(system_bytes() == before);
}

TEST_CASE("memory limit: small blocks count too, and come back") {
    release_cached_memory();
    const std::size_t before = system_bytes();
    void* const block = allocate(1000);
    CHECK(system_bytes() == before + 1024);
    deallocate(block, 1000);
    CHECK(system_bytes() == before + 1024);  // cached
    release_cached_memory();
    CHECK(system_bytes() == before);
}

TEST_CASE("memory limit: one below what is taken refuses, and loses nothing") {
    release_cached_memory();
    const Tensor kept = full({1000}, 3.0, Dtype::float64);
    {
        const Limit limit(1);
        CHECK_THROWS_AS(Tensor::empty({1 << 20}, Dtype::float32), OutOfMemoryError);
        CHECK(kept.to_vector<double>()[999] == 3);
    }
    CHECK(Tensor::empty({1 << 20}, Dtype::float32).defined());
}
