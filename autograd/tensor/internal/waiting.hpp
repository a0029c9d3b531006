#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <semaphore>

/// How OpenMP's threads wait for one another. They spin for milliseconds before they sleep. That is the fastest while
/// each has a processor. But if another program wants one of these, the thread that all wait for is the one that does
/// not run. With sleeping threads the scheduler gives it the processor at once.
namespace wengert {

/// Tells whether threads of this process, all of them together, lack processors.
class ProcessorWatch {
  public:
    /// Whether this process's threads, ready to run, had no processor for more than a fifth of the time since the
    /// last call. The first call, and a system that does not tell (Linux has /proc/self/task/*/schedstat), say false.
    bool is_contended();

  private:
    std::chrono::steady_clock::time_point last_{};
    std::int64_t delay_ = 0;  // ns
};

/// As long as it lives, OpenMP's waiting threads sleep after a few turns.
class ShortWaits {
  public:
    ShortWaits();
    ~ShortWaits();
    ShortWaits(const ShortWaits&) = delete;
    ShortWaits& operator=(const ShortWaits&) = delete;

  private:
    /// Of the threads that GCC's OpenMP counts.
    struct Parked {
        std::binary_semaphore started{0}, end{0};
    };
    std::shared_ptr<Parked> parked_;
};

/// Before work for several threads: looks at the processors every 50 ms, and lets threads sleep while others want them.
/// Does nothing if the environment says how threads wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT, KMP_BLOCKTIME).
void choose_waiting();

}  // namespace wengert
