#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <wengert/autograd/observe/internal/drawing.hpp>
#include <wengert/autograd/observe/internal/folding.hpp>
#include <wengert/autograd/observe/internal/node_facts.hpp>
#include <wengert/autograd/observe/memory.hpp>

namespace wengert {
namespace {

/// The name without the parts that it shares with the path of the box it stands in.
std::string_view relative_name(std::string_view name, std::string_view path) {
    std::size_t begin = 0;
    for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', begin)) {
        if (path.substr(0, dot) != name.substr(0, dot) || (dot < path.size() && path[dot] != '.')) break;
        begin = dot + 1;
    }
    return name.substr(begin);
}

/// "cell.cpp:41"
std::string short_line(const SourceLine& where) {
    const std::string line = to_string(where);
    return line.substr(line.rfind('/') + 1);
}

/// What operand `operand` of some nodes is, where it is no op's result.
struct Outside {
    std::set<NodeId> leaves;
    std::vector<const Tensor*> constants;
    bool in_first_step_only = true, is_saved = false;
};

class Artist {
  public:
    Artist(const Tape& tape, const GraphOptions& options)
        : tape_(tape),
          options_(options),
          calls_(tape),
          folding_(tape, calls_, options.unfold.value_or(0)),
          facts_(tape, options) {}

    Drawing draw() {
        add_boxes();
        for (int g = 0; g < static_cast<int>(folding_.groups().size()); ++g) add_vertices(g);
        for (NodeId id = 0; id < tape_.size(); ++id)
            if (tape_[id].is_leaf() && tape_[id].uses() == 0) add_leaf({id}, "", -1);
        add_arrows();
        add_totals();
        drop_hollow_boxes();
        return std::move(drawing_);
    }

  private:
    using Kind = Drawing::Kind;

    static std::size_t index(int i) { return static_cast<std::size_t>(i); }
    const Folding::Group& group(int g) const { return folding_.groups()[index(g)]; }
    const std::vector<NodeId>& members(int g) const { return group(g).members; }
    std::int32_t step(NodeId id) const { return tape_[id].place().step; }
    bool repeats(int g) const { return step(members(g).front()) != step(members(g).back()); }

    void add_boxes() {
        for (const Folding::Frame& frame : folding_.frames()) {
            const Call &first = calls_[frame.calls.front()], &last = calls_[frame.calls.back()];
            std::string title = first.path;
            if (first.is_step())
                title = frame.calls.size() == 1
                            ? fmt::format("step {}", first.step)
                            : fmt::format("step {}..{}, ×{}", first.step, last.step, frame.calls.size());
            drawing_.boxes.push_back({title, frame.parent, first.is_step()});
        }
    }

    /// The op, and before it what its operands are beside ops.
    void add_vertices(int g) {
        const std::vector<NodeId>& ids = members(g);
        const Node& node = tape_[ids.front()];
        std::vector<Drawing::Arrow> from_outside = add_outside(g);
        vertex_of_.push_back(static_cast<int>(drawing_.vertices.size()));
        for (Drawing::Arrow& arrow : from_outside) {
            arrow.to = vertex_of_.back();
            drawing_.arrows.push_back(std::move(arrow));
        }

        Drawing::Vertex vertex{is_unused(g)     ? Kind::result
                               : node.is_view() ? Kind::view
                                                : Kind::op,
                               std::string(node.name()),
                               facts_.family(node),
                               facts_.type(ids),
                               {},
                               {},
                               group(g).frame,
                               ids};
        vertex.totals = facts_.totals(ids);
        const std::string formula = NodeFacts::formula(node).value_or("");
        std::set<int> runs;
        for (const NodeId id : ids) runs.insert(calls_.of(id));
        const std::size_t in_each = ids.size() / runs.size();
        vertex.label = vertex.name;
        if (ids.size() % runs.size() != 0)
            vertex.label += fmt::format(" ×{} in all", ids.size());
        else if (in_each > 1)
            vertex.label += fmt::format(" ×{}", in_each);
        add_line(vertex.label, formula);
        vertex.label += (node.is_view() ? " " : "\n") + vertex.type;
        if (group(g).frame >= 0)
            if (const std::size_t all = folding_.frames()[index(group(g).frame)].calls.size(); runs.size() < all)
                vertex.label += fmt::format("\nin {} of {} steps", runs.size(), all);
        if (vertex.totals.bytes > 0) add_line(vertex.label, "keeps " + describe_bytes(vertex.totals.bytes));
        add_line(vertex.label, facts_.times(vertex.totals));
        add_line(vertex.label, short_line(node.where()));

        vertex.detail = fmt::format("{} {}", node.name(), vertex.type);
        add_line(vertex.detail, formula);
        const std::string path = scope_path(node.place().scope);
        add_line(vertex.detail, repeats(g) ? fmt::format("{}{}steps {} to {}", path, path.empty() ? "" : ", ",
                                                         step(ids.front()), step(ids.back()))
                                           : to_string(node.place()));
        if (ids.size() > 1) add_line(vertex.detail, fmt::format("{} nodes", ids.size()));
        add_line(vertex.detail, to_string(node.where()));
        if (node.released())
            add_line(vertex.detail, "has released what backward needed");
        else if (vertex.totals.bytes > 0)
            add_line(vertex.detail, fmt::format("keeps {} for backward", describe_bytes(vertex.totals.bytes)));
        add_line(vertex.detail, facts_.times(vertex.totals));
        mark_non_finite(vertex);
        drawing_.vertices.push_back(std::move(vertex));
    }

    static void add_line(std::string& text, const std::string& line) {
        if (!line.empty()) text += '\n' + line;
    }

    void mark_non_finite(Drawing::Vertex& vertex) const {
        for (const NodeId id : vertex.nodes) {
            const std::optional<double> found = facts_.non_finite(id);
            if (!found) continue;
            vertex.is_finite = false;
            add_line(vertex.label, fmt::format("has {}", *found));
            add_line(vertex.detail, fmt::format("has {}{}", *found,
                                                vertex.nodes.size() > 1 ? " in " + to_string(tape_[id].place()) : ""));
            return;
        }
    }

    /// Whether nothing follows the last step.
    bool is_unused(int g) const {
        const std::vector<NodeId>& ids = members(g);
        return std::all_of(ids.begin(), ids.end(),
                           [&](NodeId id) { return tape_[id].uses() == 0 || step(id) != step(ids.back()); });
    }

    /// A vertex for what is the first operand of a group's nodes (mostly one leaf), one for what is the second, and so
    /// on. Returns their arrows, which lack only their heads.
    std::vector<Drawing::Arrow> add_outside(int g) {
        std::vector<Outside> operands;
        for (const NodeId id : members(g)) {
            const std::span<const NodeId> inputs = tape_[id].inputs();
            if (inputs.size() > operands.size()) operands.resize(inputs.size());
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                const Tensor* const saved = saved_operand(tape_[id], id, i);
                if (inputs[i] != no_node && !tape_[inputs[i]].is_leaf()) continue;
                if (inputs[i] != no_node)
                    operands[i].leaves.insert(inputs[i]);
                else if (saved != nullptr && saved->rank() > 0)
                    operands[i].constants.push_back(saved);
                else
                    continue;
                operands[i].is_saved |= saved != nullptr;
                if (step(id) != step(members(g).front())) operands[i].in_first_step_only = false;
            }
        }
        const std::string path = scope_path(tape_[members(g).front()].place().scope);
        std::vector<Drawing::Arrow> arrows;
        std::set<std::set<NodeId>> drawn{{}};
        for (const Outside& operand : operands) {
            const auto add = [&](int vertex) {
                arrows.push_back({vertex, -1, false, operand.is_saved,
                                  operand.in_first_step_only && repeats(g) ? "first step" : ""});
            };
            if (drawn.insert(operand.leaves).second)
                add(add_leaf({operand.leaves.begin(), operand.leaves.end()}, path, group(g).frame));
            if (!operand.constants.empty()) add(add_constant(operand.constants, path, group(g).frame));
        }
        return arrows;
    }

    int add_leaf(const std::vector<NodeId>& ids, std::string_view path, int box) {
        const Leaf& leaf = static_cast<const Leaf&>(tape_[ids.front()]);
        const std::string name = leaf.tensor().name();
        Drawing::Vertex vertex{leaf.tensor().is_parameter() ? Kind::parameter : Kind::input,
                               name.empty() ? std::string(leaf.name()) : name,
                               {},
                               facts_.type(ids),
                               name.empty() ? std::string(leaf.name()) : std::string(relative_name(name, path)),
                               {},
                               box,
                               ids};
        if (ids.size() > 1) vertex.label = fmt::format("{}s ×{}", leaf.name(), ids.size());
        vertex.label += '\n' + vertex.type;
        vertex.detail = fmt::format("{} {}{}\n{}", leaf.name(), name.empty() ? "unnamed" : name,
                                    ids.size() > 1 ? ", ..." : "", vertex.type);
        mark_non_finite(vertex);
        return add(std::move(vertex));
    }

    int add_constant(const std::vector<const Tensor*>& tensors, std::string_view path, int box) {
        std::vector<Shape> shapes;
        for (const Tensor* const x : tensors) shapes.push_back(x->shape());
        const std::string name = tensors.front()->name();
        Drawing::Vertex vertex{Kind::constant,
                               name.empty() ? "constant" : name,
                               {},
                               describe_type(shapes, tensors.front()->dtype()),
                               {},
                               {},
                               box};
        vertex.label = fmt::format("{}\n{}", relative_name(vertex.name, path), vertex.type);
        vertex.detail = fmt::format("constant {}\n{}", name.empty() ? "unnamed" : name, vertex.type);
        return add(std::move(vertex));
    }

    int add(Drawing::Vertex vertex) {
        drawing_.vertices.push_back(std::move(vertex));
        return static_cast<int>(drawing_.vertices.size()) - 1;
    }

    /// What the operands that make one arrow have in common.
    struct Links {
        bool to_next_step = true, from_last_step = true, to_first_step = true, within_loop = true, is_saved = false;
    };

    void add_arrows() {
        std::map<std::tuple<int, int, bool>, Links> arrows;
        for (NodeId user = 0; user < tape_.size(); ++user) {
            const std::span<const NodeId> inputs = tape_[user].inputs();
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                const NodeId operand = inputs[i];
                if (operand == no_node || tape_[operand].is_leaf()) continue;
                const int from = folding_.group_of(operand), to = folding_.group_of(user);
                const bool within_loop = calls_.same_loop(operand, user);
                const bool is_carried = from >= to || (within_loop && step(operand) != step(user));
                Links& links = arrows[{from, to, is_carried}];
                links.to_next_step &= std::abs(step(operand) - step(user)) == 1;
                links.from_last_step &= step(operand) == step(members(from).back());
                links.to_first_step &= step(user) == step(members(to).front());
                links.within_loop &= within_loop;
                links.is_saved |= saved_operand(tape_[user], user, i) != nullptr;
            }
        }
        std::set<std::pair<int, std::string>> said;  // once for all arrows from one vertex
        for (const auto& [ends, links] : arrows) {
            const auto [from, to, is_carried] = ends;
            std::string label = describe(links, from, to, is_carried);
            if (!said.emplace(from, label).second) label.clear();
            drawing_.arrows.push_back(
                {vertex_of_[index(from)], vertex_of_[index(to)], is_carried, links.is_saved, label});
        }
    }

    std::string describe(const Links& links, int from, int to, bool is_carried) const {
        if (is_carried) return links.to_next_step ? "next step" : "later steps";
        if (links.within_loop) return "";
        const bool last = repeats(from) && links.from_last_step, first = repeats(to) && links.to_first_step;
        return last && first ? "last to first step" : last ? "last step" : first ? "first step" : "";
    }

    void add_totals() {
        std::vector<std::vector<NodeId>> inside(drawing_.boxes.size());
        for (const Drawing::Vertex& vertex : drawing_.vertices)
            if (!Drawing::is_outside(vertex.kind))
                for (int box = vertex.box; box >= 0; box = drawing_.boxes[index(box)].parent)
                    inside[index(box)].insert(inside[index(box)].end(), vertex.nodes.begin(), vertex.nodes.end());
        for (std::size_t b = 0; b < inside.size(); ++b) drawing_.boxes[b].totals = facts_.totals(inside[b]);
        std::vector<NodeId> all;
        for (NodeId id = 0; id < tape_.size(); ++id)
            if (!tape_[id].is_leaf()) all.push_back(id);
        drawing_.totals = facts_.totals(all);
    }

    /// A box that holds nothing but one other leaves its place to that one.
    void drop_hollow_boxes() {
        std::vector<Drawing::Box>& boxes = drawing_.boxes;
        std::vector<int> contents(boxes.size()), kept(boxes.size(), -1);
        for (const Drawing::Vertex& vertex : drawing_.vertices)
            if (vertex.box >= 0) contents[index(vertex.box)] += 2;
        for (const Drawing::Box& box : boxes)
            if (box.parent >= 0) ++contents[index(box.parent)];
        std::vector<Drawing::Box> solid;
        for (std::size_t b = 0; b < boxes.size(); ++b) {
            Drawing::Box box = boxes[b];
            const Drawing::Box* outer = box.parent < 0 ? nullptr : &boxes[index(box.parent)];
            if (outer != nullptr && contents[index(box.parent)] == 1 && box.is_repeated)
                box.title = outer->title + ", " + box.title;
            if (box.parent >= 0) box.parent = kept[index(box.parent)];
            const bool is_hollow = contents[b] == 1;
            kept[b] = is_hollow ? box.parent : static_cast<int>(solid.size());
            if (!is_hollow) solid.push_back(std::move(box));
        }
        boxes = std::move(solid);
        for (Drawing::Vertex& vertex : drawing_.vertices)
            if (vertex.box >= 0) vertex.box = kept[index(vertex.box)];
    }

    const Tape& tape_;
    const GraphOptions& options_;
    const Calls calls_;
    const Folding folding_;
    const NodeFacts facts_;
    Drawing drawing_;
    std::vector<int> vertex_of_;  // of a group
};

}  // namespace

Drawing draw(const Tape& tape, const GraphOptions& options) { return Artist(tape, options).draw(); }

}  // namespace wengert
