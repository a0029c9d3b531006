#pragma once

#include <utility>
#include <wengert/autograd/tape/node.hpp>

namespace wengert {

/// Whose backward work runs in this thread while it lives. Observers that want to know the node, where a Work says its
/// op and its place, ask here.
class RunningRule {
  public:
    /// `joins`: products that waited for the node's cotangent, which are of its users, run as one.
    explicit RunningRule(const Node& node, bool joins = false) : outer_(std::exchange(running_, {&node, joins})) {}
    ~RunningRule() { running_ = outer_; }
    RunningRule(const RunningRule&) = delete;
    RunningRule& operator=(const RunningRule&) = delete;

    /// Null outside of a backward pass.
    static const Node* node() { return running_.node; }
    static bool joins() { return running_.joins; }

  private:
    struct Running {
        const Node* node;
        bool joins;
    };
    constinit static inline thread_local Running running_{nullptr, false};
    const Running outer_;
};

}  // namespace wengert
