#pragma once

#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>

namespace wengert {

/// A part of a tape that ran at one stretch: a call of a scope, or one step of a loop.
struct Call {
    std::string path;  ///< of the scope, dotted; of a step that of the scope around it
    int parent;        ///< in calls, always earlier; -1 for none
    int loop;          ///< of a step, -1 of a scope
    std::int32_t step;
    bool is_step() const { return loop >= 0; }
};

/// The tape as a tree of calls. A scope that was left and entered again is two calls; one that was left and entered
/// again without an op between cannot be told from one, since nodes know their scope and not when it began.
///
/// A loop is what runs from Step to Step, until an earlier step comes again. Its steps stand in the scope that all of
/// them share, and the scopes of one step inside of it.
class Calls {
  public:
    static constexpr int none = -1;

    explicit Calls(const Tape& tape);

    const Call& operator[](int call) const { return calls_[static_cast<std::size_t>(call)]; }
    int size() const { return static_cast<int>(calls_.size()); }
    /// The innermost call of a node, none for leaves and outside of all.
    int of(NodeId id) const { return of_[static_cast<std::size_t>(id)]; }
    bool same_loop(NodeId a, NodeId b) const {
        const int loop = loops_[static_cast<std::size_t>(a)];
        return loop != none && loop == loops_[static_cast<std::size_t>(b)];
    }

  private:
    std::vector<Call> calls_;
    std::vector<int> of_, loops_;
};

}  // namespace wengert
