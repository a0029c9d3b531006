#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <wengert/autograd/observe/internal/mirror.hpp>

namespace wengert {
namespace {

class Mirror {
  public:
    explicit Mirror(Drawing& drawing)
        : drawing_(drawing),
          rule_of_(drawing.vertices.size(), none),
          mirrored_box_(drawing.boxes.size(), none),
          forward_vertices_(drawing.vertices.size()),
          forward_arrows_(drawing.arrows.size()) {}

    void add(NodeId result) {
        mark(result);
        for (std::size_t v = 0; v < forward_vertices_; ++v)
            if (is_reached_[v] && !Drawing::is_outside(drawing_.vertices[v].kind)) add_rule(static_cast<int>(v));
        for (std::size_t a = 0; a < forward_arrows_; ++a) add_arrow(drawing_.arrows[a]);
    }

  private:
    using Kind = Drawing::Kind;
    static constexpr int none = -1;
    static std::size_t index(int i) { return static_cast<std::size_t>(i); }

    /// What leads to the result.
    void mark(NodeId result) {
        is_reached_.assign(forward_vertices_, false);
        std::vector<std::vector<int>> before(forward_vertices_);
        for (const Drawing::Arrow& arrow : drawing_.arrows) before[index(arrow.to)].push_back(arrow.from);
        std::vector<int> waiting;
        for (std::size_t v = 0; v < forward_vertices_; ++v)
            if (std::ranges::find(drawing_.vertices[v].nodes, result) != drawing_.vertices[v].nodes.end())
                waiting.push_back(static_cast<int>(v));
        while (!waiting.empty()) {
            const int v = waiting.back();
            waiting.pop_back();
            if (is_reached_[index(v)]) continue;
            is_reached_[index(v)] = true;
            waiting.insert(waiting.end(), before[index(v)].begin(), before[index(v)].end());
        }
    }

    int mirrored_box(int box) {
        if (box < 0) return none;
        if (mirrored_box_[index(box)] != none) return mirrored_box_[index(box)];
        const int parent = mirrored_box(drawing_.boxes[index(box)].parent);
        Drawing::Box mirrored = drawing_.boxes[index(box)];
        mirrored.title = "backward of " + mirrored.title;
        mirrored.parent = parent;
        GraphTotals& forward = drawing_.boxes[index(box)].totals;
        mirrored.totals = {0, 0, 0, forward.backward_seconds};
        forward.backward_seconds = 0;
        drawing_.boxes.push_back(std::move(mirrored));
        return mirrored_box_[index(box)] = static_cast<int>(drawing_.boxes.size()) - 1;
    }

    void add_rule(int v) {
        const int box = mirrored_box(drawing_.vertices[index(v)].box);
        Drawing::Vertex& op = drawing_.vertices[index(v)];
        Drawing::Vertex rule{Kind::rule, "rule of " + op.name, op.family, op.type, {}, {}, box, op.nodes};
        rule.totals.backward_seconds = op.totals.backward_seconds;
        op.totals.backward_seconds = 0;
        rule.label = fmt::format("rule of {}\ncotangent {}", op.name, op.type);
        if (rule.totals.backward_seconds > 0) rule.label += '\n' + describe_time(rule.totals.backward_seconds);
        rule.detail = fmt::format("backward rule of {}", op.detail);
        const bool reads = op.totals.bytes > 0;
        rule_of_[index(v)] = static_cast<int>(drawing_.vertices.size());
        if (reads) drawing_.arrows.push_back({v, rule_of_[index(v)], false, true, "", true});
        drawing_.vertices.push_back(std::move(rule));
    }

    /// The way of cotangents: from an op's rule to those of its operands.
    void add_arrow(const Drawing::Arrow forward) {
        const int from = rule_of_[index(forward.to)];
        if (from == none) return;
        const Drawing::Vertex& operand = drawing_.vertices[index(forward.from)];
        if (operand.kind == Kind::constant) return;
        const bool is_leaf = Drawing::is_outside(operand.kind);
        const int to =
            is_leaf ? gradient_of(operand, drawing_.vertices[index(from)].box) : rule_of_[index(forward.from)];
        drawing_.arrows.push_back({from, to, forward.is_carried, false, "", false, true});
    }

    /// One for each leaf, beside its first user.
    int gradient_of(const Drawing::Vertex& leaf, int box) {
        const auto [found, is_new] = gradients_.try_emplace(leaf.nodes, static_cast<int>(drawing_.vertices.size()));
        if (is_new) {
            Drawing::Vertex gradient{Kind::gradient, "gradient of " + leaf.name, {}, leaf.type, {}, {}, box,
                                     leaf.nodes};
            gradient.label = fmt::format("∂ {}", leaf.label);
            gradient.detail = fmt::format("gradient of {}", leaf.detail);
            drawing_.vertices.push_back(std::move(gradient));
        }
        return found->second;
    }

    Drawing& drawing_;
    std::vector<bool> is_reached_;
    std::vector<int> rule_of_, mirrored_box_;  // of a vertex, of a box
    std::map<std::vector<NodeId>, int> gradients_;
    const std::size_t forward_vertices_, forward_arrows_;
};

}  // namespace

void add_backward(Drawing& drawing, NodeId result) { Mirror(drawing).add(result); }

}  // namespace wengert
