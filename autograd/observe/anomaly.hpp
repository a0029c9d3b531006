#pragma once

#include <wengert/autograd/tape/observer.hpp>

namespace wengert {

/// While it lives, each op's result and each cotangent of this thread is checked, and the first NaN, or infinity that
/// no operand brings, throws NonFiniteError with the op, its scope, the shapes and the line that made the node. Slow;
/// for finding a fault.
class DetectAnomalies final : public Observer {
  public:
    void computed(const Applied&, const Inputs& operands, const Tensor& result) override;
    bool inspects_cotangents() const override { return true; }
    void contributed(const Node& node, std::size_t input, const Tensor& cotangent) override;
};

}  // namespace wengert
