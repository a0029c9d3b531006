#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <wengert/autograd/observe/internal/folding.hpp>

namespace wengert {
namespace {

std::size_t index(int i) { return static_cast<std::size_t>(i); }

/// A line of the program, with what it computes there.
using Origin = std::tuple<std::string_view, std::string_view, std::uint32_t, int, Dtype>;

Origin origin_of(const Node& node) {
    const std::string_view file = node.where().file == nullptr ? "" : node.where().file;
    return {node.name(), file, node.where().line, node.shape().rank(), node.dtype()};
}

}  // namespace

Folding::Folding(const Tape& tape, const Calls& calls, int unfold) {
    fold_calls(calls, unfold);
    fold_nodes(tape, calls);
}

/// The steps of a loop count in the order in which they ran. The unfolded are blocks 0, 1, ...; the rest is one.
void Folding::fold_calls(const Calls& calls, int unfold) {
    std::map<std::pair<int, std::string>, int> entries;  // how often a call has entered a scope
    std::map<std::pair<int, int>, int> ranks;            // how many steps of a loop are in a call
    std::map<int, int> loops_in;                         // how many loops
    std::map<int, int> loop_numbers;
    std::map<std::tuple<int, std::string, int, int>, int> known;
    for (int c = 0; c < calls.size(); ++c) {
        const Call& call = calls[c];
        const int parent = call.parent == Calls::none ? none : frame_of_[index(call.parent)];
        int number = 0, block = none;
        if (call.is_step()) {
            const int rank = ranks[{call.parent, call.loop}]++;
            if (loop_numbers.try_emplace(call.loop, loops_in[call.parent]).second) ++loops_in[call.parent];
            number = loop_numbers[call.loop];
            block = std::min(rank, unfold);
        } else {
            number = entries[{call.parent, call.path}]++;
        }
        // Outside of steps no parent has two calls of one number.
        const auto [frame, is_new] =
            known.try_emplace({parent, call.path, number, block}, static_cast<int>(frames_.size()));
        if (is_new) frames_.push_back({parent, {}});
        frames_[index(frame->second)].calls.push_back(c);
        frame_of_.push_back(frame->second);
    }
}

void Folding::fold_nodes(const Tape& tape, const Calls& calls) {
    std::map<std::pair<int, Origin>, int> ordinals;
    std::map<std::tuple<int, Origin, int>, int> folded;
    std::map<std::tuple<int, Origin, bool, int>, int> slices;
    for (NodeId id = 0; id < tape.size(); ++id) {
        const Node& node = tape[id];
        group_of_.push_back(none);
        if (node.is_leaf()) continue;
        const int call = calls.of(id), frame = call == Calls::none ? none : frame_of_[index(call)];
        const Origin origin = origin_of(node);
        const int new_group = static_cast<int>(groups_.size());

        int* among_slices = nullptr;
        if (node.is_view()) {
            const NodeId base = node.inputs()[0];
            const bool of_leaf = tape[base].is_leaf();
            const auto [slice, is_first] =
                slices.try_emplace(std::tuple(call, origin, of_leaf, of_leaf ? base : group_of(base)), new_group);
            if (!is_first) {
                group_of_.back() = slice->second;
                groups_[index(slice->second)].members.push_back(id);
                continue;
            }
            among_slices = &slice->second;
        }
        const int ordinal = ordinals[{call, origin}]++;
        const int group = folded.try_emplace({frame, origin, ordinal}, new_group).first->second;
        if (group == new_group) groups_.push_back({frame, {}});
        groups_[index(group)].members.push_back(id);
        group_of_.back() = group;
        if (among_slices != nullptr) *among_slices = group;
    }
}

}  // namespace wengert
