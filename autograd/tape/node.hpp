#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

class Backward;

/// The operands of one application of an op: a parameter of functions, never a variable, since a list {&a, &b} that it
/// is made from ends with the expression.
class Inputs {
  public:
    /// From a list {&a, &b}, which must outlive the call.
    Inputs(std::initializer_list<const Tensor*> tensors) : tensors_(tensors.begin(), tensors.size()) {}
    /// From pointers, which must outlive the call.
    explicit Inputs(std::span<const Tensor* const> tensors) : tensors_(tensors) {}

    /// Operand i.
    const Tensor& operator[](std::size_t i) const { return *tensors_[i]; }
    /// How many operands there are.
    std::size_t size() const { return tensors_.size(); }
    /// The first n of them, or all if there are fewer.
    Inputs first(std::size_t n) const { return Inputs(tensors_.first(std::min(n, tensors_.size()))); }

  private:
    std::span<const Tensor* const> tensors_;
};

/// Which tensors a node keeps for its vjp. saved(i) counts the inputs first, then the output.
enum class Saves : std::uint8_t { nothing = 0, inputs = 1, output = 2, inputs_and_output = 3 };

/// A tensor kept for the backward pass, and how often its storage had been written then.
struct Saved {
    Tensor tensor;          ///< the node's handle; undefined once a rule has taken it
    std::uint32_t version;  ///< of the storage when the node was made
};

/// What an op's forward() computes for its rule beside the output: tensors that the node keeps. They are undefined
/// until forward() sets them, and may stay so.
struct Workspace {
    std::span<Tensor> tensors;  ///< as many as the op says; undefined until forward() sets them
    std::uint64_t followed;     ///< a bit for each operand: the tape follows it

    /// Whether the tape follows an operand.
    bool follows(std::size_t operand) const { return (followed >> operand & 1) != 0; }
};

/// The part of one axis that a view shows: elements [begin, end).
struct Interval {
    int axis;                 ///< counted from the front
    std::int64_t begin, end;  ///< the first position, and the one behind the last
};

/// One line of the tape: an op with what its rules need, or a leaf. Nodes live in the recording's arena; their ids are
/// their positions on the tape, so that every input has a smaller id than its user.
class Node {
  public:
    Node() = default;
    virtual ~Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// The op's name.
    virtual std::string_view name() const = 0;
    /// Whether it has no op: a parameter or a watched tensor.
    virtual bool is_leaf() const { return false; }
    /// Contributes to the cotangents of the inputs.
    virtual void vjp(Backward& back) const = 0;
    /// Whether the output is a view of the input in which no element appears twice.
    virtual bool is_view() const { return false; }
    /// The same view of another tensor of the input's shape, and whether there is one. Of a contiguous tensor there is.
    virtual Tensor view(const Tensor& base) const { return base; }
    /// Whether `base` can be shown so without a copy.
    virtual bool can_view(const Tensor&) const { return true; }
    /// The same view as an op, which is recorded.
    virtual Tensor apply_view(const Tensor& base) const { return view(base); }
    /// The same op on other operands, which is recorded; undefined if the node cannot tell.
    virtual Tensor apply_again(const Inputs&) const { return {}; }
    /// Whether vjp() asks which parts of the cotangent along axis 0 are unset(), and does not read those.
    virtual bool reads_parts() const { return false; }
    /// Whether operand 0 counts as symmetric matrices, of which one triangle is read, so that vjp() gives the
    /// derivative by a symmetric change.
    virtual bool takes_symmetric() const { return false; }
    /// Of a view that shows a part of one axis.
    virtual std::optional<Interval> interval() const { return std::nullopt; }

    /// The ids of the operands' nodes; no_node for a constant.
    std::span<const NodeId> inputs() const { return {inputs_, input_count_}; }
    /// What the node keeps of its operands and its output.
    std::span<const Saved> saved() const { return kept().first(kept_count_ - workspace_count_); }
    /// What forward() left for the rule.
    std::span<const Saved> workspace() const { return kept().last(workspace_count_); }
    /// Both.
    std::span<const Saved> kept() const { return {kept_, kept_count_}; }
    /// Of the output.
    const Shape& shape() const { return shape_; }
    /// Of the output.
    Dtype dtype() const { return dtype_; }
    /// The scope and the step in which the op ran.
    const Place& place() const { return place_; }
    /// The user's line that called the op.
    const SourceLine& where() const { return where_; }
    /// How many later nodes use the output.
    std::int32_t uses() const { return uses_; }
    /// A backward pass has been here and let go of what the node kept.
    bool released() const { return released_; }

  private:
    friend class Recording;
    friend class Backward;
    void release();

    NodeId* inputs_ = nullptr;
    Saved* kept_ = nullptr;
    std::uint32_t input_count_ = 0, kept_count_ = 0;
    std::int32_t uses_ = 0;
    std::uint16_t workspace_count_ = 0;
    Dtype dtype_ = Dtype::float32;
    bool released_ = false;
    Shape shape_;
    Place place_;
    SourceLine where_;
};

/// A value that the tape follows but did not compute: a parameter, or a tensor that was watched.
class Leaf final : public Node {
  public:
    /// Of a parameter or a watched tensor.
    explicit Leaf(const Tensor& tensor) : tensor_(tensor) {}
    std::string_view name() const override { return tensor_.is_parameter() ? "parameter" : "input"; }
    /// Always: a leaf has no op.
    bool is_leaf() const override { return true; }
    void vjp(Backward&) const override {}
    /// The parameter or the watched tensor.
    const Tensor& tensor() const { return tensor_; }

  private:
    Tensor tensor_;
};

}  // namespace wengert
