#pragma once

#include <wengert/autograd/observe/internal/calls.hpp>

namespace wengert {

/// What the nodes of a tape have in common: which of them are one vertex, and which calls are one box.
///
/// The steps of a loop beyond the first `unfold` are one, with all that is in them. Nodes of different steps fold if
/// they came from the same line of the same scope, and each is the n-th of its step from there. Where their operands
/// come from does not matter, so that a first step, whose state comes from elsewhere, folds with the rest. Slices that
/// one line takes from one value are one, too.
class Folding {
  public:
    static constexpr int none = -1;

    Folding(const Tape& tape, const Calls& calls, int unfold);

    /// The calls that one box stands for.
    struct Frame {
        int parent;  ///< in frames, always earlier; none for the outermost
        std::vector<int> calls;
    };
    /// The nodes that one vertex stands for, in the order of the tape.
    struct Group {
        int frame;
        std::vector<NodeId> members;
    };
    const std::vector<Frame>& frames() const { return frames_; }
    const std::vector<Group>& groups() const { return groups_; }
    /// Of a node; none for leaves.
    int group_of(NodeId id) const { return group_of_[static_cast<std::size_t>(id)]; }

  private:
    void fold_calls(const Calls& calls, int unfold);
    void fold_nodes(const Tape& tape, const Calls& calls);

    std::vector<Frame> frames_;
    std::vector<Group> groups_;
    std::vector<int> frame_of_, group_of_;  // of a call, of a node
};

}  // namespace wengert
