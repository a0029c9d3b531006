#include <algorithm>
#include <cstring>
#include <set>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/ops/onnx/internal/graph.hpp>

namespace wengert::onnx {
namespace {

bool are_equal(const Attribute& a, const Attribute& b) {
    if (a.index() != b.index()) return false;
    const auto is_equal = [&b]<class T>(const T& x) {
        const T& y = std::get<T>(b);
        if constexpr (std::same_as<T, Tensor>)
            return are_identical(x, y);
        else
            return std::same_as<T, std::shared_ptr<Body>> || x == y;
    };
    return std::visit(is_equal, a);
}

/// Returns what the body reads.
std::set<ValueId> drop_unused_of(Body& body, bool keep_steps) {
    std::set<ValueId> needed(body.outputs.begin(), body.outputs.end());
    std::vector<Node> kept;
    for (auto node = body.nodes.rbegin(); node != body.nodes.rend(); ++node) {
        const bool is_kept = keep_steps && node->step >= 0;
        if (!is_kept && std::ranges::none_of(node->outputs, [&](ValueId id) { return needed.contains(id); })) continue;
        needed.insert(node->inputs.begin(), node->inputs.end());
        for (const auto& [name, value] : node->attributes)
            if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&value))
                needed.merge(drop_unused_of(**inner, keep_steps));
        kept.push_back(std::move(*node));
    }
    std::ranges::reverse(kept);
    body.nodes = std::move(kept);
    return needed;
}

void lower_stacks_of(Graph& graph, Body& body) {
    std::vector<Node> nodes;
    for (Node& node : body.nodes) {
        for (const auto& [name, value] : node.attributes)
            if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&value)) lower_stacks_of(graph, **inner);
        if (node.op == "Stack") {
            const ValueId axis = graph.add_constant(vector_of({*find_attribute<std::int64_t>(node, "axis")}));
            for (ValueId& part : node.inputs) {
                const ValueId longer = graph.add_computed();
                nodes.push_back({"Unsqueeze", {part, axis}, {longer}, {}, node.step, node.scope});
                part = longer;
            }
            node.op = "Concat";
        }
        nodes.push_back(std::move(node));
    }
    body.nodes = std::move(nodes);
}

}  // namespace

Tensor vector_of(const std::vector<std::int64_t>& elements) { return tensor(elements, {std::ssize(elements)}); }

bool are_identical(const Tensor& a, const Tensor& b) {
    if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
    const Tensor x = packed(a), y = packed(b);
    return std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())) == 0;
}

bool are_alike(const Node& a, const Node& b) {
    return a.op == b.op && a.inputs.size() == b.inputs.size() && a.outputs.size() == b.outputs.size() &&
           std::ranges::equal(a.attributes, b.attributes, [](const auto& x, const auto& y) {
               return x.first == y.first && are_equal(x.second, y.second);
           });
}

void replace_reads(Body& body, ValueId from, ValueId to) {
    for (Node& node : body.nodes) {
        std::ranges::replace(node.inputs, from, to);
        for (const auto& [name, value] : node.attributes)
            if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&value)) replace_reads(**inner, from, to);
    }
    std::ranges::replace(body.outputs, from, to);
}

void drop_unused(Graph& graph, bool keep_steps) { drop_unused_of(graph.main, keep_steps); }

void lower_stacks(Graph& graph) { lower_stacks_of(graph, graph.main); }

}  // namespace wengert::onnx
