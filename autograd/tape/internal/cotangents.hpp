#pragma once

#include <unordered_map>
#include <vector>
#include <wengert/autograd/tape/internal/accumulate.hpp>
#include <wengert/autograd/tape/internal/view_cotangents.hpp>
#include <wengert/autograd/tape/observer.hpp>

namespace wengert {

/// The cotangents of one backward pass, one slot a node. The first contribution to a slot stores, later ones add in
/// place. Slots of views are view_cotangents.hpp's.
class Cotangents {
  public:
    /// For the nodes from `lowest` to `highest`; `recorded` if the pass is itself recorded.
    Cotangents(const Recording& recording, NodeId lowest, NodeId highest, bool recorded)
        : recording_(recording), recorded_(recorded), slots_(recording, lowest, highest) {}

    /// Marks a node whose cotangent the caller wants.
    void want(NodeId id) { slots_[id].wanted = slots_[id].needed = true; }
    bool wants(NodeId id) const { return slots_[id].wanted; }
    /// Finds out which nodes lie between the wanted ones and the result.
    void mark_needed();
    bool needs(NodeId id) const { return slots_.needs(id); }
    bool is_recorded() const { return recorded_; }
    /// Whether an observer inspects each contribution, so that none may wait.
    bool is_inspected() const { return inspected_; }
    const Recording& recording() const { return recording_; }

    /// Contributes a tensor; `owned` if nobody else will read or write its elements.
    void add(NodeId id, const Tensor& contribution, bool owned);
    /// Contributes to the base of a view node that has this cotangent; false if there is no such view of the base's.
    bool add_through_view(NodeId id, const Tensor& cotangent);
    /// A buffer of the node's shape that a kernel writes or adds to.
    Destination target(NodeId id);
    std::unique_ptr<Pending>& pending(NodeId id) { return slots_[id].pending; }

    /// The complete cotangent; undefined if nothing contributed.
    const Tensor& finish(NodeId id);
    /// The same for a node that the pass has reached; unless it is wanted, it leaves its slot. If the node reads parts,
    /// it may stay partly set along axis 0.
    Tensor take(NodeId id);
    /// What is set of a taken cotangent; null: all of it.
    const Coverage* coverage(NodeId id) const { return slots_[id].coverage.get(); }
    /// The same for the caller, contiguous and, unless the pass is recorded, in memory of its own.
    Tensor hand_out(NodeId id);
    /// Lets go of what was handed out.
    void forget(NodeId id) { slots_[id].tensor = {}; }
    /// Whether a taken cotangent may be overwritten.
    bool may_overwrite(NodeId id) const { return slots_[id].owned && !slots_[id].wanted; }
    /// Whether the node is a view whose cotangent already stands in its base's.
    bool is_alias(NodeId id) const { return slots_[id].alias; }

  private:
    void compute_pending(NodeId id);

    const Recording& recording_;
    const bool recorded_, inspected_ = Observer::is_inspecting_cotangents();
    ViewCotangents slots_;
    /// Of a recorded pass: what views contributed to a node, until finish() adds it up by one op.
    std::unordered_map<NodeId, std::vector<CotangentPart>> parts_;
};

}  // namespace wengert
