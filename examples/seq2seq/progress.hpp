#pragma once

#include <chrono>
#include <wengert/models/seq2seq/training.hpp>

namespace wengert::program {

/// Shows on standard error how training goes: epoch, step, loss, tokens per second, time left. On a terminal that is
/// one line, which changes; elsewhere a line every few seconds.
class Progress {
  public:
    Progress();

    void show(const TrainingStep& step);
    /// Ends the line that changes, so that something else can be printed.
    void end_line();

  private:
    using Clock = std::chrono::steady_clock;

    const bool is_terminal_;
    bool has_line_ = false;
    const Clock::time_point start_;
    Clock::time_point shown_;
    double loss_sum_ = 0;  // since the last line, over the tokens
    std::int64_t tokens_ = 0;
};

}  // namespace wengert::program
