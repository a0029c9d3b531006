#include <algorithm>
#include <wengert/autograd/observe/node_profile.hpp>
#include <wengert/autograd/observe/non_finite.hpp>
#include <wengert/autograd/tape/internal/running_rule.hpp>

namespace wengert {

void NodeProfile::begin(const Work&) {
    const Recording* const recording = Recording::current();
    running_.push_back({recording, recording == nullptr ? 0 : recording->size(), {}});
    if (running_.size() > 1) return;
    inspecting_ = 0;
    begin_ = Clock::now();
}

void NodeProfile::computed(const Applied&, const Inputs& in, const Tensor& result) {
    if (running_.empty()) return;
    const Clock::time_point begin = Clock::now();
    if (const auto found = first_non_finite_made(in, result)) running_.back().non_finite = found->value;
    inspecting_ += std::chrono::duration<double>(Clock::now() - begin).count();
}

void NodeProfile::end(const Work& work) {
    if (running_.empty()) return;  // it began before the profile did
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count() - inspecting_;
    const Running done = running_.back();
    running_.pop_back();
    const bool is_outermost = running_.empty();
    if (work.pass == Pass::forward) {
        if (done.recording == nullptr || done.recording->size() == done.size) return;
        const Node& node = (*done.recording)[done.recording->size() - 1];
        if (node.is_leaf() || node.name() != work.name) return;
        // What was at this address before has ended.
        costs_[&node] = {is_outermost ? seconds : 0, 0, done.non_finite};
        joined_.erase(&node);
    } else if (work.pass == Pass::backward && is_outermost && RunningRule::node() != nullptr) {
        if (RunningRule::joins())
            joined_[RunningRule::node()].push_back({work.name, seconds});
        else
            costs_[RunningRule::node()].backward_seconds += seconds;
    }
}

std::vector<NodeCost> NodeProfile::costs(const Tape& tape) const {
    std::vector<NodeCost> result(static_cast<std::size_t>(tape.size()));
    std::unordered_map<const Node*, std::vector<NodeId>> users;  // of whom products waited for
    for (NodeId id = 0; id < tape.size(); ++id) {
        if (const auto found = costs_.find(&tape[id]); found != costs_.end())
            result[static_cast<std::size_t>(id)] = found->second;
        for (const NodeId operand : tape[id].inputs())
            if (operand != no_node && joined_.contains(&tape[operand])) users[&tape[operand]].push_back(id);
    }
    for (const auto& [operand, ids] : users) {
        for (const Joined& joined : joined_.at(operand)) {
            const auto is_of = [&](NodeId id) { return tape[id].name() == joined.op; };
            const auto count = std::ranges::count_if(ids, is_of);
            for (const NodeId id : ids)
                if (is_of(id))
                    result[static_cast<std::size_t>(id)].backward_seconds +=
                        joined.seconds / static_cast<double>(count);
        }
    }
    return result;
}

}  // namespace wengert
