#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/ops/onnx/internal/model.hpp>
#include <wengert/ops/onnx/internal/recorder.hpp>
#include <wengert/ops/onnx/internal/sizes.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {
namespace {

using onnx::Symbol;
using onnx::Trace;
using Names = std::vector<std::string>;

void require_names(const Names& names, std::string_view of) {
    std::set<std::string> known;
    for (const std::string& name : names) {
        if (name.empty()) throw ValueError(fmt::format("record_onnx: an {} has no name", of));
        if (!known.insert(name).second)
            throw ValueError(fmt::format("record_onnx: two {}s are named \"{}\"", of, name));
    }
}

/// The named axes, in the order in which they are met, and their lengths.
std::vector<Symbol> symbols_of(const std::vector<OnnxPort>& inputs, std::vector<std::int64_t>& lengths) {
    std::vector<Symbol> symbols;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const OnnxPort& input = inputs[i];
        const Shape& shape = input.example.shape();
        if (!input.axes.empty() && std::ssize(input.axes) != shape.rank())
            throw ShapeError(fmt::format("record_onnx: input \"{}\" has {} names of axes and is {}", input.name,
                                         input.axes.size(), to_string(shape)));
        for (int axis = 0; axis < static_cast<int>(input.axes.size()); ++axis) {
            const std::string& name = input.axes[static_cast<std::size_t>(axis)];
            if (name.empty()) continue;
            const auto known = std::ranges::find(symbols, name, &Symbol::name);
            if (known == symbols.end()) {
                if (shape[axis] < 2)
                    throw ShapeError(
                        fmt::format("record_onnx: the axis {} of input \"{}\" {} is shorter than 2, so "
                                    "that what depends on it would not be seen",
                                    name, input.name, to_string(shape)));
                symbols.push_back({name, static_cast<onnx::ValueId>(i), axis});
                lengths.push_back(shape[axis]);
            } else if (shape[axis] != lengths[static_cast<std::size_t>(known - symbols.begin())]) {
                throw ShapeError(fmt::format(
                    "record_onnx: the axis {} of input \"{}\" {} is not as long as that of "
                    "input \"{}\"",
                    name, input.name, to_string(shape), inputs[static_cast<std::size_t>(known->input)].name));
            }
        }
    }
    return symbols;
}

/// An input with axes of other lengths, whose elements repeat, from element `first` of each named axis on.
Tensor resized(const OnnxPort& input, const std::vector<Symbol>& symbols, const std::vector<std::int64_t>& lengths,
               std::int64_t first) {
    Tensor x = input.example.detached().clone();
    if (x.is_parameter()) x.set_parameter(false);
    for (int axis = 0; axis < static_cast<int>(input.axes.size()); ++axis) {
        const auto symbol = std::ranges::find(symbols, input.axes[static_cast<std::size_t>(axis)], &Symbol::name);
        if (symbol == symbols.end()) continue;
        std::vector<std::int64_t> positions;
        for (std::int64_t i = 0; i < lengths[static_cast<std::size_t>(symbol - symbols.begin())]; ++i)
            positions.push_back((i + first) % input.example.dim(axis));
        x = index_select(x, axis, onnx::vector_of(positions));
    }
    return first > 0 && is_floating(x.dtype()) ? x * 0.75 : x;
}

/// What a run has left: its graph, and its outputs' shapes.
struct Run {
    Trace trace;
    std::vector<Tensor> outputs;
};

Run run(const OnnxFunction& f, const std::vector<OnnxPort>& inputs, const std::vector<Symbol>& symbols,
        const std::vector<std::int64_t>& lengths, std::int64_t first, std::size_t outputs) {
    const Pause pause;
    std::vector<Tensor> arguments;
    for (const OnnxPort& input : inputs) arguments.push_back(resized(input, symbols, lengths, first));
    onnx::Recorder recorder(arguments);
    Run result;
    result.outputs = f(arguments);
    if (result.outputs.size() != outputs)
        throw ValueError(
            fmt::format("record_onnx: the function has {} outputs, and {} are named", result.outputs.size(), outputs));
    for (const Tensor& x : result.outputs)
        if (!x.defined()) throw ValueError("record_onnx: an output is an undefined tensor");
    onnx::Graph graph = recorder.finish(result.outputs);
    onnx::drop_unused(graph, true);
    onnx::roll_loops(graph);
    onnx::drop_unused(graph);
    onnx::lower_stacks(graph);
    result.trace = {std::move(graph), lengths};
    return result;
}

/// "batch", "2 * batch * time", "time + 1"; empty for a fixed length.
std::string name_of(const onnx::Size& size, const std::vector<Symbol>& symbols) {
    if (size.is_fixed()) return "";
    std::string text = size.factor == 1 ? "" : fmt::format("{}", size.factor);
    for (const std::size_t symbol : size.symbols) text += (text.empty() ? "" : " * ") + symbols[symbol].name;
    return size.offset == 0 ? text : fmt::format("{} {} {}", text, size.offset < 0 ? "-" : "+", std::abs(size.offset));
}

/// The names of an output's lengths, from its shapes in all traces.
Names axes_of(const std::string& name, std::size_t output, const std::vector<std::vector<Tensor>>& results,
              const std::vector<Trace>& traces, const std::vector<Symbol>& symbols) {
    Names axes;
    for (int axis = 0; axis < results[0][output].rank(); ++axis) {
        std::vector<std::int64_t> values;
        for (const std::vector<Tensor>& result : results) {
            if (result[output].rank() != results[0][output].rank())
                throw ValueError(fmt::format("output \"{}\" has not always as many axes", name));
            values.push_back(result[output].dim(axis));
        }
        axes.push_back(name_of(
            onnx::size_of(values, traces, symbols, fmt::format("axis {} of output \"{}\"", axis, name)), symbols));
    }
    return axes;
}

}  // namespace

const std::vector<OnnxPort>& OnnxGraph::inputs() const { return model_->inputs; }
const std::vector<OnnxPort>& OnnxGraph::outputs() const { return model_->outputs; }
std::string OnnxGraph::serialized(const std::map<std::string, std::string>& metadata) const {
    return onnx::serialize(*model_, metadata);
}

OnnxGraph record_onnx(const OnnxFunction& f, const std::vector<OnnxPort>& inputs,
                      const std::vector<std::string>& outputs) {
    Names names;
    for (const OnnxPort& input : inputs) {
        names.push_back(input.name);
        if (!input.example.defined())
            throw ValueError(
                fmt::format("record_onnx: the example of input \"{}\" is an undefined tensor", input.name));
    }
    require_names(names, "input");
    require_names(outputs, "output");
    std::vector<std::int64_t> lengths;
    const std::vector<Symbol> symbols = symbols_of(inputs, lengths);

    std::vector<std::pair<std::vector<std::int64_t>, std::int64_t>> sizes{{lengths, 0}};
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        sizes.emplace_back(lengths, 0);
        ++sizes.back().first[i];
    }
    sizes.emplace_back(lengths, 1);
    for (std::int64_t& length : sizes.back().first) length = 2 * length + 1;
    std::vector<Trace> traces;
    std::vector<std::vector<Tensor>> results;
    for (const auto& [run_lengths, first] : sizes) {
        Run one = run(f, inputs, symbols, run_lengths, first, outputs.size());
        traces.push_back(std::move(one.trace));
        results.push_back(std::move(one.outputs));
    }

    try {
        auto model = std::make_shared<onnx::Model>();
        model->inputs = inputs;
        for (std::size_t i = 0; i < outputs.size(); ++i)
            model->outputs.push_back({outputs[i], results[0][i], axes_of(outputs[i], i, results, traces, symbols)});
        model->graph = onnx::unite(traces, symbols);
        return OnnxGraph(std::move(model));
    } catch (const ValueError& error) {
        throw ValueError(fmt::format("record_onnx: {}", error.what()));
    }
}

}  // namespace wengert
