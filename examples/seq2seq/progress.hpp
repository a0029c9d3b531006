#pragma once

#include <chrono>
#include <string>
#include <wengert/models/seq2seq/training/trainer.hpp>

namespace wengert::program {

/// The most memory that the process has had so far, in MiB.
double peak_memory_mib();

/// "1:02:03", "2:03"
std::string duration(double seconds);

/// Shows on standard error how training goes: epoch, step, loss, tokens per second, gradient norm, learning rate,
/// memory, time left. On a terminal that is one line, which changes; elsewhere a line every few seconds.
class Progress {
  public:
    Progress();

    /// The training goes on after so many steps.
    void begin_at(std::int64_t step) { first_step_ = step; }
    void show(const TrainingStep& step);
    /// Ends the line that changes, so that something else can be printed.
    void end_line();

    struct Rate {
        double seconds, tokens_per_second;
    };
    /// Of training, as the steps so far foretell.
    double seconds_left(const TrainingStep& step) const;
    /// What training took since the last restart().
    Rate take_rate() const;
    /// Begins to count anew, after something that is no training.
    void restart();

  private:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;

    const bool is_terminal_;
    bool has_line_ = false;
    std::int64_t first_step_ = 0;
    Clock::time_point restarted_, shown_;
    Seconds trained_{};  // before the last restart
    std::int64_t trained_tokens_ = 0;
    double loss_sum_ = 0;  // since the last line, over the tokens
    std::int64_t tokens_ = 0;
};

}  // namespace wengert::program
