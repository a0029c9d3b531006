#include <doctest/doctest.h>
#include <omp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>
#include <wengert/autograd/tensor/internal/waiting.hpp>

using namespace wengert;
using namespace std::chrono_literals;

namespace {

int threads_of_process() {
    int count = 0;
    for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
    return count;
}

/// Whether each thread of a region did its part.
bool region_works() {
    std::atomic<int> done = 0, team = 0;
#pragma omp parallel num_threads(2)
    {
        ++done;
        team = omp_get_num_threads();
    }
    return done == team;
}

}  // namespace

TEST_CASE("waiting: a process whose threads lack processors knows it") {
    std::int64_t on_processor = 0;
    if (!(std::ifstream("/proc/self/schedstat") >> on_processor) || on_processor == 0) {
        MESSAGE("skipped: this system does not count how long threads wait for a processor");
        return;
    }
    ProcessorWatch watch;
    CHECK_FALSE(watch.is_contended());
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2 * omp_get_num_procs() + 2; ++i)
        threads.emplace_back([&] {
            while (!stop) {
            }
        });
    std::this_thread::sleep_for(300ms);
    CHECK(watch.is_contended());
    stop = true;
    for (std::thread& thread : threads) thread.join();
}

TEST_CASE("waiting: the threads that shorten it come and go, and regions work meanwhile and after") {
    CHECK(region_works());
    const int before = threads_of_process();
    for (int i = 0; i < 3; ++i) {
        std::optional<ShortWaits> waits(std::in_place);
#ifndef KMP_VERSION_MAJOR  // clang's OpenMP is told, and needs no threads
        if (omp_get_max_threads() <= omp_get_num_procs() && omp_get_num_procs() < 30)
            CHECK(threads_of_process() > before);
#endif
        CHECK(region_works());
        waits.reset();
        CHECK(region_works());
    }
    for (int i = 0; i < 1000 && threads_of_process() > before; ++i) std::this_thread::sleep_for(10ms);
    CHECK(threads_of_process() <= before);
}

TEST_CASE("waiting: a child of a fork ends what its parent began") {
    std::optional<ShortWaits> waits(std::in_place);
    const pid_t child = fork();
    if (child == 0) {
        waits.reset();
        _exit(7);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
}
