#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>
#include <wengert/ops/products/precision.hpp>

namespace wengert::program {

/// Threads that compute, each by itself: what one of them does is not shared among OpenMP's threads. Products have the
/// precision of the thread that made the pool. OpenBLAS has one thread from then on, in the whole process.
class WorkerPool {
  public:
    /// Throws ValueError for fewer than one thread, and for more than the system gives.
    WorkerPool(int threads, std::size_t queue);
    /// stop(), and waits for the jobs that run.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    enum class Outcome { done, full, stopped };
    /// Waits until a thread has done the job, in the order of the calls; what it throws goes on. A job is not done if
    /// as many as the queue holds wait already, and if the pool is stopped before it begins.
    Outcome run(std::function<void()> job);
    /// Jobs that run end as they do; no other begins.
    void stop();

  private:
    struct Job {
        std::function<void()> work;
        std::promise<void> end;
    };
    void work(Precision precision);
    void end();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> waiting_;
    std::size_t running_ = 0;
    const std::size_t most_;  // that run and wait
    bool is_stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace wengert::program
