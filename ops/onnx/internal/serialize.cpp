#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/ops/onnx/internal/model.hpp>
#include <wengert/ops/onnx/internal/protobuf.hpp>
#include <wengert/ops/onnx/internal/types.hpp>

namespace wengert::onnx {
namespace {

constexpr std::int64_t ir_version = 8, opset = 17;
constexpr std::size_t most_bytes = 2'147'483'647;  // of a message, in readers

/// Numbers of fields in onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), by their messages.
namespace model_proto {
constexpr int ir_version = 1, producer_name = 2, graph = 7, opset_import = 8, metadata_props = 14;
}
namespace graph_proto {
constexpr int node = 1, name = 2, initializer = 5, input = 11, output = 12;
}
namespace node_proto {
constexpr int input = 1, output = 2, name = 3, op_type = 4, attribute = 5;
}
namespace attribute_proto {
constexpr int name = 1, f = 2, i = 3, t = 5, g = 6, ints = 8, type = 20;
constexpr std::int64_t is_float = 1, is_int = 2, is_tensor = 4, is_graph = 5, is_ints = 7;
}  // namespace attribute_proto
namespace tensor_proto {
constexpr int dims = 1, data_type = 2, name = 8, raw_data = 9;
}
namespace value_info_proto {
constexpr int name = 1, type = 2;
}
namespace type_proto {
constexpr int tensor_type = 1, elem_type = 1, shape = 2;  // of a type, and of its tensor_type
}
namespace shape_proto {
constexpr int dim = 1, dim_value = 1, dim_param = 2;  // of a shape, and of its axis
}
namespace entry_proto {
constexpr int key = 1, value = 2, version = 2;  // of metadata, and of a set of operators
}

/// Names and texts of the format are UTF-8.
const std::string& require_utf8(const std::string& text) {
    try {
        static_cast<void>(nlohmann::json(text).dump());
    } catch (const nlohmann::json::type_error&) {
        throw ValueError("ONNX: a name or a text of the metadata is not valid UTF-8");
    }
    return text;
}

class Writer {
  public:
    explicit Writer(const Model& model) : model_(model), graph_(model.graph) {}

    Message write() {
        Message result;
        result.add(graph_proto::name, "wengert");
        for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
            names_[graph_.main.inputs[i]] = model_.inputs[i].name;
            taken_.insert(model_.inputs[i].name);
            result.add(graph_proto::input, port(model_.inputs[i]));
        }
        for (const OnnxPort& output : model_.outputs) taken_.insert(output.name);
        const std::set<ValueId> computed = computed_values();
        std::vector<std::pair<ValueId, std::string>> copies;
        for (std::size_t i = 0; i < model_.outputs.size(); ++i) {
            const ValueId id = graph_.main.outputs[i];
            const std::string& name = model_.outputs[i].name;
            if (!computed.contains(id) || !names_.try_emplace(id, name).second) copies.emplace_back(id, name);
            result.add(graph_proto::output, port(model_.outputs[i]));
        }
        // Parameters have their names, whatever the order in which nodes read them.
        for (const Value& value : graph_.values)
            if (value.kind == Value::Kind::parameter) taken_.insert(require_utf8(value.tensor.name()));
        write_nodes(graph_.main, result);
        for (const auto& [id, name] : copies) {
            Message node;
            node.add(node_proto::op_type, "Identity");
            node.add(node_proto::name, unique("Identity"));
            node.add(node_proto::input, read(id));
            node.add(node_proto::output, name);
            result.add(graph_proto::node, node);
        }
        for (const Message& constant : constants_) result.add(graph_proto::initializer, constant);
        return result;
    }

  private:
    std::set<ValueId> computed_values() const {
        std::set<ValueId> result;
        for (const Node& node : graph_.main.nodes) result.insert(node.outputs.begin(), node.outputs.end());
        return result;
    }

    std::string unique(const std::string& wanted) {
        std::string name = require_utf8(wanted);
        for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
        return name;
    }

    void write_nodes(const Body& body, Message& to) {
        for (const Node& node : body.nodes) {
            Message proto;
            const std::string name =
                unique(node.scope.empty() ? std::string(node.op) : fmt::format("{}/{}", node.scope, node.op));
            proto.add(node_proto::name, name);
            proto.add(node_proto::op_type, node.op);
            for (const ValueId id : node.inputs) proto.add(node_proto::input, read(id));
            for (std::size_t i = 0; i < node.outputs.size(); ++i)
                proto.add(node_proto::output,
                          names_.try_emplace(node.outputs[i], i == 0 ? name : unique(name)).first->second);
            for (const auto& [key, value] : node.attributes)
                proto.add(node_proto::attribute, attribute(key, value, name));
            to.add(graph_proto::node, proto);
        }
    }

    Message body_of(const Body& body, const std::string& name) {
        Message result;
        result.add(graph_proto::name, unique(name + "/body"));
        for (const ValueId id : body.inputs) {
            const std::string& port_name = names_.try_emplace(id, unique(name + "/input")).first->second;
            // The type of a port with axes follows from what it is given, of which lengths may be unknown.
            const Tensor& example = graph_[id].tensor;
            result.add(graph_proto::input,
                       example.defined() && example.rank() == 0 ? port({port_name, example, {}}) : untyped(port_name));
        }
        write_nodes(body, result);
        for (const ValueId id : body.outputs) result.add(graph_proto::output, untyped(names_.at(id)));
        return result;
    }

    static Message untyped(const std::string& port) {
        Message result;
        result.add(value_info_proto::name, port);
        return result;
    }

    Message attribute(std::string_view key, const Attribute& value, const std::string& node) {
        namespace fields = attribute_proto;
        Message result;
        result.add(fields::name, key);
        if (const auto* i = std::get_if<std::int64_t>(&value)) {
            result.add(fields::i, *i);
            result.add(fields::type, fields::is_int);
        } else if (const auto* f = std::get_if<float>(&value)) {
            result.add(fields::f, *f);
            result.add(fields::type, fields::is_float);
        } else if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&value)) {
            for (const std::int64_t number : *ints) result.add(fields::ints, number);
            result.add(fields::type, fields::is_ints);
        } else if (const auto* elements = std::get_if<Tensor>(&value)) {
            result.add(fields::t, tensor_of(*elements, ""));
            result.add(fields::type, fields::is_tensor);
        } else {
            result.add(fields::g, body_of(*std::get<std::shared_ptr<Body>>(value), node));
            result.add(fields::type, fields::is_graph);
        }
        return result;
    }

    /// What a node calls a value that it reads.
    std::string read(ValueId id) {
        if (id == no_value) return "";
        if (const auto known = names_.find(id); known != names_.end()) return known->second;
        const Value& value = graph_[id];
        // Each number of a formula is a constant of its own: equal ones are one here.
        for (const auto& [other, name] : shared_)
            if (value.kind == graph_[other].kind && are_identical(value.tensor, graph_[other].tensor) &&
                (value.kind == Value::Kind::constant || value.tensor.same_as(graph_[other].tensor)))
                return names_[id] = name;
        const std::string& own = value.kind == Value::Kind::parameter ? value.tensor.name() : value.origin;
        const std::string name = value.kind == Value::Kind::parameter && !own.empty() && parameters_.insert(own).second
                                     ? own
                                     : unique(own.empty() ? "constant" : own);
        constants_.push_back(tensor_of(value.tensor, name));
        shared_.emplace_back(id, name);
        return names_[id] = name;
    }

    static Message tensor_of(const Tensor& elements, const std::string& name) {
        const Tensor dense = packed(elements);
        Message result;
        for (const std::int64_t length : dense.shape()) result.add(tensor_proto::dims, length);
        result.add(tensor_proto::data_type, std::int64_t{onnx_type(dense.dtype())});
        if (!name.empty()) result.add(tensor_proto::name, name);
        result.add(tensor_proto::raw_data,
                   std::string_view(static_cast<const char*>(dense.raw()),
                                    static_cast<std::size_t>(dense.numel()) * size_of(dense.dtype())));
        return result;
    }

    static Message port(const OnnxPort& port) {
        Message shape, tensor, type, result;
        for (int axis = 0; axis < port.example.rank(); ++axis) {
            const auto at = static_cast<std::size_t>(axis);
            Message length;
            if (at < port.axes.size() && !port.axes[at].empty())
                length.add(shape_proto::dim_param, require_utf8(port.axes[at]));
            else
                length.add(shape_proto::dim_value, port.example.dim(axis));
            shape.add(shape_proto::dim, length);
        }
        tensor.add(type_proto::elem_type, std::int64_t{onnx_type(port.example.dtype())});
        tensor.add(type_proto::shape, shape);
        type.add(type_proto::tensor_type, tensor);
        result.add(value_info_proto::name, require_utf8(port.name));
        result.add(value_info_proto::type, type);
        return result;
    }

    const Model& model_;
    const Graph& graph_;
    std::map<ValueId, std::string> names_;
    std::set<std::string> taken_, parameters_;
    std::vector<std::pair<ValueId, std::string>> shared_;
    std::vector<Message> constants_;
};

}  // namespace

std::string serialize(const Model& model, const std::map<std::string, std::string>& metadata) {
    Message result, operators;
    result.add(model_proto::ir_version, ir_version);
    result.add(model_proto::producer_name, "Wengert");
    result.add(model_proto::graph, Writer(model).write());
    operators.add(entry_proto::version, opset);
    result.add(model_proto::opset_import, operators);
    for (const auto& [key, value] : metadata) {
        Message entry;
        entry.add(entry_proto::key, require_utf8(key));
        entry.add(entry_proto::value, require_utf8(value));
        result.add(model_proto::metadata_props, entry);
    }
    if (result.bytes().size() > most_bytes)
        throw ValueError(
            fmt::format("ONNX: the model has {} bytes, and a file has {} at most", result.bytes().size(), most_bytes));
    return result.bytes();
}

}  // namespace wengert::onnx
