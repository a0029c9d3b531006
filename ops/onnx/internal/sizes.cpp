#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <wengert/ops/onnx/internal/sizes.hpp>
#include <wengert/ops/onnx/internal/types.hpp>

namespace wengert::onnx {
namespace {

using Lengths = std::vector<std::int64_t>;

/// At "batch = 2, time = 3".
std::string describe_lengths(const Trace& trace, const std::vector<Symbol>& symbols) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < symbols.size(); ++i)
        parts.push_back(fmt::format("{} = {}", symbols[i].name, trace.lengths[i]));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::int64_t value_at(const Size& size, const Lengths& lengths) {
    std::int64_t product = size.factor;
    for (const std::size_t symbol : size.symbols) product *= lengths[symbol];
    return product + size.offset;
}

/// Pairs the values of two traces of one program.
class Pairing {
  public:
    Pairing(const Graph& first, const Graph& other) : first_(first), other_(other) {}

    /// The first node that is not the same in both; null if all are.
    const Node* difference() { return difference(first_.main, other_.main); }
    bool has_same_outputs() {
        return std::ranges::equal(first_.main.outputs, other_.main.outputs,
                                  [this](ValueId a, ValueId b) { return pair(a, b); });
    }
    /// What a value is in the other trace.
    ValueId other(ValueId id) const { return pairs_.at(id); }

  private:
    bool pair(ValueId a, ValueId b) {
        if (a == no_value || b == no_value) return a == b;
        const auto [known, is_new] = pairs_.try_emplace(a, b);
        if (!is_new) return known->second == b;
        const Value &x = first_[a], &y = other_[b];
        if (x.kind == Value::Kind::parameter) return y.kind == x.kind && x.tensor.same_as(y.tensor);
        return x.kind == y.kind;
    }
    bool pair_all(const std::vector<ValueId>& a, const std::vector<ValueId>& b) {
        return std::ranges::equal(a, b, [this](ValueId x, ValueId y) { return pair(x, y); });
    }

    const Node* difference(const Body& a, const Body& b) {
        static_cast<void>(pair_all(a.inputs, b.inputs));
        for (std::size_t i = 0; i < a.nodes.size(); ++i) {
            const Node& node = a.nodes[i];
            if (i >= b.nodes.size() || !are_alike(node, b.nodes[i]) || !pair_all(node.inputs, b.nodes[i].inputs))
                return &node;
            for (std::size_t k = 0; k < node.attributes.size(); ++k)
                if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&node.attributes[k].second)) {
                    const auto& others = std::get<std::shared_ptr<Body>>(b.nodes[i].attributes[k].second);
                    if (difference(**inner, *others) != nullptr) return &node;
                }
            if (!pair_all(node.outputs, b.nodes[i].outputs)) return &node;
        }
        if (b.nodes.size() > a.nodes.size()) return &b.nodes[a.nodes.size()];
        return pair_all(a.outputs, b.outputs) || &a == &first_.main ? nullptr : &a.nodes.back();
    }

    const Graph &first_, &other_;
    std::map<ValueId, ValueId> pairs_;
};

/// Writes sizes as values, at the beginning of a graph.
class Sizes {
  public:
    Sizes(Graph& graph, const std::vector<Symbol>& symbols) : graph_(graph), symbols_(symbols) {}

    /// int64 [1].
    ValueId one(const Size& size) {
        if (size.is_fixed()) return graph_.add_constant(vector_of({size.offset + size.factor}));
        ValueId product = no_value;
        for (const std::size_t symbol : size.symbols)
            product = product == no_value ? length(symbol) : apply("Mul", {product, length(symbol)});
        if (size.factor != 1) product = apply("Mul", {product, graph_.add_constant(vector_of({size.factor}))});
        return size.offset == 0 ? product : apply("Add", {product, graph_.add_constant(vector_of({size.offset}))});
    }
    /// int64 [n].
    ValueId vector(const std::vector<Size>& sizes) {
        std::vector<ValueId> parts;
        for (const Size& size : sizes) parts.push_back(one(size));
        return parts.size() == 1 ? parts[0] : apply("Concat", parts, {{"axis", std::int64_t{0}}});
    }
    ValueId apply(std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {}) {
        const ValueId result = graph_.add_computed();
        nodes_.push_back({op, std::move(inputs), {result}, std::move(attributes), -1, "sizes"});
        return result;
    }
    ValueId constant(Tensor elements) { return graph_.add_constant(std::move(elements)); }
    /// A value without axes.
    ValueId scalar_of(const Size& size, Dtype dtype) {
        const ValueId number = apply("Squeeze", {one(size), constant(vector_of({0}))});
        return dtype == Dtype::int64 ? number : apply("Cast", {number}, {{"to", std::int64_t{onnx_type(dtype)}}});
    }
    /// The constant `id` is `made` from now on.
    void replace(ValueId id, ValueId made) { replace_reads(graph_.main, id, made); }
    void put_in_front() {
        std::vector<Node>& nodes = graph_.main.nodes;
        nodes.insert(nodes.begin(), std::make_move_iterator(nodes_.begin()), std::make_move_iterator(nodes_.end()));
    }

  private:
    ValueId length(std::size_t symbol) {
        const auto [known, is_new] = lengths_.try_emplace(symbol, no_value);
        const Symbol& of = symbols_[symbol];
        if (is_new)
            known->second =
                apply("Shape", {of.input}, {{"start", std::int64_t{of.axis}}, {"end", std::int64_t{of.axis + 1}}});
        return known->second;
    }

    Graph& graph_;
    const std::vector<Symbol>& symbols_;
    std::vector<Node> nodes_;
    std::map<std::size_t, ValueId> lengths_;
};

/// One constant in all traces.
class Varying {
  public:
    Varying(std::vector<Tensor> values, const Value& first, std::span<const Trace> traces,
            const std::vector<Symbol>& symbols)
        : values_(std::move(values)), traces_(traces), symbols_(symbols) {
        what_ =
            fmt::format("a tensor {} {}{} that {} reads", to_string(values_[0].shape()), to_string(values_[0].dtype()),
                        first.origin.empty() ? "" : fmt::format(" \"{}\"", first.origin), first.user);
    }

    bool varies() const {
        return std::ranges::any_of(values_, [this](const Tensor& x) { return !are_identical(x, values_[0]); });
    }

    /// Computes it from the sizes.
    ValueId write(Sizes& sizes) const {
        if (std::ranges::any_of(values_, [this](const Tensor& x) {
                return x.rank() != values_[0].rank() || x.dtype() != values_[0].dtype();
            }))
            refuse();
        const Dtype dtype = values_[0].dtype();
        if (is_vector()) return sizes.vector(sizes_of_elements());
        if (counts_from_zero()) return range(sizes, dtype);
        if (!is_filled()) refuse();
        std::vector<Size> shape;
        for (int axis = 0; axis < values_[0].rank(); ++axis)
            shape.push_back(solve([axis](const Tensor& x) { return x.dim(axis); }));
        const std::vector<double> fills = fills_of();
        if (std::ranges::all_of(fills, [&](double x) { return x == fills[0]; })) {
            const Tensor fill = full({1}, fills[0], dtype);
            return sizes.apply("ConstantOfShape", {sizes.vector(shape)}, {{"value", fill}});
        }
        if (std::ranges::any_of(fills, [](double x) { return !std::isfinite(x) || x != std::nearbyint(x); })) refuse();
        const ValueId fill = sizes.scalar_of(
            solve([](const Tensor& x) { return static_cast<std::int64_t>(x.to_vector<double>()[0]); }), dtype);
        return shape.empty() ? fill : sizes.apply("Expand", {fill, sizes.vector(shape)});
    }

  private:
    [[noreturn]] void refuse() const {
        throw ValueError(fmt::format("{} changes with the inputs, and no op computed it from them", what_));
    }
    Size solve(const std::function<std::int64_t(const Tensor&)>& f) const {
        Lengths numbers;
        for (const Tensor& x : values_) numbers.push_back(f(x));
        return size_of(numbers, traces_, symbols_, what_);
    }
    /// Positions and shapes that forms have written.
    bool is_vector() const {
        return values_[0].dtype() == Dtype::int64 && values_[0].rank() == 1 &&
               std::ranges::all_of(values_, [this](const Tensor& x) { return x.shape() == values_[0].shape(); });
    }
    std::vector<Size> sizes_of_elements() const {
        std::vector<Size> result;
        for (std::int64_t i = 0; i < values_[0].numel(); ++i)
            result.push_back(solve([i](const Tensor& x) { return x.at<std::int64_t>({i}); }));
        return result;
    }
    bool counts_from_zero() const {
        return values_[0].rank() == 1 && values_[0].dtype() != Dtype::boolean &&
               std::ranges::all_of(values_, [](const Tensor& x) {
                   return x.dim(0) > 1 && are_identical(x, arange(x.dim(0), x.dtype()));
               });
    }
    ValueId range(Sizes& sizes, Dtype dtype) const {
        const ValueId end = sizes.scalar_of(solve([](const Tensor& x) { return x.dim(0); }), Dtype::int64);
        const ValueId numbers = sizes.apply(
            "Range", {sizes.constant(scalar(0, Dtype::int64)), end, sizes.constant(scalar(1, Dtype::int64))});
        return dtype == Dtype::int64 ? numbers
                                     : sizes.apply("Cast", {numbers}, {{"to", std::int64_t{onnx_type(dtype)}}});
    }
    bool is_filled() const {
        return std::ranges::all_of(values_,
                                   [](const Tensor& x) { return x.numel() > 0 && are_identical(x, expand_first(x)); });
    }
    static Tensor expand_first(const Tensor& x) { return full(x.shape(), x.to_vector<double>()[0], x.dtype()); }
    std::vector<double> fills_of() const {
        std::vector<double> fills;
        for (const Tensor& x : values_) fills.push_back(x.to_vector<double>()[0]);
        return fills;
    }

    std::vector<Tensor> values_;
    std::span<const Trace> traces_;
    const std::vector<Symbol>& symbols_;
    std::string what_;
};

}  // namespace

Size size_of(std::span<const std::int64_t> values, std::span<const Trace> traces, const std::vector<Symbol>& symbols,
             const std::string& what) {
    // Trace i + 1 differs from the first by symbol i alone, which is longer by 1.
    const Lengths& first = traces[0].lengths;
    Size product{.factor = values[0]}, sum{.offset = values[0]};
    std::int64_t lengths = 1;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        const std::int64_t step = values[i + 1] - values[0];
        if (step == 0) continue;
        product.symbols.push_back(i);
        lengths *= first[i];
        sum = {step, values[0] - step * first[i], {i}};
    }
    product.factor /= lengths;
    for (const Size& size : {product, sum}) {
        bool holds = true;
        for (std::size_t r = 0; r < traces.size(); ++r) holds &= value_at(size, traces[r].lengths) == values[r];
        if (holds) return size;
    }
    throw ValueError(
        fmt::format("the size of {} is neither a multiple of lengths nor a length and a number: {} at {}, "
                    "{} at {}",
                    what, values[0], describe_lengths(traces[0], symbols), values.back(),
                    describe_lengths(traces.back(), symbols)));
}

Graph unite(std::vector<Trace>& traces, const std::vector<Symbol>& symbols) {
    Graph& graph = traces[0].graph;
    std::vector<Pairing> pairings;
    for (std::size_t r = 1; r < traces.size(); ++r) {
        Pairing pairing(graph, traces[r].graph);
        const Node* const node = pairing.difference();
        if (node != nullptr || !pairing.has_same_outputs())
            throw ValueError(fmt::format(
                "another program ran at {} than at {}{}; a loop over an axis whose length calls decide says Step(t) "
                "in each step, and all steps are alike",
                describe_lengths(traces[0], symbols), describe_lengths(traces[r], symbols),
                node == nullptr
                    ? std::string()
                    : fmt::format(": it differs at {}{}{}", node->op, node->scope.empty() ? "" : " in ", node->scope)));
        pairings.push_back(std::move(pairing));
    }
    std::vector<ValueId> constants;
    const std::function<void(const Body&)> collect = [&](const Body& body) {
        const auto add = [&](ValueId id) {
            if (graph.is_constant(id) && std::ranges::find(constants, id) == constants.end()) constants.push_back(id);
        };
        for (const Node& node : body.nodes) {
            std::ranges::for_each(node.inputs, add);
            for (const auto& [name, value] : node.attributes)
                if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&value)) collect(**inner);
        }
        std::ranges::for_each(body.outputs, add);
    };
    collect(graph.main);
    Sizes sizes(graph, symbols);
    for (const ValueId id : constants) {
        std::vector<Tensor> values{graph[id].tensor};
        for (std::size_t r = 1; r < traces.size(); ++r)
            values.push_back(traces[r].graph[pairings[r - 1].other(id)].tensor);
        const Varying constant(std::move(values), graph[id], traces, symbols);
        if (constant.varies()) sizes.replace(id, constant.write(sizes));
    }
    sizes.put_in_front();
    return std::move(graph);
}

}  // namespace wengert::onnx
