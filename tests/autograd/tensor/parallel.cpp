#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/strided.hpp>

using namespace wengert;

namespace {

/// Restores OpenMP's settings.
struct Settings {
    const int threads = omp_get_max_threads(), levels = omp_get_max_active_levels();
    ~Settings() {
        omp_set_num_threads(threads);
        omp_set_max_active_levels(levels);
    }
};

}  // namespace

TEST_CASE("parallel: ranges cover everything once, cut where they may be") {
    const Settings settings;
    for (const int threads : {1, 2, 3, 5}) {
        omp_set_num_threads(threads);
        for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 1000}) {
            for (const std::int64_t alignment : {1, 64}) {
                for (const std::int64_t work : {10, 1 << 20}) {
                    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
                    std::atomic<int> calls{0};
                    parallel_ranges(n, alignment, work, [&](std::int64_t begin, std::int64_t end) {
                        ++calls;
                        if (begin % alignment != 0 || begin >= end) calls = 1000;
                        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
                    });
                    for (const auto& v : visits) CHECK(v == 1);
                    CHECK(calls <= threads);
                    if (work == 10)
                        CHECK(calls == (n > 0));
                    else
                        CHECK(calls == std::min<std::int64_t>(threads, (n + alignment - 1) / alignment));
                }
            }
        }
    }
}

TEST_CASE("parallel: nothing is left out if OpenMP gives fewer threads than asked for") {
    const Settings settings;
    omp_set_num_threads(4);
    omp_set_max_active_levels(0);
    std::atomic<std::int64_t> covered{0};
    parallel_ranges(1000, 1, 1 << 20, [&](std::int64_t begin, std::int64_t end) { covered += end - begin; });
    CHECK(covered == 1000);
}

TEST_CASE("parallel: large copies and fills are the same on any number of threads") {
    const Settings settings;
    for (const int threads : {1, 2, 3}) {
        omp_set_num_threads(threads);
        const Tensor x = arange(300 * 1000, Dtype::float32);
        const Tensor transposed = x.view({1000, 300}, {1, 1000}, 0), copy = zeros({1000, 300});
        write(transposed, {copy});
        CHECK(copy.at({999, 7}) == 7999);
        write(transposed, {copy, true});
        CHECK(copy.at({999, 7}) == 2 * 7999);
        CHECK(copy.at({998, 299}) == 2 * 299998);
        write(x.view({1000, 300}, {0, 1}, 5), {copy});
        CHECK(copy.at({0, 0}) == 5);
        CHECK(copy.at({999, 299}) == 304);
        fill(copy.view({1000, 100}, {300, 1}, 100), 3);
        CHECK(copy.at({999, 99}) == 104);
        CHECK(copy.at({0, 100}) == 3);
        CHECK(copy.at({999, 199}) == 3);
        CHECK(copy.at({999, 200}) == 205);
    }
}

TEST_CASE("parallel: what a thread throws goes on in the caller") {
    const Settings restored;
    omp_set_num_threads(3);
    std::atomic<int> parts = 0;
    const auto fails = [&](std::int64_t begin, std::int64_t) {
        ++parts;
        if (begin > 0) throw std::runtime_error("no more memory");
    };
    CHECK_THROWS_WITH_AS(parallel_ranges(30000, 1, 30000, fails), "no more memory", std::runtime_error);
    CHECK(parts == 3);
}
