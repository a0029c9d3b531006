#include <algorithm>
#include <map>
#include <optional>
#include <wengert/ops/onnx/internal/graph.hpp>

namespace wengert::onnx {
namespace {

/// Where a value of a run comes from.
struct Made {
    std::size_t step, node, output;
    bool same_place(const Made& other) const { return node == other.node && output == other.output; }
};

/// What one step hands to the next.
struct Carried {
    ValueId first, variable;
    Made next;
};
/// What a step reads at its number along an axis.
struct Scanned {
    ValueId data, variable;
    std::int64_t axis;
    bool backward;
};
/// What is stacked over all steps.
struct Stacked {
    std::size_t user;  // the Stack, among the nodes of the graph
    Made part;
    std::int64_t axis;
    bool backward;
};

/// The nodes [begin, end) of a graph, which ran under Steps that count up by one: a loop, if all steps are alike.
class Run {
  public:
    Run(Graph& graph, std::size_t begin, std::size_t end) : graph_(graph), begin_(begin), end_(end) {
        const std::vector<Node>& nodes = graph.main.nodes;
        for (std::size_t i = begin; i < end; ++i) {
            if (i == begin || nodes[i].step != nodes[i - 1].step) steps_.emplace_back();
            for (std::size_t output = 0; output < nodes[i].outputs.size(); ++output)
                made_[nodes[i].outputs[output]] = {steps_.size() - 1, steps_.back().size(), output};
            steps_.back().push_back(&nodes[i]);
        }
    }

    /// The Scan, and which of the graph's other nodes it takes the place of; nothing if the steps are not alike.
    std::optional<Node> roll(std::vector<std::size_t>& replaced) {
        if (steps_.size() < 2) return std::nullopt;
        for (const auto& step : steps_)
            if (step.size() != steps_[0].size()) return std::nullopt;
        for (std::size_t j = 0; j < steps_[0].size(); ++j)
            if (!add_node(j)) return std::nullopt;
        if (scanned_.empty() || !find_uses()) return std::nullopt;
        for (const Stacked& one : stacked_) replaced.push_back(one.user);
        return scan();
    }

  private:
    const Made* find(ValueId id) const {
        const auto found = made_.find(id);
        return found == made_.end() ? nullptr : &found->second;
    }
    ValueId value(const Made& of) const { return steps_[of.step][of.node]->outputs[of.output]; }
    /// The same place in the first step: these values are the body's.
    ValueId in_body(const Made& of) const { return steps_[0][of.node]->outputs[of.output]; }

    bool add_node(std::size_t j) {
        const Node& first = *steps_[0][j];
        for (const auto& step : steps_)
            if (!are_alike(first, *step[j])) return false;
        if (add_scanned(j)) return true;
        Node node = first;
        for (std::size_t p = 0; p < node.inputs.size(); ++p) {
            const std::optional<ValueId> operand = find_operand(j, p);
            if (!operand) return false;
            node.inputs[p] = *operand;
        }
        node.step = -1;
        body_.nodes.push_back(std::move(node));
        return true;
    }

    /// Gather(data, step) or Gather(data, last - step).
    bool add_scanned(std::size_t j) {
        const Node& first = *steps_[0][j];
        if (first.op != "Gather" || find(first.inputs[0]) != nullptr) return false;
        const Value& data = graph_[first.inputs[0]];
        const std::int64_t axis = *find_attribute<std::int64_t>(first, "axis"), last = std::ssize(steps_) - 1;
        if (!data.tensor.defined() || data.tensor.dim(static_cast<int>(axis)) != last + 1) return false;
        bool forward = true, backward = true;
        for (std::int64_t k = 0; k <= last; ++k) {
            const Node& node = *steps_[static_cast<std::size_t>(k)][j];
            if (node.inputs[0] != first.inputs[0] || !graph_.is_constant(node.inputs[1])) return false;
            const Tensor& index = graph_[node.inputs[1]].tensor;
            if (index.rank() != 0) return false;
            forward &= index.item<std::int64_t>() == k;
            backward &= index.item<std::int64_t>() == last - k;
        }
        if (!forward && !backward) return false;
        scanned_.push_back({first.inputs[0], first.outputs[0], axis, backward});
        return true;
    }

    /// What operand p of node j is in the body.
    std::optional<ValueId> find_operand(std::size_t j, std::size_t p) {
        const auto at = [&](std::size_t k) { return steps_[k][j]->inputs[p]; };
        const auto in_all = [&](std::size_t from, const auto& holds) {
            for (std::size_t k = from; k < steps_.size(); ++k)
                if (!holds(k)) return false;
            return true;
        };
        const ValueId first = at(0);
        const Made* const of_first = find(first);
        if (of_first == nullptr && in_all(1, [&](std::size_t k) { return is_same(first, at(k)); })) return first;
        if (of_first != nullptr && in_all(0, [&](std::size_t k) {
                const Made* const made = find(at(k));
                return made != nullptr && made->step == k && made->same_place(*of_first);
            }))
            return first;
        const Made* const next = find(at(1));
        if (of_first != nullptr || next == nullptr) return std::nullopt;
        if (!in_all(1, [&](std::size_t k) {
                const Made* const made = find(at(k));
                return made != nullptr && made->step + 1 == k && made->same_place(*next);
            }))
            return std::nullopt;
        for (const Carried& known : carried_)
            if (known.first == first && known.next.same_place(*next)) return known.variable;
        carried_.push_back({first, graph_.add_computed(), *next});
        return carried_.back().variable;
    }

    bool is_same(ValueId a, ValueId b) const {
        return a == b || (graph_.is_constant(a) && graph_.is_constant(b) && find(b) == nullptr &&
                          are_identical(graph_[a].tensor, graph_[b].tensor));
    }

    /// Whether all that reads the run's values from outside reads a stack of all steps, or what the last step carries.
    bool find_uses() {
        const std::vector<Node>& nodes = graph_.main.nodes;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (i >= begin_ && i < end_) continue;
            if (nodes[i].op == "Stack" && add_stacked(i)) continue;
            for (const ValueId id : nodes[i].inputs)
                if (!is_last_of_carried(id)) return false;
        }
        return std::ranges::all_of(graph_.main.outputs, [&](ValueId id) { return is_last_of_carried(id); });
    }

    bool is_last_of_carried(ValueId id) const {
        const Made* const made = find(id);
        if (made == nullptr) return true;
        return made->step + 1 == steps_.size() &&
               std::ranges::any_of(carried_, [&](const Carried& one) { return one.next.same_place(*made); });
    }

    bool add_stacked(std::size_t user) {
        const Node& node = graph_.main.nodes[user];
        const Made* const part = find(node.inputs[0]);
        if (part == nullptr || node.inputs.size() != steps_.size()) return false;
        bool forward = true, backward = true;
        for (std::size_t k = 0; k < steps_.size(); ++k) {
            const Made* const made = find(node.inputs[k]);
            if (made == nullptr || !made->same_place(*part)) return false;
            forward &= made->step == k;
            backward &= made->step + 1 + k == steps_.size();
        }
        if (!forward && !backward) return false;
        stacked_.push_back({user, *part, *find_attribute<std::int64_t>(node, "axis"), backward});
        return true;
    }

    /// An output of the body, which names no value twice and none of its inputs.
    void add_output(ValueId id) {
        const ValueId copy = graph_.add_computed();
        body_.nodes.push_back({"Identity", {id}, {copy}, {}, -1, body_.nodes.front().scope});
        body_.outputs.push_back(copy);
    }

    Node scan() {
        Node node{"Scan", {}, {}, {}, -1, steps_[0][0]->scope};
        std::vector<std::int64_t> input_axes, input_directions, output_axes, output_directions;
        for (const Carried& one : carried_) {
            node.inputs.push_back(one.first);
            body_.inputs.push_back(one.variable);
            const ValueId last = value({steps_.size() - 1, one.next.node, one.next.output});
            const bool is_taken = std::ranges::find(node.outputs, last) != node.outputs.end();
            node.outputs.push_back(is_taken ? graph_.add_computed() : last);
            add_output(in_body(one.next));
        }
        for (const Scanned& one : scanned_) {
            node.inputs.push_back(one.data);
            body_.inputs.push_back(one.variable);
            input_axes.push_back(one.axis);
            input_directions.push_back(one.backward);
        }
        for (const Stacked& one : stacked_) {
            node.outputs.push_back(graph_.main.nodes[one.user].outputs[0]);
            add_output(in_body(one.part));
            output_axes.push_back(one.axis);
            output_directions.push_back(one.backward);
        }
        node.attributes = {{"body", std::make_shared<Body>(std::move(body_))},
                           {"num_scan_inputs", std::ssize(scanned_)},
                           {"scan_input_axes", std::move(input_axes)},
                           {"scan_input_directions", std::move(input_directions)},
                           {"scan_output_axes", std::move(output_axes)},
                           {"scan_output_directions", std::move(output_directions)}};
        return node;
    }

    Graph& graph_;
    const std::size_t begin_, end_;
    std::vector<std::vector<const Node*>> steps_;
    std::map<ValueId, Made> made_;
    Body body_;
    std::vector<Carried> carried_;
    std::vector<Scanned> scanned_;
    std::vector<Stacked> stacked_;
};

/// The end of the nodes from `begin` on whose steps count up.
std::size_t end_of_run(const std::vector<Node>& nodes, std::size_t begin) {
    std::size_t end = begin + 1;
    while (end < nodes.size() && nodes[end].step >= 0 &&
           (nodes[end].step == nodes[end - 1].step || nodes[end].step == nodes[end - 1].step + 1))
        ++end;
    return end;
}

}  // namespace

void roll_loops(Graph& graph) {
    std::vector<Node>& nodes = graph.main.nodes;
    for (std::size_t begin = 0; begin < nodes.size(); ++begin) {
        if (nodes[begin].step < 0) continue;
        const std::size_t end = end_of_run(nodes, begin);
        std::vector<std::size_t> replaced;
        std::optional<Node> scan = Run(graph, begin, end).roll(replaced);
        if (!scan) {
            begin = end - 1;
            continue;
        }
        std::vector<Node> kept;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (i == begin) kept.push_back(std::move(*scan));
            const bool is_in_run = i >= begin && i < end;
            if (!is_in_run && std::ranges::find(replaced, i) == replaced.end()) kept.push_back(std::move(nodes[i]));
        }
        nodes = std::move(kept);
    }
}

}  // namespace wengert::onnx
