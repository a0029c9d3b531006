#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/tensor.hpp>

/// A graph of ONNX operators, between the program that was recorded and the file.
namespace wengert::onnx {

/// The number of a value in its graph.
using ValueId = int;
/// In a node's inputs: an optional one that is left out.
inline constexpr ValueId no_value = -1;

struct Body;
/// A body is that of a Scan or a Loop, whose nodes may read the values around it.
using Attribute = std::variant<std::int64_t, float, std::vector<std::int64_t>, Tensor, std::shared_ptr<Body>>;
using Attributes = std::vector<std::pair<std::string_view, Attribute>>;

/// One application of an operator. "Stack" is our own, for n values along a new axis; lower_stacks() makes it ONNX.
struct Node {
    std::string_view op;
    std::vector<ValueId> inputs, outputs;
    Attributes attributes = {};
    std::int32_t step = -1;  ///< the Step in which it was recorded
    std::string scope = {};
};

struct Body {
    std::vector<Node> nodes;  ///< each after those that it reads
    std::vector<ValueId> inputs, outputs;
};

/// factor * the product of some symbols' lengths + offset.
struct Size {
    std::int64_t factor = 0, offset = 0;
    std::vector<std::size_t> symbols = {};

    bool is_fixed() const { return symbols.empty(); }
};

struct Value {
    enum class Kind { input, parameter, constant, computed };
    Kind kind;
    Tensor tensor = {};       ///< its elements when the program was recorded; undefined for what a node's form adds
    std::string user = {};    ///< of a constant: what reads it first, and where
    std::string origin = {};  ///< of a constant: its name, if it has one
};

struct Graph {
    std::vector<Value> values;
    Body main;

    const Value& operator[](ValueId id) const { return values[static_cast<std::size_t>(id)]; }
    bool is_constant(ValueId id) const { return id != no_value && (*this)[id].kind == Value::Kind::constant; }
    ValueId add(Value value) {
        values.push_back(std::move(value));
        return static_cast<ValueId>(values.size()) - 1;
    }
    ValueId add_constant(Tensor elements) {
        return add({.kind = Value::Kind::constant, .tensor = std::move(elements)});
    }
    ValueId add_computed() { return add({.kind = Value::Kind::computed}); }
};

/// An attribute of a node, or null.
template <class T>
const T* find_attribute(const Node& node, std::string_view name) {
    for (const auto& [key, value] : node.attributes)
        if (key == name) return std::get_if<T>(&value);
    return nullptr;
}

/// int64 [n].
Tensor vector_of(const std::vector<std::int64_t>& elements);
/// Whether dtype, shape and all bits are equal.
bool are_identical(const Tensor& a, const Tensor& b);
/// Whether op, attributes and numbers of inputs and outputs are equal; of bodies that both have one.
bool are_alike(const Node& a, const Node& b);
/// Reads of `from` become reads of `to`, in a body and those inside of it.
void replace_reads(Body& body, ValueId from, ValueId to);

/// Drops nodes that no output needs; with `keep_steps` only such as stand in no step, since steps are alike until then.
void drop_unused(Graph& graph, bool keep_steps = false);
/// Stacks become Unsqueeze and Concat.
void lower_stacks(Graph& graph);
/// A loop that was recorded step by step, each under its Step, becomes a Scan: what a step reads at its number along an
/// axis is scanned forward or backward, what it reads of the step before is carried, and what is stacked over all steps
/// comes out stacked. A loop whose steps are not alike stays as it is.
void roll_loops(Graph& graph);

}  // namespace wengert::onnx
