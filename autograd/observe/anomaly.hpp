#pragma once

#include <wengert/autograd/tape/observer.hpp>
#include <wengert/autograd/tape/tape.hpp>

namespace WENGERT_EXPORT wengert {

/// While it lives, each op's result and each cotangent of this thread is checked, and the first NaN, or infinity that
/// no operand brings, throws NonFiniteError with the op, its scope, the shapes and the line that made the node. Slow;
/// for finding a fault.
///
///     Tape tape;
///     DetectAnomalies detect;
///     Tensor loss;
///     try {
///         loss = model(x);
///         tape.gradient(loss, parameters(model), {.retain_graph = true});
///     } catch (const NonFiniteError& error) {
///         write_graph(tape, "culprit.svg", {.result = loss, .around = detect.culprit(tape)});
///         throw;
///     }
class DetectAnomalies final : public Observer {
  public:
    void computed(const Applied&, const Inputs& operands, const Tensor& result) override;
    bool inspects_cotangents() const override { return true; }
    void contributed(const Node& node, std::size_t input, const Tensor& cotangent) override;

    /// The node at fault of the error that was thrown last: whose rule ran, or, of an op whose forward failed and that
    /// has no node, its first operand that has one. no_node if there is none on this tape. Throws TapeError in a thread
    /// that did not make the tape.
    NodeId culprit(const Tape& tape) const;

  private:
    const Node* node_ = nullptr;
    Tensor operand_ = {};
};

}  // namespace wengert
