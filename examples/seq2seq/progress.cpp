#include "progress.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>

namespace wengert::program {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr Seconds terminal_interval{0.25}, plain_interval{5}, settling{7};

}  // namespace

double peak_memory_mib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::string duration(double seconds) {
    const auto s = static_cast<std::int64_t>(std::lround(seconds));
    return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                    : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

Progress::Progress() : is_terminal_(::isatty(STDERR_FILENO) == 1), restarted_(Clock::now()), shown_(restarted_) {}

void Progress::show(const TrainingStep& step) {
    loss_sum_ += step.loss * static_cast<double>(step.tokens);
    tokens_ += step.tokens;
    trained_tokens_ += step.tokens;
    const Clock::time_point now = Clock::now();
    const Seconds since_shown = now - shown_, trained = trained_ + (now - restarted_);
    if (step.step < step.steps && since_shown < (is_terminal_ ? terminal_interval : plain_interval)) return;

    // The first steps, in which memory is taken and the machine may be busy with what came before, foretell little.
    const bool foretells = trained > settling || step.step == step.steps;
    const std::string left = foretells ? fmt::format(", {} left", duration(seconds_left(step))) : "";
    fmt::print(stderr,
               "{}epoch {}/{}, step {}/{}, loss {:.4f}, {:.0f} tokens/s, norm {:.2f}, rate {:.2g}, {:.0f} MiB{}{}",
               is_terminal_ ? "\r" : "", step.epoch, step.epochs, step.step, step.steps,
               loss_sum_ / static_cast<double>(tokens_), static_cast<double>(tokens_) / since_shown.count(),
               step.gradient_norm, step.learning_rate, peak_memory_mib(), left, is_terminal_ ? "\x1b[K" : "\n");
    std::fflush(stderr);
    has_line_ = is_terminal_;
    shown_ = now;
    loss_sum_ = 0;
    tokens_ = 0;
}

void Progress::end_line() {
    if (has_line_) fmt::print(stderr, "\n");
    has_line_ = false;
}

double Progress::seconds_left(const TrainingStep& step) const {
    const Seconds trained = trained_ + (Clock::now() - restarted_);
    return trained.count() * static_cast<double>(step.steps - step.step) / static_cast<double>(step.step - first_step_);
}

Progress::Rate Progress::take_rate() const {
    const Seconds seconds = Clock::now() - restarted_;
    return {seconds.count(), static_cast<double>(trained_tokens_) / seconds.count()};
}

void Progress::restart() {
    const Clock::time_point now = Clock::now();
    trained_ += now - restarted_;
    restarted_ = shown_ = now;
    trained_tokens_ = tokens_ = 0;
    loss_sum_ = 0;
}

}  // namespace wengert::program
