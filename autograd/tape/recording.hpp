#pragma once

#include <unordered_map>
#include <vector>
#include <wengert/autograd/tape/internal/arena.hpp>
#include <wengert/autograd/tape/node.hpp>

namespace wengert {

/// The list itself: what the live tapes of one thread have in common. The outermost Tape makes it, nested tapes share
/// it, and it ends with the outermost.
class Recording {
  public:
    Recording();
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    /// The list that ops on this thread append to; null without a live tape, and while a Pause lives.
    static Recording* current() { return current_; }

    /// The id of a tensor: of the node that computed it, or of its leaf. no_node for a constant, and for a parameter
    /// that has not been met. Throws TapeError if a tape that has ended recorded the tensor.
    NodeId find(const Tensor& tensor) const;
    /// The same, but a parameter becomes a leaf when it is first met.
    NodeId follow(const Tensor& tensor);
    /// Looks all operands up; whether the list follows at least one.
    bool follows(const Inputs& in);
    /// Makes a leaf of a tensor that the list does not follow yet.
    NodeId watch(const Tensor& tensor);

    /// Appends the node that computed `out` from the operands last given to follows(), of which it keeps `saved`.
    template <class NodeType, class Op>
    void append(const Op& op, const Inputs& in, const Inputs& saved, bool saves_output, const Tensor& out,
                const SourceLine& where) {
        Node* const node = new (arena_.allocate_for<NodeType>()) NodeType(op);
        link(node, in, saved, saves_output, out, where);
    }

    NodeId size() const { return static_cast<NodeId>(nodes_.size()); }
    const Node& operator[](NodeId id) const { return *nodes_[static_cast<std::size_t>(id)]; }
    /// Fetches what the rules of the nodes before `id` will read, which on a long tape has left the processor's cache.
    void prefetch_before(NodeId id) const;
    /// While it lives, nodes bear the line of the node whose rule makes them: a recorded pass shows the user's lines,
    /// not the rules'.
    class Rule {
      public:
        Rule(Recording& recording, const Node& node) : rule_(recording.rule_) { rule_ = &node; }
        ~Rule() { rule_ = nullptr; }
        Rule(const Rule&) = delete;
        Rule& operator=(const Rule&) = delete;

      private:
        const Node*& rule_;
    };
    /// Drops what a node keeps for its vjp.
    void release(NodeId id) { nodes_[static_cast<std::size_t>(id)]->release(); }

  private:
    friend class Tape;
    friend class Pause;
    template <class T>
    using Vector = std::vector<T, CachedAllocator<T>>;
    using Leaves = std::unordered_map<const TensorState*, NodeId, std::hash<const TensorState*>, std::equal_to<>,
                                      CachedAllocator<std::pair<const TensorState* const, NodeId>>>;

    void add(Node* node);
    void link(Node* node, const Inputs& in, const Inputs& saved, bool saves_output, const Tensor& out,
              const SourceLine& where);

    constinit static thread_local Recording* current_;

    const std::uint64_t serial_;
    Arena arena_;
    Vector<Node*> nodes_;
    Vector<NodeId> operands_;  // of follows(), kept here so that no call allocates
    Leaves leaves_;
    const Node* rule_ = nullptr;
    bool has_watched_ = false;
    int tapes_ = 0;  // how many live tapes share the list
};

/// While it lives, ops of this thread are not recorded: what they compute is constant.
class Pause {
  public:
    Pause() : recording_(std::exchange(Recording::current_, nullptr)) {}
    ~Pause() { Recording::current_ = recording_; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

  private:
    Recording* recording_;
};

/// While it lives, each op's result and each cotangent is checked, and the first NaN, or infinity that no operand
/// brings, throws NonFiniteError with the op, its scope, the shapes and the line that made the node. Slow; for finding
/// a fault.
class DetectAnomalies {
  public:
    DetectAnomalies();
    ~DetectAnomalies();
    DetectAnomalies(const DetectAnomalies&) = delete;
    DetectAnomalies& operator=(const DetectAnomalies&) = delete;

  private:
    bool outer_;
};
bool detecting_anomalies();

/// Throws NonFiniteError naming the first element of `out` that is not finite, with the operands' ranges.
void require_finite_output(const Inputs& in, const Tensor& out);
/// The same for a cotangent that `node` has just contributed to its input `index`.
void require_finite_cotangent(const Node& node, std::size_t index, const Tensor& cotangent);

/// "decoder.cell, step 3; rhs = parameter "decoder.cell.weight_ih"": the place, and the operands that have a name or a
/// node. `names` are the op's words for its operands, and may be fewer.
std::string describe_operands(const Inputs& in, std::span<const std::string_view> names);

}  // namespace wengert
