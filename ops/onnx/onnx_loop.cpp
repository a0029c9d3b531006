#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <wengert/ops/onnx/internal/model.hpp>

namespace wengert {
namespace {

using onnx::Body;
using onnx::Graph;
using onnx::ValueId;

constexpr std::string_view condition_name = "go_on", next_prefix = "next.";

/// A body whose values have numbers that are larger by so many.
Body shifted(const Body& body, ValueId by) {
    Body result = body;
    const auto shift = [by](std::vector<ValueId>& ids) {
        for (ValueId& id : ids)
            if (id != onnx::no_value) id += by;
    };
    shift(result.inputs), shift(result.outputs);
    for (onnx::Node& node : result.nodes) {
        shift(node.inputs), shift(node.outputs);
        for (auto& [name, value] : node.attributes)
            if (auto* const inner = std::get_if<std::shared_ptr<Body>>(&value))
                *inner = std::make_shared<Body>(shifted(**inner, by));
    }
    return result;
}

std::size_t find_port(const std::vector<OnnxPort>& ports, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(ports, name, &OnnxPort::name) - ports.begin());
}

}  // namespace

OnnxGraph onnx_loop(const OnnxGraph& before, const OnnxGraph& step, const std::string& limit) {
    auto model = std::make_shared<onnx::Model>();
    Graph& graph = model->graph;
    graph = before.model().graph;
    const auto offset = static_cast<ValueId>(graph.values.size());
    const Graph& of_step = step.model().graph;
    graph.values.insert(graph.values.end(), of_step.values.begin(), of_step.values.end());
    const Body recorded = shifted(of_step.main, offset);

    Body body;
    body.nodes = recorded.nodes;
    onnx::Node loop{"Loop", {}, {}};
    const std::vector<ValueId> results = std::exchange(graph.main.outputs, {});
    std::vector<ValueId> body_outputs;
    const ValueId count = graph.add({onnx::Value::Kind::input, scalar(2, Dtype::int64)});
    graph.main.inputs.push_back(count);
    loop.inputs = {count, graph.add_constant(scalar(1, Dtype::boolean))};
    // The number of the iteration, and whether there is one: ONNX Runtime wants to know their types.
    body.inputs = {graph.add({onnx::Value::Kind::computed, scalar(0, Dtype::int64)}),
                   graph.add({onnx::Value::Kind::computed, scalar(1, Dtype::boolean)})};

    const std::size_t condition = find_port(step.outputs(), condition_name);
    if (condition == step.outputs().size()) throw ValueError("onnx_loop: the step has no output \"go_on\"");
    body.outputs.push_back(recorded.outputs[condition]);
    std::vector<bool> is_read(step.outputs().size());
    is_read[condition] = true;
    for (std::size_t i = 0; i < step.inputs().size(); ++i) {
        const std::string& name = step.inputs()[i].name;
        const std::size_t first = find_port(before.outputs(), name);
        if (first == before.outputs().size())
            throw ValueError(
                fmt::format("onnx_loop: the step reads \"{}\", which is no output of what comes before", name));
        const std::size_t next = find_port(step.outputs(), std::string(next_prefix) + name);
        if (next == step.outputs().size()) {
            replace_reads(body, recorded.inputs[i], results[first]);
            continue;
        }
        is_read[next] = true;
        loop.inputs.push_back(results[first]);
        loop.outputs.push_back(graph.add_computed());
        body.inputs.push_back(recorded.inputs[i]);
        body.outputs.push_back(recorded.outputs[next]);
    }
    model->inputs = before.inputs();
    model->inputs.push_back({limit, graph[count].tensor});
    for (std::size_t i = 0; i < step.outputs().size(); ++i) {
        if (is_read[i]) continue;
        body.outputs.push_back(recorded.outputs[i]);
        loop.outputs.push_back(graph.add_computed());
        OnnxPort port = step.outputs()[i];
        port.axes.insert(port.axes.begin() + 1, "steps");
        std::vector<std::int64_t> order(port.axes.size());
        std::iota(order.begin(), order.end(), 0);
        std::swap(order[0], order[1]);
        Shape shape = port.example.shape();
        shape.insert(1, 2);
        port.example = zeros(shape, port.example.dtype());
        graph.main.outputs.push_back(graph.add_computed());
        // The Loop itself comes before, once all of its outputs are known.
        graph.main.nodes.push_back(
            {"Transpose", {loop.outputs.back()}, {graph.main.outputs.back()}, {{"perm", order}}});
        model->outputs.push_back(std::move(port));
    }
    // No output of a body is one of its inputs, or another output, or a value around it.
    for (ValueId& id : body.outputs) {
        const ValueId copy = graph.add_computed();
        body.nodes.push_back({"Identity", {id}, {copy}});
        id = copy;
    }
    loop.attributes = {{"body", std::make_shared<Body>(std::move(body))}};
    const auto transposes = static_cast<std::ptrdiff_t>(model->outputs.size());
    graph.main.nodes.insert(graph.main.nodes.end() - transposes, std::move(loop));
    return OnnxGraph(std::move(model));
}

}  // namespace wengert
