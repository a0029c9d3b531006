#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>
#include <wengert/autograd/tensor/internal/waiting.hpp>

namespace wengert {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto look_interval = 50ms;
constexpr double contended_part = 0.2;
/// Sleeping threads do not tell whether spinning ones would get their processors, so that these are tried again: after
/// the first time, and after twice as long each time that they did not.
constexpr Clock::duration first_rest = 1s, longest_rest = 16s;

/// Nanoseconds for which this process's threads were ready and had no processor.
std::int64_t run_delay() {
    std::int64_t sum = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator task("/proc/self/task", error), end; !error && task != end;
         task.increment(error)) {
        std::ifstream file(task->path() / "schedstat");
        std::int64_t on_processor = 0, delay = 0;
        if (file >> on_processor >> delay) sum += delay;
    }
    return sum;
}

/// What choose_waiting() knows. It is never destroyed, since threads may compute while the program ends.
class Waiting {
  public:
    void choose() {
        const Clock::time_point now = Clock::now();
        if (now.time_since_epoch().count() < next_look_.load(std::memory_order_relaxed)) return;
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock || now.time_since_epoch().count() < next_look_) return;
        Clock::duration next = look_interval;
        if (short_waits_.has_value()) {
            short_waits_.reset();
            watch_.is_contended();
        } else if (watch_.is_contended()) {
            short_waits_.emplace();
            next = rest_;
            rest_ = std::min(2 * rest_, longest_rest);
        } else {
            rest_ = first_rest;
        }
        next_look_ = (now + next).time_since_epoch().count();
    }

  private:
    std::atomic<Clock::rep> next_look_ = 0;
    std::mutex mutex_;
    ProcessorWatch watch_;
    std::optional<ShortWaits> short_waits_;
    Clock::duration rest_ = first_rest;
};

bool is_chosen_by_user() {
    return std::ranges::any_of(std::array{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"},
                               [](const char* name) { return std::getenv(name) != nullptr; });
}

}  // namespace

bool ProcessorWatch::is_contended() {
    const Clock::time_point now = Clock::now();
    const std::int64_t delay = run_delay();
    const bool is_first = last_ == Clock::time_point();
    const auto passed = static_cast<double>(std::chrono::nanoseconds(now - last_).count());
    const auto waited = static_cast<double>(delay - delay_);  // below 0 if threads have ended
    last_ = now, delay_ = delay;
    return !is_first && waited > contended_part * passed;
}

#ifdef KMP_VERSION_MAJOR  // clang's OpenMP

namespace {
constexpr int usual_milliseconds = 200;
}
ShortWaits::ShortWaits() { kmp_set_blocktime(0); }
ShortWaits::~ShortWaits() { kmp_set_blocktime(usual_milliseconds); }

#else

/// GCC's OpenMP reads the environment when it is loaded, and has no call to change what it read. But its threads spin
/// for a moment only while there are more of them than processors. So some are made that sleep.
ShortWaits::ShortWaits() {
    const int processors = omp_get_num_procs(), team = omp_get_max_threads();
    const int enough = processors - team + 2;  // of these all but one are new
    constexpr int bearable = 32;
    if (team > processors || enough > bearable) return;
    try {
        // Where no more threads are allowed, OpenMP ends the program, so that these are tried first.
        std::vector<std::jthread> tried;
        for (int i = 0; i <= enough; ++i)
            tried.emplace_back([](const std::stop_token& end) {
                while (!end.stop_requested()) std::this_thread::sleep_for(1ms);
            });
        tried.clear();
        const auto state = std::make_shared<Parked>();
        // It is not joined: after a fork it does not exist.
        std::thread([state, enough] {
            std::atomic<int> threads = 0;
#pragma omp parallel num_threads(enough)
            ++threads;
            state->started.release();
            state->end.acquire();
        }).detach();
        state->started.acquire();
        parked_ = state;
    } catch (const std::exception&) {
        // No more threads or no memory: waiting stays as it was.
    }
}

ShortWaits::~ShortWaits() {
    if (parked_ != nullptr) parked_->end.release();
}

#endif

void choose_waiting() {
    static Waiting* const waiting = is_chosen_by_user() ? nullptr : new Waiting;
    if (waiting != nullptr) waiting->choose();
}

}  // namespace wengert
