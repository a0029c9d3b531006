#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <wengert/autograd/tape/internal/cotangents.hpp>
#include <wengert/autograd/tape/internal/request.hpp>
#include <wengert/autograd/tape/internal/running_rule.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/autograd/tape/tape.hpp>

namespace wengert {
namespace {

constexpr ConstantCause unrecorded_gradient{
    "it was computed from a gradient that was not recorded; give that gradient() create_graph = true", false, 5};

/// Shows the observers what a rule has just contributed.
void show_contributions(const Node& node, Cotangents& cotangents) {
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
        const NodeId input = node.inputs()[i];
        if (input == no_node || !cotangents.needs(input)) continue;
        if (const Tensor cotangent = cotangents.finish(input); cotangent.defined())
            Observer::notify(&Observer::contributed, node, i, cotangent);
    }
}

/// Contributes to the cotangents of a node's inputs.
void run_rule(Recording& recording, NodeId id, const Tensor& cotangent, Cotangents& cotangents, bool is_last) {
    const Node& node = recording[id];
    try {
        if (node.released())
            throw TapeError(
                "an earlier gradient(), which may have failed midway, has released what this pass needs; give that one "
                "retain_graph = true to run another over the same nodes");
        const RunningRule running(node);
        const ObservedWork work(node.name(), node.place(), Pass::backward);
        const Recording::Rule rule(recording, node.where());
        if (node.is_view() && cotangents.add_through_view(id, cotangent)) return;
        Backward back(cotangents, node, cotangent, cotangents.may_overwrite(id), is_last && !cotangents.is_inspected(),
                      cotangents.coverage(id));
        node.vjp(back);
        if (cotangents.is_inspected()) show_contributions(node, cotangents);
    } catch (Error& error) {
        error.relocate(node.name(), to_string(node.place()), node.where());
        throw;
    }
}

/// The gradients that a caller gets: all at the end, or each when the pass has come below its node.
class Gradients {
  public:
    Gradients(const Request& request, std::span<const Tensor> inputs, Cotangents& cotangents,
              const GradientOptions& options, bool with_tangents)
        : request_(request),
          inputs_(inputs),
          cotangents_(cotangents),
          take_(options.take),
          with_tangents_(with_tangents),
          order_(options.take ? inputs.size() : 0) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::ranges::sort(order_, [&](std::size_t a, std::size_t b) {
            return request.inputs[a] != request.inputs[b] ? request.inputs[a] > request.inputs[b] : a < b;
        });
    }

    /// The pass is done with the nodes above `id`.
    void hand_out_above(NodeId id) {
        for (; next_ < order_.size() && request_.inputs[order_[next_]] > id; ++next_) {
            const std::size_t i = order_[next_];
            Tensor gradient = of(i);
            const bool is_wanted_again =
                next_ + 1 < order_.size() && request_.inputs[order_[next_ + 1]] == request_.inputs[i];
            if (request_.inputs[i] <= request_.top && !is_wanted_again) cotangents_.forget(request_.inputs[i]);
            // What the pass still reads must not be another's to write.
            if (!cotangents_.is_recorded() && !gradient.is_unique()) gradient = gradient.clone();
            take_(i, std::move(gradient));
        }
    }

    std::vector<Tensor> finish() {
        hand_out_above(request_.lowest - 1);
        std::vector<Tensor> gradients(inputs_.size());
        if (!take_)
            for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = of(i);
        return gradients;
    }

  private:
    Tensor of(std::size_t i) {
        const ConstantCause& cause = cotangents_.is_recorded() ? constant_gradient : unrecorded_gradient;
        const NodeId id = request_.inputs[i];
        Tensor gradient = id <= request_.top ? cotangents_.hand_out(id) : Tensor();
        if (!gradient.defined()) gradient = zeros(inputs_[i].shape(), inputs_[i].dtype());
        if (gradient.state()->recording == 0) gradient.state()->constant_cause = &cause;
        return with_tangents_ ? constant_with_tangents(gradient) : gradient;
    }

    const Request& request_;
    const std::span<const Tensor> inputs_;
    Cotangents& cotangents_;
    const std::function<void(std::size_t, Tensor)>& take_;
    const bool with_tangents_;
    std::vector<std::size_t> order_;  // of the inputs, as the pass comes to them
    std::size_t next_ = 0;
};

/// The backward pass: one loop from the result down. `is_last`: no other pass will need what the nodes keep.
/// `partial`: it does not go on below an input.
void sweep(Recording& recording, const Request& request, Cotangents& cotangents, Gradients& gradients, bool is_last,
           bool partial) {
    for (const NodeId id : request.inputs)
        if (id <= request.top) cotangents.want(id);
    cotangents.mark_needed();
    if (cotangents.needs(request.top)) cotangents.add(request.top, request.cotangent, false);
    for (NodeId id = request.top; id >= request.lowest; --id) {
        gradients.hand_out_above(id);
        recording.prefetch_before(id);
        if (!cotangents.needs(id)) continue;
        const Tensor cotangent = cotangents.take(id);
        if (!cotangent.defined() || recording[id].is_leaf() || (partial && cotangents.wants(id))) continue;
        if (!cotangents.is_alias(id)) run_rule(recording, id, cotangent, cotangents, is_last);
        if (is_last) recording.release(id);
    }
}

}  // namespace

void Tape::require_own_thread() const {
    if (!scope_->is_of_this_thread()) throw TapeError("a tape was used by a thread that did not make it");
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
    if (options.create_graph && Recording::current() == nullptr)
        throw TapeError("create_graph asks to record the pass, but a Pause lives, under which nothing is recorded");
    if (Recording::forward_pass() != nullptr && Recording::current() == nullptr)
        throw TapeError("jvp() asks to record the pass, but a Pause lives, under which nothing is recorded");
    const Request request = check(*recording_, result, inputs, options.cotangent);
    // In a forward pass the rules are composed of ops, which have tangents, though the gradients may be constants.
    const bool is_forward = Recording::forward_pass() != nullptr, is_composed = options.create_graph || is_forward;
    const bool is_last = !options.retain_graph.value_or(options.create_graph || recording_->tape_count() > 1);
    const Recording::Suspension suspension(is_composed ? nullptr : Recording::current());
    Cotangents cotangents(*recording_, request.lowest, request.top, is_composed);
    Gradients gradients(request, inputs, cotangents, options, is_forward && !options.create_graph);
    sweep(*recording_, request, cotangents, gradients, is_last, options.partial);
    return gradients.finish();
} catch (Error& error) {
    error.locate("gradient", to_string(current_place()), where);
    throw;
}

Tensor stop_gradient(const Tensor& x) {
    static constexpr ConstantCause stopped{"stop_gradient() made a constant of what it was computed from", false, 3};
    Tensor constant = x.detached();
    constant.state()->constant_cause = &stopped;
    return constant;
}

}  // namespace wengert
