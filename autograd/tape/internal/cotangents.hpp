#pragma once

#include <memory>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {

/// The cotangents of one backward pass, one slot a node.
///
/// A slot is empty (a zero that takes no memory) until its first contribution, which stores; later ones add in place. A
/// view's cotangent is the same view of its base's cotangent, so that slices of one tensor write side by side into one
/// buffer and nothing is copied when the pass reaches the slice itself.
class Cotangents {
  public:
    Cotangents(Recording& recording, NodeId lowest, NodeId highest, bool recorded);

    /// Marks a node whose cotangent the caller wants.
    void want(NodeId id);
    /// Finds out which nodes lie between the wanted ones and the loss.
    void mark_needed();
    bool needs(NodeId id) const { return id >= lowest_ && slot(id).needed; }
    bool wants(NodeId id) const { return slot(id).wanted; }
    bool recorded() const { return recorded_; }
    /// Whether an observer inspects each contribution, so that none may wait.
    bool inspected() const { return inspected_; }

    /// Contributes a tensor; `owned` if nobody else will read or write its elements.
    void add(NodeId id, const Tensor& contribution, bool owned);
    /// A buffer of the node's shape that a kernel writes or adds to.
    Destination target(NodeId id);
    std::unique_ptr<Pending>& pending(NodeId id) { return slot(id).pending; }

    /// The complete cotangent of a node that the pass has reached; undefined if nothing contributed.
    const Tensor& finish(NodeId id);
    /// The same; unless it is wanted, it leaves its slot.
    Tensor take(NodeId id);
    bool owns(NodeId id) const { return slot(id).owned; }
    /// Whether the node is a view whose cotangent already stands in its base's.
    bool is_alias(NodeId id) const { return slot(id).alias; }
    /// Contributes a view node's cotangent to the same view of its base's; false if there is no such view.
    bool add_through_view(NodeId id, const Tensor& cotangent);

    const Recording& recording() const { return recording_; }

  private:
    /// The intervals of one axis that slices have written so far, in a buffer that is otherwise not set.
    struct Coverage : Cached {
        explicit Coverage(const Interval& first) : axis(first.axis), intervals{first} {}
        int axis;
        std::vector<Interval, CachedAllocator<Interval>> intervals;
        std::vector<NodeId, CachedAllocator<NodeId>> open_views;  // views among them that are not all set themselves
    };
    struct Slot {
        Tensor tensor;
        std::unique_ptr<Pending> pending;
        std::unique_ptr<Coverage> coverage;
        bool owned = false;  // the elements may be overwritten
        bool alias = false;  // the elements are a part of the base's slot
        bool needed = false;
        bool wanted = false;
    };

    Slot& slot(NodeId id) { return slots_[static_cast<std::size_t>(id - lowest_)]; }
    const Slot& slot(NodeId id) const { return slots_[static_cast<std::size_t>(id - lowest_)]; }
    static void own(Slot& slot);
    void complete(Slot& slot);
    bool begin(NodeId id);
    bool can_show(const Node& view) const;
    bool may_begin_as_base(NodeId id) const;
    Destination region(const Node& view);
    void leave_open(const Node& view, NodeId id);

    Recording& recording_;
    const NodeId lowest_;
    const bool recorded_, inspected_ = Observer::is_inspecting_cotangents();
    std::vector<Slot, CachedAllocator<Slot>> slots_;
};

}  // namespace wengert
