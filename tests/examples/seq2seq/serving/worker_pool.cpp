#include "seq2seq/serving/worker_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/ops/products/threads.hpp>

using namespace wengert;
using namespace wengert::program;
using PoolOutcome = WorkerPool::Outcome;

TEST_CASE("a pool does jobs by one thread each, and what they throw goes on") {
    const ProductPrecision precision(Precision::bfloat16);
    WorkerPool pool(2, 1);
    int threads = 0;
    Precision inside = Precision::float32;
    const auto here = std::this_thread::get_id();
    auto there = here;
    CHECK(pool.run([&] {
        threads = thread_count();
        inside = ProductPrecision::current();
        there = std::this_thread::get_id();
    }) == PoolOutcome::done);
    CHECK(threads == 1);
    CHECK(inside == Precision::bfloat16);
    CHECK(there != here);
    CHECK_THROWS_WITH_AS(pool.run([] { throw ValueError("no"); }), "no", ValueError);
    CHECK(pool.run([] {}) == PoolOutcome::done);
    CHECK_THROWS_WITH_AS(WorkerPool(0, 1), "there must be at least one thread, not 0", ValueError);
}

TEST_CASE("a pool takes as many jobs as its queue holds, and has the place again at once") {
    WorkerPool pool(1, 0);
    for (int i = 0; i < 200; ++i) REQUIRE(pool.run([] {}) == PoolOutcome::done);
    std::latch has_begun(1), may_end(1);
    std::thread first([&] {
        CHECK(pool.run([&] {
            has_begun.count_down();
            may_end.wait();
        }) == PoolOutcome::done);
    });
    has_begun.wait();
    CHECK(pool.run([] {}) == PoolOutcome::full);
    may_end.count_down();
    first.join();
    CHECK(pool.run([] {}) == PoolOutcome::done);
}

TEST_CASE("a pool that is stopped ends what runs, and begins nothing") {
    WorkerPool pool(1, 8);
    std::latch has_begun(1), may_end(1);
    bool is_done = false;
    std::atomic<int> begun = 0, stopped = 0;
    std::vector<std::thread> callers;
    callers.emplace_back([&] {
        CHECK(pool.run([&] {
            has_begun.count_down();
            may_end.wait();
            is_done = true;
        }) == PoolOutcome::done);
    });
    has_begun.wait();
    for (int i = 0; i < 4; ++i)
        callers.emplace_back([&] { stopped += pool.run([&] { ++begun; }) == PoolOutcome::stopped; });
    pool.stop();
    CHECK(pool.run([&] { ++begun; }) == PoolOutcome::stopped);
    may_end.count_down();
    for (std::thread& caller : callers) caller.join();
    CHECK(is_done);
    CHECK(begun == 0);
    CHECK(stopped == 4);
}
