#pragma once

#include <functional>
#include <memory>
#include <vector>
#include <wengert/autograd/tape/recording.hpp>

namespace WENGERT_EXPORT wengert {

/// What a forward rule works with: the operands and the result of an op, and the operands' tangents, the derivatives of
/// their values by the variable of a forward pass. The rule returns the result's, computed by ops, so that passes nest
/// and a tape follows it.
class Forward {
  public:
    /// For one pass; `in`, `out` and `where` must outlive this. Throws TapeError if an operand was overwritten after
    /// its tangent was computed.
    Forward(const RecordingScope& pass, const Inputs& in, const Tensor& out, const SourceLine& where);

    /// How many operands the op has.
    std::size_t input_count() const { return in_.size(); }
    /// Operand i, as the op got it.
    const Tensor& input(std::size_t i) const { return in_[i]; }
    /// What the op computed.
    const Tensor& output() const { return out_; }
    /// The user's line of the op.
    const SourceLine& where() const { return where_; }

    /// Whether an operand, or any of them, has a tangent other than zero.
    bool has(std::size_t i) const { return i < tangents_.size() && tangents_[i].defined(); }
    /// Whether any operand has one.
    bool has_any() const;
    /// The tangent of an operand, of its shape; undefined if it is zero.
    const Tensor& tangent(std::size_t i) const { return tangents_[i]; }
    /// The same, with zeros of the operand's shape for one that is zero.
    Tensor tangent_or_zeros(std::size_t i) const;
    /// The same in row-major order: a tangent may have other strides than its operand.
    Tensor contiguous_tangent(std::size_t i) const;

    /// The op on other operands.
    using Apply = std::function<Tensor(const Inputs& in)>;
    /// The tangent of the result of an op that is linear in its floating operands together.
    Tensor linear(const Apply& apply) const;
    /// The same of one that is linear in operand 0 and in operand 1, and adds operand 2 if it is given one.
    Tensor bilinear(const Apply& apply) const;

  private:
    const Inputs& in_;
    const Tensor& out_;
    const SourceLine& where_;
    std::vector<Tensor> tangents_;
};

/// While it lives, ops of this thread compute tangents: one forward pass.
class ForwardPass {
  public:
    ForwardPass() : scope_(RecordingScope::begin(RecordingScope::Kind::forward_pass)) {}
    ~ForwardPass() { RecordingScope::end(scope_); }
    ForwardPass(const ForwardPass&) = delete;
    ForwardPass& operator=(const ForwardPass&) = delete;

    /// Whether a tape around the pass records the tangents.
    bool is_recorded() const { return scope_->is_recorded(); }
    /// Gives a variable its tangent.
    void set(const Tensor& variable, Tensor tangent) const;
    /// The tangent of a result, which the pass then forgets; undefined if it depends on no variable. Throws TapeError
    /// if the result was overwritten since.
    Tensor take(const Tensor& result) const;

  private:
    const std::shared_ptr<RecordingScope> scope_;
};

/// The tangents of an op's result for a forward pass and those around it, by the op's rule. Throws ShapeError if the
/// rule returns one that is not like the result, TapeError as Forward does.
void push_tangents(const RecordingScope& pass, const Inputs& in, const Tensor& out, const SourceLine& where,
                   const std::function<Tensor(const Forward&)>& rule);
/// The same value, which no tape follows, with the same tangents.
Tensor constant_with_tangents(const Tensor& x);

}  // namespace wengert
