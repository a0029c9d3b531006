#include <fmt/format.h>

#include <wengert/autograd/tape/internal/cotangents.hpp>
#include <wengert/autograd/tape/internal/running_rule.hpp>

namespace wengert {
namespace {

/// Whether a tensor is all of its storage, and no view shows a part of it.
bool fills_its_own_storage(const Tensor& x) {
    const Storage& storage = *x.state()->storage;
    return storage.references.load() == 1 && storage.bytes == static_cast<std::size_t>(x.numel()) * size_of(x.dtype());
}

/// What views contribute to along axis 0, for a node that reads parts; null: perhaps all of it.
std::unique_ptr<Coverage> coverage_of(const Node& node, const std::vector<CotangentPart>& parts) {
    if (!node.reads_parts()) return nullptr;
    auto coverage = std::make_unique<Coverage>(0);
    for (const CotangentPart& part : parts) {
        const Interval interval = *part.view->interval();
        if (interval.axis != 0) return nullptr;
        if (coverage->add(interval.begin, interval.end)) continue;
        for (std::int64_t i = interval.begin; i < interval.end; ++i)
            if (!coverage->contains(i)) return nullptr;
    }
    return coverage;
}

}  // namespace

void Cotangents::mark_needed() {
    for (NodeId id = slots_.lowest(); id < slots_.end(); ++id)
        for (const NodeId input : recording_[id].inputs()) slots_[id].needed |= needs(input);
}

void Cotangents::add(NodeId id, const Tensor& contribution, bool owned) {
    const Node& node = recording_[id];
    if (contribution.shape() != node.shape())
        throw ShapeError(fmt::format("a contribution of shape {} to the cotangent of an operand {}",
                                     to_string(contribution.shape()), to_string(node.shape())));
    if (contribution.dtype() != node.dtype())
        throw DtypeError(fmt::format("a contribution of {} to the cotangent of an operand of {}",
                                     to_string(contribution.dtype()), to_string(node.dtype())));
    CotangentSlot& slot = slots_[id];
    if (recorded_) {
        slot.tensor = slot.tensor.defined() ? accumulate(slot.tensor, contribution) : contribution;
    } else if (!slot.tensor.defined() && (owned || !node.is_view())) {
        slot.tensor = contribution;
        slot.owned = owned;
    } else {
        write(contribution, target(id));
    }
}

bool Cotangents::add_through_view(NodeId id, const Tensor& cotangent) {
    const Node& view = recording_[id];
    const NodeId base = view.inputs()[0];
    if (!needs(base)) return true;
    if (recorded_) {
        if (view.interval()) parts_[base].push_back({&view, cotangent});
        return view.interval().has_value();
    }
    const std::optional<Destination> part = slots_.part_of_base(id);
    if (part) write(cotangent, *part);
    return part.has_value();
}

Destination Cotangents::target(NodeId id) {
    CotangentSlot& slot = slots_[id];
    if (!slot.tensor.defined()) {
        const bool adds = slots_.begin(id);
        return {slot.tensor, adds};
    }
    if (slot.coverage) slots_.complete(slot);
    own(slot);
    return {slot.tensor, true};
}

void Cotangents::compute_pending(NodeId id) {
    CotangentSlot& slot = slots_[id];
    if (slot.pending) {
        const std::unique_ptr<Pending> pending = std::move(slot.pending);
        const RunningRule running(recording_[id], true);
        const ObservedWork work(pending->name(), recording_[id].place(), Pass::backward);
        pending->run(target(id));
    }
    if (recorded_)
        if (const auto parts = parts_.extract(id)) {
            if (!slot.tensor.defined()) slot.coverage = coverage_of(recording_[id], parts.mapped());
            add(id, accumulate_parts(recording_[id], parts.mapped()), true);
        }
}

const Tensor& Cotangents::finish(NodeId id) {
    compute_pending(id);
    CotangentSlot& slot = slots_[id];
    if (recorded_) slot.coverage.reset();  // what is not covered is zero
    if (slot.coverage) slots_.complete(slot);
    return slot.tensor;
}

Tensor Cotangents::take(NodeId id) {
    compute_pending(id);
    CotangentSlot& slot = slots_[id];
    if (slot.coverage &&
        (!recording_[id].reads_parts() || slot.coverage->axis() != 0 || !slot.coverage->open_views.empty()))
        slots_.complete(slot);
    return slot.wanted ? slot.tensor : std::move(slot.tensor);
}

Tensor Cotangents::hand_out(NodeId id) {
    const Tensor& gradient = finish(id);
    if (recorded_ || !gradient.defined()) return gradient;
    CotangentSlot& slot = slots_[id];
    const bool is_first = !std::exchange(slot.handed_out, true);
    const bool is_free = slot.owned && is_first && fills_its_own_storage(gradient) && gradient.is_contiguous();
    return is_free ? gradient : gradient.clone();
}

}  // namespace wengert
