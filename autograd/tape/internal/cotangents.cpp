#include <fmt/format.h>

#include <algorithm>
#include <wengert/autograd/tape/internal/accumulate.hpp>
#include <wengert/autograd/tape/internal/cotangents.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {
namespace {

/// Whether elements stand at the same place, as those of a broadcast tensor do.
bool is_stretched(const Tensor& x) {
    for (int axis = 0; axis < x.rank(); ++axis)
        if (x.shape()[axis] > 1 && x.strides()[axis] == 0) return true;
    return false;
}

}  // namespace

Cotangents::Cotangents(Recording& recording, NodeId lowest, NodeId highest, bool recorded)
    : recording_(recording),
      lowest_(lowest),
      recorded_(recorded),
      slots_(static_cast<std::size_t>(highest - lowest + 1)) {}

void Cotangents::want(NodeId id) { slot(id).wanted = slot(id).needed = true; }

void Cotangents::mark_needed() {
    const NodeId end = lowest_ + static_cast<NodeId>(slots_.size());
    for (NodeId id = lowest_; id < end; ++id)
        for (const NodeId input : recording_[id].inputs()) slot(id).needed |= input >= lowest_ && slot(input).needed;
}

void Cotangents::add(NodeId id, const Tensor& contribution, bool owned) {
    if (contribution.shape() != recording_[id].shape())
        throw ShapeError("a contribution of shape " + to_string(contribution.shape()) +
                         " to the cotangent of an operand " + to_string(recording_[id].shape()));
    if (contribution.dtype() != recording_[id].dtype())
        throw DtypeError(fmt::format("a contribution of {} to the cotangent of an operand of {}",
                                     to_string(contribution.dtype()), to_string(recording_[id].dtype())));
    Slot& s = slot(id);
    if (recorded_) {
        s.tensor = s.tensor.defined() ? accumulate(s.tensor, contribution) : contribution;
    } else if (!s.tensor.defined() && (owned || !recording_[id].is_view())) {
        s.tensor = contribution;
        s.owned = owned;
    } else {
        write(contribution, target(id));
    }
}

Destination Cotangents::target(NodeId id) {
    Slot& s = slot(id);
    if (!s.tensor.defined()) {
        const bool adds = begin(id);
        return {s.tensor, adds};
    }
    if (s.coverage) complete(s);
    own(s);
    return {s.tensor, true};
}

/// Gives a slot its buffer: for a view the part of its base's that it shows, else memory of its own. Whether there is
/// something to add to.
bool Cotangents::begin(NodeId id) {
    Slot& s = slot(id);
    const Node& node = recording_[id];
    s.owned = true;
    // A wanted cotangent must not share its elements: other views of the base may still add to them. And views of views
    // are followed one step only, so that a long chain of them is no long recursion.
    if (node.is_view() && !s.wanted) {
        const NodeId base = node.inputs()[0];
        if (needs(base) && (slot(base).tensor.defined() || may_begin_as_base(base)) && can_show(node)) {
            const Destination part = region(node);
            s.tensor = part.tensor;
            s.alias = true;
            return part.accumulate;
        }
    }
    s.tensor = Tensor::empty(node.shape(), node.dtype());
    return false;
}

/// Whether an empty slot can get a buffer without going down more than one further view.
bool Cotangents::may_begin_as_base(NodeId id) const {
    const Node& node = recording_[id];
    if (!node.is_view() || slot(id).wanted) return true;
    const NodeId base = node.inputs()[0];
    return !recording_[base].is_view();
}

/// Whether a view can be taken of its base's buffer, or of the one that the base's slot would begin with.
bool Cotangents::can_show(const Node& view) const {
    const NodeId id = view.inputs()[0];
    const Node& base = recording_[id];
    if (slot(id).tensor.defined()) return view.can_view(slot(id).tensor);
    if (!base.is_view() || slot(id).wanted || !needs(base.inputs()[0])) return true;
    if (!may_begin_as_base(id)) return false;
    // The base would begin as a view of what is below: of the buffer there, or of a new one, of which only the strides
    // matter here.
    const NodeId below = base.inputs()[0];
    const Shape& shape = recording_[below].shape();
    const Tensor buffer = slot(below).tensor.defined()
                              ? slot(below).tensor
                              : Tensor::empty({0}, base.dtype()).view(shape, contiguous_strides(shape), 0);
    return !base.can_view(buffer) || view.can_view(base.view(buffer));
}

/// The part of the base's cotangent that a view shows, and whether it has elements to add to.
Destination Cotangents::region(const Node& view) {
    const NodeId id = view.inputs()[0];
    Slot& base = slot(id);
    const std::optional<Interval> interval = view.interval();
    bool adds = true;
    if (!base.tensor.defined()) {
        adds = begin(id);
        if (!adds && interval) {
            base.coverage = std::make_unique<Coverage>(*interval);
            if (base.alias) leave_open(recording_[id], id);
        } else if (!adds && view.shape().numel() != recording_[id].shape().numel()) {
            fill(base.tensor, 0);  // a part that is no interval is not kept account of
            adds = true;
        }
    } else {
        own(base);
        if (base.coverage) {
            auto& intervals = base.coverage->intervals;
            const bool apart = interval && interval->axis == base.coverage->axis &&
                               std::ranges::all_of(intervals, [&](const Interval& i) {
                                   return i.end <= interval->begin || interval->end <= i.begin;
                               });
            if (apart) {
                intervals.push_back(*interval);
                adds = false;
            } else {
                complete(base);
            }
        }
    }
    return {view.view(base.tensor), adds};
}

/// Notes in a view's base that the view's part of the buffer is not all set yet.
void Cotangents::leave_open(const Node& view, NodeId id) {
    Slot& base = slot(view.inputs()[0]);
    if (!base.coverage) {  // the view shows all of it
        if (base.tensor.rank() == 0) return complete(slot(id));
        base.coverage = std::make_unique<Coverage>(Interval{0, 0, base.tensor.shape()[0]});
        if (base.alias) leave_open(recording_[view.inputs()[0]], view.inputs()[0]);
    }
    base.coverage->open_views.push_back(id);
}

bool Cotangents::add_through_view(NodeId id, const Tensor& cotangent) {
    const Node& view = recording_[id];
    const NodeId base = view.inputs()[0];
    if (!needs(base)) return true;
    if (!can_show(view)) return false;
    write(cotangent, region(view));
    return true;
}

/// Makes the elements safe to overwrite.
void Cotangents::own(Slot& s) {
    if (s.owned) return;
    const Tensor copy = Tensor::empty(s.tensor.shape(), s.tensor.dtype());
    write(s.tensor, {copy});
    s.tensor = copy;
    s.owned = true;
}

/// Sets what no slice has written to zero.
void Cotangents::complete(Slot& s) {
    for (const NodeId view : s.coverage->open_views)
        if (slot(view).coverage) complete(slot(view));
    const int axis = s.coverage->axis;
    auto& intervals = s.coverage->intervals;
    std::ranges::sort(intervals, {}, &Interval::begin);
    const auto clear = [&](std::int64_t begin, std::int64_t end) {
        if (begin >= end) return;
        Shape shape = s.tensor.shape();
        shape[axis] = end - begin;
        fill(s.tensor.view(shape, s.tensor.strides(), s.tensor.offset() + begin * s.tensor.strides()[axis]), 0);
    };
    std::int64_t done = 0;
    for (const Interval& interval : intervals) {
        clear(done, interval.begin);
        done = std::max(done, interval.end);
    }
    clear(done, s.tensor.shape()[axis]);
    s.coverage.reset();
}

const Tensor& Cotangents::finish(NodeId id) {
    Slot& s = slot(id);
    if (s.pending) {
        const std::unique_ptr<Pending> pending = std::move(s.pending);
        const ObservedWork work(pending->name(), recording_[id].place(), Pass::backward);
        pending->run(target(id));
    }
    if (s.coverage) complete(s);
    return s.tensor;
}

Tensor Cotangents::take(NodeId id) {
    finish(id);
    Slot& s = slot(id);
    return s.wanted ? s.tensor : std::move(s.tensor);
}

NodeId Backward::operand(std::size_t input) const {
    if (input >= node_.inputs().size())
        throw ValueError(fmt::format("the rule speaks of operand {}, but the op had {}", input, node_.inputs().size()));
    return node_.inputs()[input];
}

bool Backward::needs(std::size_t input) const {
    const NodeId id = operand(input);
    return id != no_node && cotangents_.needs(id);
}
const Shape& Backward::input_shape(std::size_t input) const {
    const NodeId id = operand(input);
    if (id == no_node) throw TapeError(fmt::format("operand {} is a constant, whose shape is not kept", input));
    return cotangents_.recording()[id].shape();
}
std::size_t Backward::input_count() const { return node_.inputs().size(); }
bool Backward::recording() const { return cotangents_.recorded(); }

const Tensor& Backward::saved(std::size_t i) const {
    if (i >= node_.saved().size())
        throw ValueError(
            fmt::format("the rule asks for saved tensor {}, but the op's `saves` keeps {}", i, node_.saved().size()));
    const Saved& saved = node_.saved()[i];
    if (!saved.tensor.defined())
        throw TapeError("an earlier gradient(), which failed midway, has used up what this pass needs");
    if (saved.tensor.version() != saved.version) {
        const std::string name = saved.tensor.name().empty() ? "" : " \"" + saved.tensor.name() + '"';
        throw TapeError("a tensor" + name + " " + to_string(saved.tensor.shape()) +
                        " that backward needs was overwritten after the forward pass (version " +
                        std::to_string(saved.tensor.version()) + ", saved at version " + std::to_string(saved.version) +
                        ")");
    }
    return saved.tensor;
}

Tensor Backward::take_saved(std::size_t i) {
    const Tensor& tensor = saved(i);
    return is_last_ ? std::move(node_.saved_[i].tensor) : tensor;
}

void Backward::add(std::size_t input, Tensor contribution) {
    if (!needs(input)) return;
    cotangents_.add(node_.inputs()[input], contribution, contribution.is_unique() && !is_stretched(contribution));
}

void Backward::give(std::size_t input, const Tensor& part) {
    if (!needs(input)) return;
    cotangents_.add(node_.inputs()[input], part, owns_cotangent_);
}

Destination Backward::target(std::size_t input) { return cotangents_.target(operand(input)); }
std::unique_ptr<Pending>& Backward::pending(std::size_t input) { return cotangents_.pending(node_.inputs()[input]); }

bool Backward::may_queue(std::size_t input) const {
    return !cotangents_.inspected() && cotangents_.recording()[node_.inputs()[input]].uses() > 1;
}

}  // namespace wengert
