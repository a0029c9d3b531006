#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <wengert/autograd/observe/internal/node_facts.hpp>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/observe/node_text.hpp>
#include <wengert/autograd/observe/non_finite.hpp>

namespace wengert {

const Tensor* saved_operand(const Node& node, NodeId id, std::size_t operand) {
    if (operand >= node.saved().size() || operand >= node.inputs().size()) return nullptr;
    const Tensor& saved = node.saved()[operand].tensor;
    if (!saved.defined()) return nullptr;
    const bool is_output = saved.state()->recording != 0 && saved.state()->node == id;
    return is_output ? nullptr : &saved;
}

std::string describe_type(std::span<const Shape> shapes, Dtype dtype) {
    Shape low = shapes.front(), high = low;
    for (const Shape& shape : shapes) {
        if (shape.rank() != low.rank()) return fmt::format("of several ranks, {}", to_string(dtype));
        for (int axis = 0; axis < low.rank(); ++axis) {
            low[axis] = std::min(low[axis], shape[axis]);
            high[axis] = std::max(high[axis], shape[axis]);
        }
    }
    std::vector<std::string> axes;
    for (int axis = 0; axis < low.rank(); ++axis)
        axes.push_back(low[axis] == high[axis] ? fmt::format("{}", low[axis])
                                               : fmt::format("{}..{}", low[axis], high[axis]));
    return fmt::format("[{}] {}", fmt::join(axes, ", "), to_string(dtype));
}

std::string describe_time(double seconds) { return fmt::format("{:.3f} ms", 1e3 * seconds); }

std::string describe(const GraphTotals& totals) {
    std::vector<std::string> parts;
    if (totals.nodes > 0) parts.push_back(fmt::format("{} node{}", totals.nodes, totals.nodes == 1 ? "" : "s"));
    if (totals.bytes > 0) parts.push_back(fmt::format("keep {} for backward", describe_bytes(totals.bytes)));
    if (totals.seconds() > 0) parts.push_back(describe_times(totals));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string describe_times(const GraphTotals& totals) {
    const std::string backward = "backward " + describe_time(totals.backward_seconds);
    if (totals.backward_seconds == 0) return describe_time(totals.forward_seconds);
    return totals.forward_seconds == 0 ? backward : describe_time(totals.forward_seconds) + ", " + backward;
}

NodeFacts::NodeFacts(const Tape& tape, const GraphOptions& options)
    : tape_(tape), options_(options), costs_(static_cast<std::size_t>(tape.size())) {
    if (options.profile != nullptr) costs_ = options.profile->costs(tape);
    look_at_values();
}

/// Of the leaves, and of what some node keeps and nobody has overwritten. Whether an operand brought an infinity, as a
/// masked score's, is not known there.
void NodeFacts::look_at_values() {
    std::vector<bool> is_known(costs_.size());
    const auto look_at = [&](NodeId id, const Tensor& value) {
        const auto at = static_cast<std::size_t>(id);
        if (is_known[at] || costs_[at].non_finite) return;
        is_known[at] = true;
        if (const auto found = first_non_finite(value, tape_[id].is_leaf())) costs_[at].non_finite = found->value;
    };
    for (NodeId id = 0; id < tape_.size(); ++id) {
        const Node& node = tape_[id];
        if (node.is_leaf()) look_at(id, static_cast<const Leaf&>(node).tensor());
        for (std::size_t i = 0; i < node.saved().size(); ++i) {
            const auto& [tensor, version] = node.saved()[i];
            if (!tensor.defined() || tensor.version() != version) continue;
            if (saved_operand(node, id, i) == nullptr)
                look_at(id, tensor);
            else if (node.inputs()[i] != no_node)
                look_at(node.inputs()[i], tensor);
        }
    }
}

std::string NodeFacts::family(const Node& node) const {
    if (options_.family != nullptr)
        if (const std::string_view family = options_.family(node.name()); !family.empty()) return std::string(family);
    if (node.is_view()) return "Views";
    return formula(node) ? "Elementwise functions and their sums" : "Other ops";
}

std::optional<std::string> NodeFacts::formula(const Node& node) {
    return formula_of_node == nullptr ? std::nullopt : formula_of_node(node);
}

std::string NodeFacts::type(std::span<const NodeId> nodes) const {
    std::vector<Shape> shapes;
    for (const NodeId id : nodes) shapes.push_back(tape_[id].shape());
    return describe_type(shapes, tape_[nodes.front()].dtype());
}

GraphTotals NodeFacts::totals(std::span<const NodeId> nodes) const {
    GraphTotals totals{static_cast<std::int64_t>(nodes.size()), saved_bytes(tape_, nodes)};
    for (const NodeId id : nodes) {
        totals.forward_seconds += costs_[static_cast<std::size_t>(id)].forward_seconds;
        totals.backward_seconds += costs_[static_cast<std::size_t>(id)].backward_seconds;
    }
    return totals;
}

std::string NodeFacts::times(const GraphTotals& totals) const {
    return options_.profile == nullptr ? "" : describe_times(totals);
}

}  // namespace wengert
