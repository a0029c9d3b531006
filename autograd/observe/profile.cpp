#include <fmt/format.h>

#include <algorithm>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/autograd/tensor/allocator.hpp>

namespace wengert {
namespace {

constinit thread_local Profile* current_profile = nullptr;

}  // namespace

Profile::Profile() : outer_(std::exchange(current_profile, this)) {}
Profile::~Profile() { current_profile = outer_; }

double Profile::seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

OpCost& Profile::cost(std::int32_t scope, std::string_view op) {
    OpCost& cost = costs_[{scope, op}];
    if (cost.op.empty()) {
        cost.op = op;
        cost.scope = scope_path(scope);
    }
    return cost;
}

std::vector<OpCost> Profile::costs() const {
    std::vector<OpCost> result;
    for (const auto& [key, cost] : costs_) result.push_back(cost);
    std::ranges::stable_sort(result, std::ranges::greater(), &OpCost::seconds);
    return result;
}

CostTimer::CostTimer(std::string_view op, const Place& place, Pass pass)
    : profile_(current_profile), op_(op), scope_(place.scope), pass_(pass) {
    if (profile_ == nullptr) return;
    if (profile_->timer_ != nullptr) {
        profile_ = nullptr;
    } else {
        profile_->timer_ = this;
        begin_ = Profile::Clock::now();
    }
}

CostTimer::~CostTimer() {
    if (profile_ == nullptr) return;
    const double seconds = std::chrono::duration<double>(Profile::Clock::now() - begin_).count();
    profile_->timer_ = nullptr;
    OpCost& cost = profile_->cost(scope_, op_);
    if (pass_ == Pass::forward) ++cost.calls;
    (pass_ == Pass::forward ? cost.forward_seconds : cost.backward_seconds) += seconds - parts_;
    profile_->moments_.push_back({profile_->seconds(), allocator_statistics().live_bytes, pass_});
}

CostPart::CostPart(std::string_view name)
    : timer_(current_profile != nullptr ? current_profile->timer_ : nullptr), name_(name) {
    if (timer_ == nullptr) return;
    if (std::exchange(timer_->has_part_, true))
        timer_ = nullptr;
    else
        begin_ = Profile::Clock::now();
}

CostPart::~CostPart() {
    if (timer_ == nullptr) return;
    const double seconds = std::chrono::duration<double>(Profile::Clock::now() - begin_).count();
    timer_->parts_ += seconds;
    timer_->has_part_ = false;
    OpCost& cost = timer_->profile_->cost(timer_->scope_, name_);
    if (timer_->pass_ == Pass::forward) ++cost.calls;
    (timer_->pass_ == Pass::forward ? cost.forward_seconds : cost.backward_seconds) += seconds;
}

std::string to_string(const Profile& profile) {
    const double all = profile.seconds();
    std::string text = fmt::format("{:<22} {:<32} {:>7} {:>11} {:>11} {:>7}\n", "op", "scope", "calls", "forward ms",
                                   "backward ms", "share");
    double timed = 0;
    for (const OpCost& cost : profile.costs()) {
        timed += cost.seconds();
        text += fmt::format("{:<22} {:<32} {:>7} {:>11.3f} {:>11.3f} {:>5.1f} %\n", cost.op, cost.scope, cost.calls,
                            1e3 * cost.forward_seconds, 1e3 * cost.backward_seconds, 100 * cost.seconds() / all);
    }
    return text + fmt::format("{:<22} {:<32} {:>7} {:>23.3f} {:>5.1f} %\n", "(outside ops)", "", "",
                              1e3 * (all - timed), 100 * (all - timed) / all);
}

}  // namespace wengert
