#pragma once

#include <span>
#include <vector>
#include <wengert/autograd/observe/internal/drawing.hpp>

namespace wengert {

/// An operand that a node keeps for its rule; null if it does not keep that one.
const Tensor* saved_operand(const Node& node, NodeId id, std::size_t operand);

/// "[64, 256] float32"; "[12..64, 256] float32" where shapes differ. There is at least one.
std::string describe_type(std::span<const Shape> shapes, Dtype dtype);

/// What a picture says of nodes in numbers and words.
class NodeFacts {
  public:
    NodeFacts(const Tape& tape, const GraphOptions& options);

    std::string family(const Node& node) const;
    /// Of an elementwise op; see NodeText.
    static std::optional<std::string> formula(const Node& node);
    std::string type(std::span<const NodeId> nodes) const;
    GraphTotals totals(std::span<const NodeId> nodes) const;
    /// "0.123 ms, backward 0.456 ms"; empty if nobody measured.
    std::string times(const GraphTotals& totals) const;
    /// A NaN or an infinity that a node's value has.
    std::optional<double> non_finite(NodeId id) const { return costs_[static_cast<std::size_t>(id)].non_finite; }

  private:
    void look_at_values();

    const Tape& tape_;
    const GraphOptions& options_;
    std::vector<NodeCost> costs_;
};

}  // namespace wengert
