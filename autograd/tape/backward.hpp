#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <span>
#include <vector>
#include <wengert/autograd/tape/node.hpp>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/strided.hpp>

namespace WENGERT_EXPORT wengert {

class Cotangents;
class Coverage;

/// Contributions to one cotangent that wait to be computed together.
class Pending : public Cached {
  public:
    virtual ~Pending() = default;
    /// Computes all of them, and writes or adds the sum.
    virtual void run(const Destination& out) const = 0;
    /// The op's name.
    virtual std::string_view name() const = 0;
};

/// What a vjp works with: the cotangent of its node's output, the tensors that its node saved, and a way to contribute
/// to the cotangents of its inputs. The rule says what they are; the engine decides whether one is stored, added,
/// moved, queued or recorded.
class Backward {
  public:
    /// `is_last`: no later pass will need what the node keeps. `coverage`: what is set of the cotangent; null: all.
    Backward(Cotangents& cotangents, const Node& node, const Tensor& cotangent, bool owns_cotangent, bool is_last,
             const Coverage* coverage)
        : cotangents_(cotangents),
          node_(node),
          cotangent_(cotangent),
          coverage_(coverage),
          owns_cotangent_(owns_cotangent),
          is_last_(is_last) {}

    /// The cotangent of the output, of the output's shape.
    const Tensor& cotangent() const { return cotangent_; }
    /// Whether cotangent()[i] is zero and must not be read. Only of an op that reads_parts().
    bool is_unset(std::int64_t i) const;
    /// A tensor that the node saved. Throws TapeError if it was overwritten since, or if a pass that failed has used it
    /// up, ValueError if the node saves fewer.
    const Tensor& saved(std::size_t i) const;
    /// The same for its last use: the node's own handle if no later pass needs it. A rule may then overwrite the
    /// elements if is_unique() says that nobody else reads them.
    Tensor take_saved(std::size_t i);
    /// A tensor that forward() left in its workspace; undefined if it set none. Throws ValueError if the workspace has
    /// fewer.
    const Tensor& workspace(std::size_t i) const;
    /// The same for its last use, as take_saved().
    Tensor take_workspace(std::size_t i);
    /// How many operands the op had.
    std::size_t input_count() const;
    /// The user's line that made the node.
    const SourceLine& where() const { return node_.where(); }
    /// Whether anything waits for the cotangent of an input; contributions to others may be left out. Throws
    /// ValueError, as all do that take an input, if the op had fewer.
    bool needs(std::size_t input) const;
    /// The shape of an input that the tape follows. Throws TapeError for a constant, whose shape the node does not
    /// keep.
    const Shape& input_shape(std::size_t input) const;
    /// Whether this pass is itself recorded (create_graph). The rule then contributes results of ops, by add().
    bool is_recorded() const;

    /// Contributes a tensor of the input's shape. The engine uses its buffer as it is if this is the last handle.
    /// Throws ShapeError or DtypeError if it is not like the input.
    void add(std::size_t input, Tensor contribution);
    /// Contributes a part of cotangent() that no other input gets, so that it need not be copied. Throws as add().
    void add_part(std::size_t input, const Tensor& part);
    /// Where a kernel puts its contribution itself, in a pass that is not recorded. Throws ValueError if nothing waits
    /// for it: the kernel would compute in vain.
    Destination target(std::size_t input);
    /// Contributes op(operands...), computed in place, and together with other contributions of this kind to the same
    /// input if the op can `merge` them.
    template <class Op, std::same_as<Tensor>... Operands>
    void add(std::size_t input, const Op& op, const Operands&... operands);

  private:
    template <class Op, std::size_t n>
    struct Queue;

    NodeId operand(std::size_t input) const;
    std::unique_ptr<Pending>& pending(std::size_t input);
    bool may_queue(std::size_t input) const;

    Cotangents& cotangents_;
    const Node& node_;
    const Tensor& cotangent_;
    const Coverage* const coverage_;
    const bool owns_cotangent_, is_last_;
};

/// Waiting applications of one op.
template <class Op, std::size_t n>
struct Backward::Queue final : Pending {
    using Operands = std::array<Tensor, n>;
    explicit Queue(const Op& o) : op(o) {}
    /// The name of the op that waits.
    std::string_view name() const override;
    void run(const Destination& out) const override { op.merge(std::span<const Operands>(waiting), out); }
    const Op op;
    std::vector<Operands, CachedAllocator<Operands>> waiting;
};

}  // namespace wengert
