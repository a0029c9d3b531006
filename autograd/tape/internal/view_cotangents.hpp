#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>
#include <wengert/autograd/tape/backward.hpp>
#include <wengert/autograd/tape/recording.hpp>

namespace wengert {

/// What is set of a buffer whose other elements are not: intervals of one axis, sorted, none of which overlap or touch.
/// T slices of one tensor cost O(log T) each, and O(1) if they come in order.
class Coverage : public Cached {
  public:
    explicit Coverage(int axis) : axis_(axis) {}

    int axis() const { return axis_; }
    /// Notes that an interval gets set. False if a part of it was set before; then nothing is noted.
    bool add(std::int64_t begin, std::int64_t end);
    /// Whether element i of the axis is set.
    bool contains(std::int64_t i) const {
        const auto next = intervals_.upper_bound(i);
        return next != intervals_.begin() && i < std::prev(next)->second;
    }
    /// Calls f(begin, end) for what is not set of an axis of this length.
    template <class F>
    void for_each_gap(std::int64_t length, const F& f) const {
        std::int64_t done = 0;
        for (const auto& [begin, end] : intervals_) {
            if (done < begin) f(done, begin);
            done = end;
        }
        if (done < length) f(done, length);
    }
    /// Views whose part counts as set here, although their own slots are partly set.
    std::vector<NodeId, CachedAllocator<NodeId>> open_views;

  private:
    using Intervals = std::map<std::int64_t, std::int64_t, std::less<>,
                               CachedAllocator<std::pair<const std::int64_t, std::int64_t>>>;  // begin to end
    int axis_;
    Intervals intervals_;
};

/// The cotangent of one node while a pass collects it. Half a cache line, since a long tape has many.
struct CotangentSlot {
    Tensor tensor;
    std::unique_ptr<Pending> pending;
    std::unique_ptr<Coverage> coverage;
    bool owned = false;       // the elements may be overwritten
    bool alias = false;       // the elements are a part of the base's slot
    bool needed = false;      // a wanted cotangent follows from this one
    bool wanted = false;      // the caller asked for it
    bool handed_out = false;  // the caller has it
};

/// The slots of a pass, and how the slot of a view comes to be the same view of its base's slot, so that the slices of
/// one tensor write side by side into one buffer and nothing is copied when the pass reaches the slices.
///
/// Invariant: a slot is *unset* (no tensor: a zero that takes no memory), *partly set* (a tensor, with a list of what
/// is set in it: coverage) or *set* (a tensor without coverage). Elements outside the coverage are never read. Where a
/// view is a partly set part of its base, the base's coverage lists the view in open_views, at every level of views.
class ViewCotangents {
  public:
    ViewCotangents(const Recording& recording, NodeId lowest, NodeId highest)
        : recording_(recording), lowest_(lowest), slots_(static_cast<std::size_t>(highest - lowest + 1)) {}

    NodeId lowest() const { return lowest_; }
    NodeId end() const { return lowest_ + static_cast<NodeId>(slots_.size()); }
    CotangentSlot& operator[](NodeId id) { return slots_[static_cast<std::size_t>(id - lowest_)]; }
    const CotangentSlot& operator[](NodeId id) const { return slots_[static_cast<std::size_t>(id - lowest_)]; }
    bool needs(NodeId id) const { return id >= lowest_ && (*this)[id].needed; }

    /// Gives an unset slot its buffer: for a view the part of its base's that it shows, else memory of its own. Whether
    /// there are elements to add to.
    bool begin(NodeId id);
    /// The part of its base's buffer that a view shows; nothing if there is no such view.
    std::optional<Destination> part_of_base(NodeId view);
    /// Makes a partly set slot set: the rest of it becomes zero.
    void complete(CotangentSlot& slot);

  private:
    bool can_show(const Node& view) const;
    bool may_begin_as_base(NodeId id) const;
    Destination region(const Node& view);
    void leave_open(const Node& view, NodeId id);

    const Recording& recording_;
    const NodeId lowest_;
    std::vector<CotangentSlot, CachedAllocator<CotangentSlot>> slots_;
};

/// Makes the elements of a slot safe to overwrite.
void own(CotangentSlot& slot);

}  // namespace wengert
