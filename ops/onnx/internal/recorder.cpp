#include <fmt/format.h>

#include <algorithm>
#include <wengert/ops/onnx/internal/forms.hpp>
#include <wengert/ops/onnx/internal/recorder.hpp>
#include <wengert/ops/onnx/internal/types.hpp>

namespace wengert::onnx {
namespace {

bool shows_the_same(const Tensor& a, const Tensor& b) {
    return a.same_as(b) ||
           (a.dtype() == b.dtype() && a.offset() == b.offset() && a.shape() == b.shape() && a.strides() == b.strides());
}

}  // namespace

Recorder::Recorder(const std::vector<Tensor>& inputs) {
    for (const Tensor& x : inputs) {
        graph_.main.inputs.push_back(graph_.add({.kind = Value::Kind::input, .tensor = x}));
        define(x, graph_.main.inputs.back());
    }
}

Graph Recorder::finish(const std::vector<Tensor>& outputs) {
    user_ = "the outputs";
    for (const Tensor& x : outputs) graph_.main.outputs.push_back(value_of(x));
    return std::move(graph_);
}

const Recorder::Known* Recorder::find(const Tensor& x) const {
    const auto in_storage = known_.find(x.state()->storage);
    if (in_storage == known_.end()) return nullptr;
    // The last one counts: an element that is written anew is another value.
    const auto& all = in_storage->second;
    const auto found =
        std::find_if(all.rbegin(), all.rend(), [&](const Known& one) { return shows_the_same(one.tensor, x); });
    return found == all.rend() ? nullptr : &*found;
}

void Recorder::define(const Tensor& x, ValueId id) {
    known_[x.state()->storage].push_back({x, x.version(), id});
    Value& value = graph_.values[static_cast<std::size_t>(id)];
    if (!value.tensor.defined()) value.tensor = x;
}

ValueId Recorder::value_of(const Tensor& x) {
    if (!x.defined()) return no_value;
    const Known* const known = find(x);
    if (known != nullptr && known->version == x.version()) return known->id;
    if (known != nullptr && graph_[known->id].kind != Value::Kind::constant)
        throw ValueError(
            fmt::format("{} reads a tensor {} that was overwritten since it was computed or given, which "
                        "a graph cannot say",
                        user_, to_string(x.shape())));
    if (!x.is_parameter()) {
        const ValueId id = graph_.add({Value::Kind::constant, x.clone(), user_, x.name()});
        define(x, id);
        return id;
    }
    const ValueId id = graph_.add({.kind = Value::Kind::parameter, .tensor = x});
    define(x, id);
    return id;
}

ValueId Recorder::apply(std::string_view op, std::vector<ValueId> inputs, Attributes attributes) {
    const Place place = current_place();
    const ValueId result = graph_.add_computed();
    if (op == "Stack") stacks_[result] = graph_.main.nodes.size();
    graph_.main.nodes.push_back(
        {op, std::move(inputs), {result}, std::move(attributes), place.step, scope_path(place.scope)});
    return result;
}

ValueId Recorder::apply_for_second(std::string_view op, std::vector<ValueId> inputs, Attributes attributes) {
    apply(op, std::move(inputs), std::move(attributes));
    return graph_.main.nodes.back().outputs.emplace_back(graph_.add_computed());
}

ValueId Recorder::cast(ValueId x, Dtype dtype) { return apply("Cast", {x}, {{"to", std::int64_t{onnx_type(dtype)}}}); }

ValueId Recorder::part_of(ValueId x, std::int64_t axis, std::int64_t i) const {
    const auto stack = stacks_.find(x);
    if (stack == stacks_.end()) return no_value;
    const Node& node = graph_.main.nodes[stack->second];
    return *find_attribute<std::int64_t>(node, "axis") == axis ? node.inputs[static_cast<std::size_t>(i)] : no_value;
}

ValueId Recorder::open(const Applied& op, const std::function<Tensor()>& compose) {
    if (std::ranges::find(opened_, op.name()) != opened_.end()) refuse();
    opened_.push_back(op.name());
    const int level = std::exchange(level_, depth_);
    const ValueId result = value_of([&] {
        try {
            return compose();
        } catch (Error& error) {  // the line is the caller's
            error.relocate(std::string(error.op()), to_string(current_place()), op.where());
            throw;
        }
    }());
    level_ = level;
    opened_.pop_back();
    return result;
}

void Recorder::computed(const Applied& op, const Inputs& in, const Tensor& out) {
    // An op is one node, whatever ops its forward runs.
    if (depth_ != level_ + 1) return;
    const std::string user = std::exchange(user_, describe(op));
    const ValueId id = write_form(*this, op, in, out);
    // A view that moves nothing is what it shows.
    if (const Known* const known = find(out); known == nullptr || known->id != id) define(out, id);
    user_ = user;
}

}  // namespace wengert::onnx
