#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <thread>
#include <vector>
#include <wengert/autograd/tensor/internal/large_blocks.hpp>

using namespace wengert;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Blocks of random sizes come and go; each keeps what is written at its ends. Returns how many did not.
int churn(unsigned seed) {
    struct Block {
        unsigned char* data;
        std::size_t bytes;
        unsigned char mark;
    };
    std::mt19937 random(seed);
    std::vector<Block> blocks;
    int faults = 0;
    const auto give_back = [&](std::size_t i) {
        const Block block = blocks[i];
        faults += block.data[0] != block.mark || block.data[block.bytes - 1] != block.mark;
        large_blocks::deallocate(block.data);
        blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i));
    };
    for (int i = 0; i < 1000; ++i) {
        if (blocks.size() > 12) give_back(random() % blocks.size());
        const std::size_t bytes = mebibyte + random() % (5 * mebibyte);
        const auto mark = static_cast<unsigned char>(random());
        auto* const data = static_cast<unsigned char*>(large_blocks::allocate(bytes));
        faults += reinterpret_cast<std::uintptr_t>(data) % 64 != 0;
        data[0] = data[bytes - 1] = mark;
        blocks.push_back({data, bytes, mark});
    }
    while (!blocks.empty()) give_back(0);
    return faults;
}

}  // namespace

TEST_CASE("large blocks: what comes back in pieces serves as a whole") {
    large_blocks::release();
    REQUIRE(large_blocks::free_bytes() == 0);
    std::vector<void*> parts;
    for (int i = 0; i < 8; ++i) parts.push_back(large_blocks::allocate(3 * mebibyte));
    const std::int64_t segments = large_blocks::system_allocations();
    CHECK(std::unique(parts.begin(), parts.end()) == parts.end());
    for (const std::size_t i : {1, 3, 0, 2, 5, 7, 6, 4}) large_blocks::deallocate(parts[i]);
    void* const whole = large_blocks::allocate(24 * mebibyte);
    CHECK(whole == parts[0]);
    CHECK(large_blocks::system_allocations() == segments);
    large_blocks::deallocate(whole);
    large_blocks::release();
    CHECK(large_blocks::free_bytes() == 0);
}

TEST_CASE("large blocks: the smallest piece that is large enough is taken") {
    large_blocks::release();
    std::vector<void*> blocks;
    for (const std::size_t size : {4, 1, 2, 1, 3, 1}) blocks.push_back(large_blocks::allocate(size * mebibyte));
    for (const std::size_t i : {0, 2, 4}) large_blocks::deallocate(blocks[i]);
    void* const fits = large_blocks::allocate(2 * mebibyte - 100);
    CHECK(fits == blocks[2]);
    CHECK(large_blocks::taken_bytes(fits) < 2 * mebibyte + 8192);
    large_blocks::deallocate(fits);
    for (const std::size_t i : {1, 3, 5}) large_blocks::deallocate(blocks[i]);
}

TEST_CASE("large blocks: sizes that change from step to step take no more memory than the largest step") {
    large_blocks::release();
    const auto step = [](std::size_t length) {
        std::vector<void*> blocks;
        for (int i = 0; i < 10; ++i) blocks.push_back(large_blocks::allocate(length * mebibyte / 8));
        for (void* const block : blocks) large_blocks::deallocate(block);
    };
    step(40);
    const std::int64_t held = large_blocks::free_bytes();
    for (std::size_t length = 9; length < 40; ++length) step(length);
    CHECK(large_blocks::free_bytes() == held);
    large_blocks::release();
}

TEST_CASE("large blocks: threads share them, and each block is one thread's own") {
    std::vector<int> faults(4, -1);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) threads.emplace_back([&, t] { faults[t] = churn(t); });
    for (std::thread& thread : threads) thread.join();
    CHECK(faults == std::vector<int>(4, 0));
    large_blocks::release();
    CHECK(large_blocks::free_bytes() == 0);
}

TEST_CASE("large blocks: what no memory holds is bad_alloc") {
    CHECK_THROWS_AS(large_blocks::allocate(std::size_t{1} << 48), std::bad_alloc);
}
