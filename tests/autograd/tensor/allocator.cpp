#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <thread>
#include <vector>
#include <wengert/autograd/tape/internal/arena.hpp>
#include <wengert/autograd/tensor/allocator.hpp>

using namespace wengert;

TEST_CASE("allocator: blocks of every size are aligned, writable and apart") {
    std::vector<std::pair<std::uint8_t*, std::size_t>> blocks;
    for (std::size_t bytes :
         {0, 1, 63, 64, 65, 1023, 1024, 1025, 1152, 1153, 2047, 2048, 2049, 4096, 100000, 1 << 20}) {
        auto* const block = static_cast<std::uint8_t*>(allocate(bytes));
        CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
        std::memset(block, static_cast<int>(blocks.size()), bytes);
        blocks.emplace_back(block, bytes);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const auto [block, bytes] = blocks[i];
        for (std::size_t k = 0; k < bytes; ++k) REQUIRE(block[k] == i);
        deallocate(block, bytes);
    }
}

TEST_CASE("allocator: a returned block serves the next request of its class") {
    release_cached_memory();
    void* const first = allocate(5000);
    deallocate(first, 5000);
    CHECK(allocator_statistics().cached_bytes == 5120);
    const std::int64_t before = allocator_statistics().system_allocations;
    void* const second = allocate(5100);  // both round up to 5120
    CHECK(second == first);
    CHECK(allocator_statistics().system_allocations == before);
    CHECK(allocator_statistics().cached_bytes == 0);
    deallocate(second, 5100);
}

TEST_CASE("allocator: what is rounded up is less than an eighth above 1024 bytes") {
    for (std::size_t bytes = 1024; bytes < 100000; bytes += 37) {
        const std::int64_t before = allocator_statistics().live_bytes;
        void* const block = allocate(bytes);
        const auto taken = static_cast<std::size_t>(allocator_statistics().live_bytes - before);
        deallocate(block, bytes);
        REQUIRE(taken >= bytes);
        REQUIRE(taken - bytes < bytes / 8 + 64);
    }
}

TEST_CASE("allocator: live and peak bytes") {
    const std::int64_t before = allocator_statistics().live_bytes;
    reset_peak_live_bytes();
    void* const a = allocate(64);
    void* const b = allocate(128);
    CHECK(allocator_statistics().live_bytes == before + 192);
    deallocate(b, 128);
    CHECK(allocator_statistics().live_bytes == before + 64);
    CHECK(allocator_statistics().peak_live_bytes == before + 192);
    reset_peak_live_bytes();
    CHECK(allocator_statistics().peak_live_bytes == before + 64);
    deallocate(a, 64);
    CHECK(allocator_statistics().live_bytes == before);
}

TEST_CASE("allocator: cached memory goes back to the system on demand") {
    deallocate(allocate(3000), 3000);
    CHECK(allocator_statistics().cached_bytes >= 3072);
    release_cached_memory();
    CHECK(allocator_statistics().cached_bytes == 0);
}

TEST_CASE("allocator: a size that no memory holds is bad_alloc and leaves the counters alone") {
    const std::int64_t before = allocator_statistics().live_bytes;
    CHECK_THROWS_AS(allocate(std::size_t{1} << 60), std::bad_alloc);
    CHECK_THROWS_AS(allocate(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
    CHECK(allocator_statistics().live_bytes == before);
}

TEST_CASE("allocator: a block may be returned by a thread that never asked for one") {
    void* const block = allocate(640);
    std::int64_t cached = 0;
    release_cached_memory();
    std::thread([&] {
        deallocate(block, 640);
        cached = allocator_statistics().cached_bytes;
    }).join();  // the leak checker sees what that thread's end leaves behind
    CHECK(cached == 640);
}

TEST_CASE("allocator: a thread that only returns the blocks of others keeps a part of them") {
    constexpr std::size_t bytes = std::size_t{256} << 10, count = 400;
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < count; ++i) blocks.push_back(allocate(bytes));
    std::int64_t cached = 0;
    std::thread([&] {
        for (void* const block : blocks) deallocate(block, bytes);
        cached = allocator_statistics().cached_bytes;
    }).join();
    CHECK(cached > 0);
    CHECK(cached < static_cast<std::int64_t>(count * bytes));
}

TEST_CASE("allocator: threads do not share their counters") {
    std::int64_t live = -1;
    void* const here = allocate(64);
    std::thread([&] {
        void* const block = allocate(256);
        live = allocator_statistics().live_bytes;
        deallocate(block, 256);
    }).join();
    CHECK(live == 256);
    deallocate(here, 64);
}

TEST_CASE("arena: objects are aligned and apart, chunks are returned at once") {
    const std::int64_t before = allocator_statistics().live_bytes;
    {
        Arena arena;
        std::vector<std::int64_t*> numbers;
        for (std::int64_t i = 0; i < 20000; ++i) {
            *arena.allocate_for<char>() = 'x';
            auto* const number = arena.allocate_for<std::int64_t>();
            REQUIRE(reinterpret_cast<std::uintptr_t>(number) % alignof(std::int64_t) == 0);
            *number = i;
            numbers.push_back(number);
        }
        auto* const large = arena.allocate_for<std::int64_t>(100000);
        large[0] = large[99999] = 1;
        for (std::int64_t i = 0; i < 20000; ++i) REQUIRE(*numbers[static_cast<std::size_t>(i)] == i);
        CHECK(allocator_statistics().live_bytes > before);
    }
    CHECK(allocator_statistics().live_bytes == before);
}
