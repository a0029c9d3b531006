#include <wengert/autograd/tape/internal/view_cotangents.hpp>

namespace wengert {
bool Coverage::add(std::int64_t begin, std::int64_t end) {
    if (begin == end) return true;
    const auto next = intervals_.lower_bound(begin);
    if (next != intervals_.end() && next->first < end) return false;
    const auto previous = next != intervals_.begin() ? std::prev(next) : intervals_.end();
    if (previous != intervals_.end() && previous->second > begin) return false;

    const bool continues = previous != intervals_.end() && previous->second == begin;
    const bool leads_on = next != intervals_.end() && next->first == end;
    if (continues) {
        previous->second = leads_on ? next->second : end;
        if (leads_on) intervals_.erase(next);
    } else if (leads_on) {
        const auto behind = std::next(next);
        auto interval = intervals_.extract(next);
        interval.key() = begin;
        intervals_.insert(behind, std::move(interval));
    } else {
        intervals_.emplace_hint(next, begin, end);
    }
    return true;
}

void own(CotangentSlot& slot) {
    if (slot.owned) return;
    const Tensor copy = Tensor::empty(slot.tensor.shape(), slot.tensor.dtype());
    write(slot.tensor, {copy});
    slot.tensor = copy;
    slot.owned = true;
}

bool ViewCotangents::begin(NodeId id) {
    CotangentSlot& slot = (*this)[id];
    const Node& node = recording_[id];
    slot.owned = true;
    // A wanted cotangent must not share its elements: other views of the base may still add to them. And views of views
    // are followed one step only, so that a long chain of them is no long recursion.
    if (node.is_view() && !slot.wanted) {
        const NodeId base = node.inputs()[0];
        if (needs(base) && ((*this)[base].tensor.defined() || may_begin_as_base(base)) && can_show(node)) {
            const Destination part = region(node);
            slot.tensor = part.tensor;
            slot.alias = true;
            return part.accumulate;
        }
    }
    slot.tensor = Tensor::empty(node.shape(), node.dtype());
    return false;
}

std::optional<Destination> ViewCotangents::part_of_base(NodeId view) {
    const Node& node = recording_[view];
    return can_show(node) ? std::optional(region(node)) : std::nullopt;
}

/// Whether an unset slot can get a buffer without going down more than one further view.
bool ViewCotangents::may_begin_as_base(NodeId id) const {
    const Node& node = recording_[id];
    if (!node.is_view() || (*this)[id].wanted) return true;
    const NodeId base = node.inputs()[0];
    return !recording_[base].is_view();
}

/// Whether a view can be taken of its base's buffer, or of the one that the base's slot would begin with.
bool ViewCotangents::can_show(const Node& view) const {
    const NodeId id = view.inputs()[0];
    const Node& base = recording_[id];
    if ((*this)[id].tensor.defined()) return view.can_view((*this)[id].tensor);
    if (!base.is_view() || (*this)[id].wanted || !needs(base.inputs()[0])) return true;
    if (!may_begin_as_base(id)) return false;
    // The base would begin as a view of what is below: of the buffer there, or of a new one, of which only the strides
    // matter here.
    const NodeId below = base.inputs()[0];
    const Tensor& buffer = (*this)[below].tensor;
    const Tensor shown = buffer.defined() ? buffer : Tensor::empty(recording_[below].shape(), base.dtype());
    return !base.can_view(shown) || view.can_view(base.view(shown));
}

/// The part of the base's buffer that a view shows, and whether it has elements to add to.
Destination ViewCotangents::region(const Node& view) {
    const NodeId id = view.inputs()[0];
    CotangentSlot& base = (*this)[id];
    const std::optional<Interval> interval = view.interval();
    bool adds = true;
    if (!base.tensor.defined()) {
        adds = begin(id);
        if (!adds && interval) {
            base.coverage = std::make_unique<Coverage>(interval->axis);
            base.coverage->add(interval->begin, interval->end);
            if (base.alias) leave_open(recording_[id], id);
        } else if (!adds && view.shape().numel() != recording_[id].shape().numel()) {
            fill(base.tensor, 0);  // a part that is no interval is not kept account of
            adds = true;
        }
    } else {
        own(base);
        if (base.coverage) {
            const bool along_axis = interval && interval->axis == base.coverage->axis();
            if (along_axis && base.coverage->add(interval->begin, interval->end))
                adds = false;
            else
                complete(base);
        }
    }
    return {view.view(base.tensor), adds};
}

/// Notes in a view's base that the view's part of the buffer is not all set yet.
void ViewCotangents::leave_open(const Node& view, NodeId id) {
    const NodeId base_id = view.inputs()[0];
    CotangentSlot& base = (*this)[base_id];
    if (!base.coverage) {  // the view shows all of it
        if (base.tensor.rank() == 0) return complete((*this)[id]);
        base.coverage = std::make_unique<Coverage>(0);
        base.coverage->add(0, base.tensor.shape()[0]);
        if (base.alias) leave_open(recording_[base_id], base_id);
    }
    base.coverage->open_views.push_back(id);
}

void ViewCotangents::complete(CotangentSlot& slot) {
    for (const NodeId view : slot.coverage->open_views)
        if ((*this)[view].coverage) complete((*this)[view]);
    const Tensor& x = slot.tensor;
    const int axis = slot.coverage->axis();
    slot.coverage->for_each_gap(x.shape()[axis], [&](std::int64_t begin, std::int64_t end) {
        Shape shape = x.shape();
        shape[axis] = end - begin;
        fill(x.view(shape, x.strides(), x.offset() + begin * x.strides()[axis]), 0);
    });
    slot.coverage.reset();
}

}  // namespace wengert
