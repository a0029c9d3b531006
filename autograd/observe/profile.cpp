#include <fmt/format.h>

#include <algorithm>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/autograd/tensor/allocator.hpp>

namespace wengert {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace
double Profile::seconds() const { return seconds_since(begin_); }

std::vector<OpCost> Profile::costs() const {
    std::vector<OpCost> result;
    for (const auto& [key, cost] : costs_) result.push_back(cost);
    std::ranges::stable_sort(result, std::ranges::greater(), &OpCost::seconds);
    return result;
}

void Profile::begin(const Work& work) {
    if (++depth_ > 1 || !is_innermost(this)) return;
    timed_ = work;
    part_depth_ = 0;
    parts_ = 0;
    work_begin_ = Clock::now();
}

void Profile::end(const Work& work) {
    if (depth_ == 0) return;  // it began before the profile did
    if (--depth_ > 0 || !timed_) return;
    book(work.name, seconds_since(work_begin_) - parts_);
    timed_.reset();
    moments_.push_back({seconds(), live_bytes(), work.pass});
}

void Profile::begin_part(std::string_view) {
    if (timed_ && ++part_depth_ == 1) part_begin_ = Clock::now();
}

void Profile::end_part(std::string_view name) {
    if (!timed_ || part_depth_ == 0 || --part_depth_ > 0) return;
    const double seconds = seconds_since(part_begin_);
    parts_ += seconds;
    book(name, seconds);
}

void Profile::book(std::string_view name, double seconds) {
    OpCost& cost = costs_[{timed_->place.scope, name}];
    if (cost.op.empty()) {
        cost.op = name;
        cost.scope = scope_path(timed_->place.scope);
    }
    switch (timed_->pass) {
        case Pass::forward:
            ++cost.calls;
            cost.forward_seconds += seconds;
            break;
        case Pass::backward:
            cost.backward_seconds += seconds;
            break;
        case Pass::update:
            ++cost.calls;
            cost.update_seconds += seconds;
            break;
    }
}

std::string to_string(const Profile& profile) {
    const double all = profile.seconds();
    std::string text = fmt::format("{:<22} {:<32} {:>7} {:>11} {:>11} {:>11} {:>7}\n", "op", "scope", "calls",
                                   "forward ms", "backward ms", "update ms", "share");
    double timed = 0;
    for (const OpCost& cost : profile.costs()) {
        timed += cost.seconds();
        text += fmt::format("{:<22} {:<32} {:>7} {:>11.3f} {:>11.3f} {:>11.3f} {:>5.1f} %\n", cost.op, cost.scope,
                            cost.calls, 1e3 * cost.forward_seconds, 1e3 * cost.backward_seconds,
                            1e3 * cost.update_seconds, 100 * cost.seconds() / all);
    }
    return text + fmt::format("{:<22} {:<32} {:>7} {:>35.3f} {:>5.1f} %\n", "(outside ops)", "", "",
                              1e3 * (all - timed), 100 * (all - timed) / all);
}

}  // namespace wengert
