#pragma once

#include <unordered_set>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>

namespace wengert {

/// Finds the tensors that a list follows among what a function computes with: those that it captures.
class Captured final : public Observer {
  public:
    explicit Captured(const Recording& recording) : recording_(recording), end_(recording.size()) {}

    void computed(const Applied&, const Inputs& in, const Tensor&) override {
        for (std::size_t i = 0; i < in.size(); ++i) add(in[i]);
    }
    void add(const Tensor& x) {
        const NodeId id = is_floating(x.dtype()) ? recording_.find_own(x) : no_node;
        // Later nodes are those of tapes inside of the function.
        const bool is_followed = x.is_parameter() || (id != no_node && id < end_);
        if (is_followed && known_.insert(x.state()).second) tensors_.push_back(x);
    }
    const std::vector<Tensor>& tensors() const { return tensors_; }

  private:
    const Recording& recording_;
    const NodeId end_;
    std::vector<Tensor> tensors_;
    std::unordered_set<const TensorState*> known_;
};

}  // namespace wengert
