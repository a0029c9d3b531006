#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <wengert/autograd/tape/internal/cotangents.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/autograd/tape/tape.hpp>

namespace wengert {
namespace {

/// The list of the thread's live tapes. Recording::current() may be null while it is paused.
constinit thread_local Recording* recording_of_thread = nullptr;

/// Anomaly mode's look at what a rule has just contributed.
void require_finite_cotangents(const Node& node, Cotangents& cotangents) {
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
        const NodeId input = node.inputs()[i];
        if (input == no_node || !cotangents.needs(input)) continue;
        if (const Tensor cotangent = cotangents.finish(input); cotangent.defined())
            require_finite_cotangent(node, i, cotangent);
    }
}

/// Whether a tensor is all of its storage, and no view shows a part of it.
bool fills_its_own_storage(const Tensor& x) {
    const Storage& storage = *x.state()->storage;
    return storage.references.load() == 1 && storage.bytes == static_cast<std::size_t>(x.numel()) * size_of(x.dtype());
}

}  // namespace

Tape::Tape() : recording_(recording_of_thread) {
    if (recording_ == nullptr) recording_of_thread = recording_ = new Recording;
    ++recording_->tapes_;
    outer_ = std::exchange(Recording::current_, recording_);
}

Tape::~Tape() {
    Recording::current_ = outer_;
    if (--recording_->tapes_ > 0) return;
    Recording::current_ = recording_of_thread = nullptr;
    delete recording_;
}

void Tape::require_own_thread() const {
    if (recording_ != recording_of_thread) throw TapeError("a tape was used by a thread that did not make it");
}

void Tape::watch(const Tensor& tensor, const SourceLine& where) try {
    require_own_thread();
    if (!tensor.defined()) throw ValueError("the tensor is undefined");
    recording_->watch(tensor);
} catch (Error& error) {
    error.locate("watch", to_string(current_place()), where);
    throw;
}

NodeId Tape::find(const Tensor& tensor, const SourceLine& where) const try {
    require_own_thread();
    if (!tensor.defined()) throw ValueError("the tensor is undefined");
    return recording_->find(tensor);
} catch (Error& error) {
    error.locate("find", to_string(current_place()), where);
    throw;
}

std::vector<Tensor> Tape::gradient(const Tensor& result, std::span<const Tensor> inputs, const GradientOptions& options,
                                   const SourceLine& where) try {
    require_own_thread();
    if (!result.defined()) throw ValueError("the result is an undefined tensor");
    if (options.create_graph && Recording::current() == nullptr)
        throw TapeError("create_graph asks to record the pass, but a Pause lives, under which nothing is recorded");
    Recording& recording = *recording_;
    const NodeId top = recording.follow(result);
    if (top == no_node) {
        if (const char* const op = result.state()->constant_because)
            throw NotDifferentiableError(fmt::format("the result comes from {}, which has no derivative", op));
        throw TapeError("the result does not depend on any parameter or watched tensor of this tape");
    }
    Tensor seed = options.cotangent;
    if (!seed.defined()) {
        if (result.numel() != 1)
            throw ShapeError(
                fmt::format("the result {} is no scalar; give options.cotangent", to_string(result.shape())));
        seed = full(result.shape(), 1, result.dtype());
    } else if (seed.shape() != result.shape() || seed.dtype() != result.dtype()) {
        throw ShapeError(fmt::format("the cotangent {} {} is not like the result {} {}", to_string(seed.shape()),
                                     to_string(seed.dtype()), to_string(result.shape()), to_string(result.dtype())));
    }

    std::vector<NodeId> ids;
    NodeId lowest = top;
    for (const Tensor& input : inputs) {
        if (!input.defined()) throw ValueError(fmt::format("input {} is an undefined tensor", ids.size()));
        const NodeId id = recording.follow(input);
        if (id == no_node)
            throw TapeError(fmt::format("input {}{} {} is not on this tape; watch() it before it is used", ids.size(),
                                        input.name().empty() ? "" : " \"" + input.name() + '"',
                                        to_string(input.shape())));
        ids.push_back(id);
        lowest = std::min(lowest, id);
    }

    const bool release = !options.retain_graph.value_or(options.create_graph || recording.tapes_ > 1);
    std::optional<Pause> pause;
    if (!options.create_graph) pause.emplace();

    Cotangents cotangents(recording, lowest, top, options.create_graph);
    for (const NodeId id : ids)
        if (id <= top) cotangents.want(id);
    cotangents.mark_needed();
    if (cotangents.needs(top)) cotangents.add(top, seed, false);

    for (NodeId id = top; id >= lowest; --id) {
        recording.prefetch_before(id);
        if (cotangents.needs(id)) {
            const Node& node = recording[id];
            const Tensor cotangent = cotangents.take(id);
            const bool owned = cotangents.owns(id) && !cotangents.wants(id);
            if (cotangent.defined() && !node.is_leaf() && !cotangents.is_alias(id)) {
                try {
                    if (node.released())
                        throw TapeError(
                            "an earlier gradient(), which may have failed midway, has released what this pass needs; "
                            "give that one retain_graph = true to run another over the same nodes");
                    const CostTimer timer(node.name(), node.place(), Pass::backward);
                    const Recording::Rule rule(recording, node);
                    const bool through_view = node.is_view() && !options.create_graph;
                    if (!through_view || !cotangents.add_through_view(id, cotangent)) {
                        Backward back(cotangents, node, cotangent, owned, release && !detecting_anomalies());
                        node.vjp(back);
                        if (detecting_anomalies()) require_finite_cotangents(node, cotangents);
                    }
                } catch (Error& error) {
                    error.relocate(node.name(), to_string(node.place()), node.where());
                    throw;
                }
            }
            if (release && cotangent.defined() && !node.is_leaf()) recording.release(id);
        }
    }

    std::vector<Tensor> gradients;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        Tensor gradient = ids[i] <= top ? cotangents.finish(ids[i]) : Tensor();
        if (!gradient.defined()) gradient = zeros(inputs[i].shape(), inputs[i].dtype());
        const auto earlier = ids.begin() + static_cast<std::ptrdiff_t>(i);
        const bool is_shared =
            ids[i] <= top && (!cotangents.owns(ids[i]) || std::find(ids.begin(), earlier, ids[i]) != earlier ||
                              !fills_its_own_storage(gradient));
        if (!options.create_graph && (is_shared || !gradient.is_contiguous())) gradient = gradient.clone();
        gradients.push_back(std::move(gradient));
    }
    return gradients;
} catch (Error& error) {
    error.locate("gradient", to_string(current_place()), where);
    throw;
}

std::size_t Tape::saved_bytes() const {
    std::unordered_set<const Storage*> seen;
    std::size_t bytes = 0;
    for (NodeId id = 0; id < size(); ++id)
        for (const Saved& saved : (*this)[id].saved())
            if (seen.insert(saved.tensor.state()->storage).second) bytes += saved.tensor.state()->storage->bytes;
    return bytes;
}

Tensor stop_gradient(const Tensor& x) { return x.detached(); }

}  // namespace wengert
