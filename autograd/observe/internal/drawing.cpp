#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <wengert/autograd/observe/internal/drawing.hpp>
#include <wengert/autograd/observe/memory.hpp>

namespace wengert {
namespace {

/// The nodes that one vertex stands for, in the order of the tape.
struct Group {
    int block;
    std::vector<NodeId> members;
};

/// What the nodes of a tape have in common: which of them are one vertex, and which run in one loop.
///
/// Nodes of different steps fold if they came from the same line of the same scope, and each is the n-th of its step
/// from there. Where their operands come from does not matter, so that a first step, whose state comes from elsewhere,
/// folds with the rest.
class Folding {
  public:
    static constexpr int outside = -1;  ///< block and loop of what is in no step

    Folding(const Tape& tape, int unfold) : tape_(tape), unfold_(unfold) {
        for (NodeId id = 0; id < tape.size(); ++id) {
            follow_loop(tape[id]);
            loops_.push_back(loop_);
            group_of_.push_back(tape[id].is_leaf() ? -1 : find_group(id));
            if (group_of_[index(id)] >= 0) groups_[index(group_of_[index(id)])].members.push_back(id);
        }
    }

    const std::vector<Group>& groups() const { return groups_; }
    int group_of(NodeId id) const { return group_of_[index(id)]; }
    bool same_loop(NodeId a, NodeId b) const {
        return loops_[index(a)] != outside && loops_[index(a)] == loops_[index(b)];
    }

  private:
    /// A line of the program in a scope, with what it computes there.
    using Origin = std::tuple<std::int32_t, std::string_view, std::string_view, std::uint32_t, int, Dtype>;

    static std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

    /// A loop goes on until something is computed outside steps, or until an earlier step comes again.
    void follow_loop(const Node& node) {
        const std::int32_t step = node.place().step;
        if (node.is_leaf() || step == step_) return;
        if (step < 0) {
            loop_ = outside;
        } else if (loop_ == outside || !steps_of_loop_.insert(step).second) {
            loop_ = ++last_loop_;
            steps_of_loop_ = {step};
        }
        step_ = step;
    }

    /// The steps of a scope count in the order in which they ran. The unfolded are blocks 0, 1, ...; the rest is one.
    int find_block(const Place& place) {
        if (place.step < 0) return outside;
        auto& ranks = step_ranks_[place.scope];
        const auto rank = ranks.try_emplace(place.step, static_cast<int>(ranks.size())).first->second;
        return std::min(rank, unfold_);
    }

    int find_group(NodeId id) {
        const Node& node = tape_[id];
        const Place& place = node.place();
        const std::string_view file = node.where().file == nullptr ? "" : node.where().file;
        const Origin origin{place.scope, node.name(), file, node.where().line, node.shape().rank(), node.dtype()};
        const int block = find_block(place);
        const int new_group = static_cast<int>(groups_.size());

        int* among_slices = nullptr;
        if (node.is_view()) {
            const NodeId base = node.inputs()[0];
            const auto base_identity = std::pair(tape_[base].is_leaf(), tape_[base].is_leaf() ? base : group_of(base));
            const auto [slices, is_first] =
                slices_.try_emplace(std::tuple(origin, place.step, base_identity), new_group);
            if (!is_first) return slices->second;
            among_slices = &slices->second;
        }
        int group = new_group;
        if (block != outside) {
            const int ordinal = ordinals_[{origin, place.step}]++;
            group = folded_.try_emplace(std::tuple(origin, block, ordinal), new_group).first->second;
        }
        if (group == new_group) groups_.push_back({block, {}});
        if (among_slices != nullptr) *among_slices = group;
        return group;
    }

    const Tape& tape_;
    const int unfold_;
    std::vector<Group> groups_;
    std::vector<int> group_of_, loops_;
    int loop_ = outside, last_loop_ = outside;
    std::int32_t step_ = -1;
    std::set<std::int32_t> steps_of_loop_;
    std::map<std::int32_t, std::map<std::int32_t, int>> step_ranks_;
    std::map<std::pair<Origin, std::int32_t>, int> ordinals_;
    std::map<std::tuple<Origin, int, int>, int> folded_;
    std::map<std::tuple<Origin, std::int32_t, std::pair<bool, std::int32_t>>, int> slices_;
};

/// "[64, 256]"; "[12..64, 256]" where nodes differ.
std::string describe_shapes(const Tape& tape, const std::vector<NodeId>& ids) {
    Shape low = tape[ids.front()].shape(), high = low;
    for (const NodeId id : ids) {
        const Shape& shape = tape[id].shape();
        if (shape.rank() != low.rank()) return "of several ranks";
        for (int axis = 0; axis < low.rank(); ++axis) {
            low[axis] = std::min(low[axis], shape[axis]);
            high[axis] = std::max(high[axis], shape[axis]);
        }
    }
    std::vector<std::string> axes;
    for (int axis = 0; axis < low.rank(); ++axis)
        axes.push_back(low[axis] == high[axis] ? fmt::format("{}", low[axis])
                                               : fmt::format("{}..{}", low[axis], high[axis]));
    return fmt::format("[{}]", fmt::join(axes, ", "));
}

std::string describe_saved(const Tape& tape, const std::vector<NodeId>& ids) {
    if (tape[ids.front()].released()) return "has released what backward needed";
    const std::size_t bytes = saved_bytes(tape, ids);
    return bytes == 0 ? "" : fmt::format("keeps {} for backward", describe_bytes(bytes));
}

/// The name without the parts that it shares with the path of the box it stands in.
std::string_view relative_name(std::string_view name, std::string_view path) {
    std::size_t begin = 0;
    for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', begin)) {
        if (path.substr(0, dot) != name.substr(0, dot) || (dot < path.size() && path[dot] != '.')) break;
        begin = dot + 1;
    }
    return name.substr(begin);
}

class Artist {
  public:
    Artist(const Tape& tape, int unfold) : tape_(tape), folding_(tape, unfold) {}

    Drawing draw() {
        count_steps();
        for (int g = 0; g < static_cast<int>(folding_.groups().size()); ++g) add_vertices(g);
        for (NodeId id = 0; id < tape_.size(); ++id)
            if (tape_[id].is_leaf() && tape_[id].uses() == 0) add_leaf({id}, "", -1);
        add_arrows();
        drop_hollow_boxes();
        return std::move(drawing_);
    }

  private:
    using Kind = Drawing::Kind;
    using Block = std::pair<std::string, int>;  // the path of a scope, a block of its steps

    static std::size_t index(int i) { return static_cast<std::size_t>(i); }
    const Group& group(int g) const { return folding_.groups()[index(g)]; }
    std::int32_t step(NodeId id) const { return tape_[id].place().step; }
    bool repeats(int g) const { return step(group(g).members.front()) != step(group(g).members.back()); }
    Block block_of(int g) const { return {scope_path(tape_[group(g).members.front()].place().scope), group(g).block}; }

    void count_steps() {
        for (int g = 0; g < static_cast<int>(folding_.groups().size()); ++g) {
            if (group(g).block == Folding::outside) continue;
            std::set<std::int32_t>& steps = steps_[block_of(g)];
            for (const NodeId id : group(g).members) steps.insert(step(id));
        }
    }

    int find_box(const std::string& path, int block) {
        if (path.empty() && block == Folding::outside) return -1;
        if (const auto box = boxes_.find({path, block}); box != boxes_.end()) return box->second;
        std::string title = path;
        int parent = -1;
        if (block == Folding::outside) {
            const std::size_t dot = path.rfind('.');
            parent = dot == path.npos ? -1 : find_box(path.substr(0, dot), Folding::outside);
        } else {
            parent = find_box(path, Folding::outside);
            const std::set<std::int32_t>& steps = steps_.at({path, block});
            title = steps.size() == 1 ? fmt::format("step {}", *steps.begin()) : fmt::format("×{} steps", steps.size());
        }
        boxes_[{path, block}] = static_cast<int>(drawing_.boxes.size());
        drawing_.boxes.push_back({title, parent, block != Folding::outside});
        return static_cast<int>(drawing_.boxes.size()) - 1;
    }

    /// The op, and before it the leaves that are its operands.
    void add_vertices(int g) {
        const std::vector<NodeId>& members = group(g).members;
        const Node& node = tape_[members.front()];
        const auto [path, block] = block_of(g);
        const int box = find_box(path, block);
        std::vector<Drawing::Arrow> from_leaves = add_leaves(g, path, box);
        vertex_of_.push_back(static_cast<int>(drawing_.vertices.size()));
        for (Drawing::Arrow& arrow : from_leaves) {
            arrow.to = vertex_of_.back();
            drawing_.arrows.push_back(std::move(arrow));
        }

        std::set<std::int32_t> steps;
        for (const NodeId id : members) steps.insert(step(id));
        const std::size_t in_each = members.size() / steps.size();
        std::string label{node.name()};
        if (members.size() % steps.size() != 0)
            label += fmt::format(" ×{} in all", members.size());
        else if (in_each > 1)
            label += fmt::format(" ×{}", in_each);
        label += (node.is_view() ? " " : "\n") + describe_type(members);
        if (block != Folding::outside && steps.size() < steps_.at({path, block}).size())
            label += fmt::format("\nin {} of {} steps", steps.size(), steps_.at({path, block}).size());

        std::string detail =
            fmt::format("{} {} {}", node.name(), describe_shapes(tape_, members), to_string(node.dtype()));
        const auto add_line = [&detail](const std::string& line) {
            if (!line.empty()) detail += '\n' + line;
        };
        add_line(steps.size() == 1 ? to_string(node.place())
                                   : fmt::format("{}{}steps {} to {}", path, path.empty() ? "" : ", ",
                                                 step(members.front()), step(members.back())));
        if (members.size() > 1) add_line(fmt::format("{} nodes", members.size()));
        add_line(to_string(node.where()));
        add_line(describe_saved(tape_, members));
        const Kind kind = is_unused(g) ? Kind::result : node.is_view() ? Kind::view : Kind::op;
        drawing_.vertices.push_back({kind, label, detail, box});
    }

    /// Whether nothing follows the last step.
    bool is_unused(int g) const {
        const std::vector<NodeId>& members = group(g).members;
        return std::all_of(members.begin(), members.end(),
                           [&](NodeId id) { return tape_[id].uses() == 0 || step(id) != step(members.back()); });
    }

    /// A vertex for the leaves that are the first operand of a group's nodes (mostly one leaf), one for those that are
    /// the second, and so on. Returns their arrows, which lack only their heads.
    std::vector<Drawing::Arrow> add_leaves(int g, std::string_view path, int box) {
        std::vector<std::set<NodeId>> leaves;
        std::vector<char> in_first_step_only;
        for (const NodeId id : group(g).members) {
            const std::span<const NodeId> operands = tape_[id].inputs();
            if (operands.size() > leaves.size()) {
                leaves.resize(operands.size());
                in_first_step_only.resize(operands.size(), true);
            }
            for (std::size_t i = 0; i < operands.size(); ++i) {
                if (operands[i] == no_node || !tape_[operands[i]].is_leaf()) continue;
                leaves[i].insert(operands[i]);
                if (step(id) != step(group(g).members.front())) in_first_step_only[i] = false;
            }
        }
        std::vector<Drawing::Arrow> arrows;
        std::set<std::set<NodeId>> drawn{{}};
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            if (!drawn.insert(leaves[i]).second) continue;
            const int leaf = add_leaf({leaves[i].begin(), leaves[i].end()}, path, box);
            arrows.push_back({leaf, -1, false, in_first_step_only[i] && repeats(g) ? "first step" : ""});
        }
        return arrows;
    }

    int add_leaf(const std::vector<NodeId>& ids, std::string_view path, int box) {
        const Leaf& leaf = static_cast<const Leaf&>(tape_[ids.front()]);
        std::string name = leaf.tensor().name();
        std::string label = name.empty() ? std::string(leaf.name()) : std::string(relative_name(name, path));
        if (name.empty()) name = "unnamed";
        if (ids.size() > 1) {
            label = fmt::format("{}s ×{}", leaf.name(), ids.size());
            name += ", ...";
        }
        label += '\n' + describe_type(ids);
        const std::string detail =
            fmt::format("{} {}\n{} {}", leaf.name(), name, describe_shapes(tape_, ids), to_string(leaf.dtype()));
        drawing_.vertices.push_back({leaf.tensor().is_parameter() ? Kind::parameter : Kind::input, label, detail, box});
        return static_cast<int>(drawing_.vertices.size()) - 1;
    }

    /// The shape, and the dtype unless it is the usual one.
    std::string describe_type(const std::vector<NodeId>& ids) const {
        const Dtype dtype = tape_[ids.front()].dtype();
        const std::string shapes = describe_shapes(tape_, ids);
        return dtype == Dtype::float32 ? shapes : fmt::format("{} {}", shapes, to_string(dtype));
    }

    /// What the operands that make one arrow have in common.
    struct Links {
        bool to_next_step = true, from_last_step = true, to_first_step = true, within_loop = true;
    };

    void add_arrows() {
        std::map<std::tuple<int, int, bool>, Links> arrows;
        for (NodeId user = 0; user < tape_.size(); ++user) {
            for (const NodeId operand : tape_[user].inputs()) {
                if (operand == no_node || tape_[operand].is_leaf()) continue;
                const int from = folding_.group_of(operand), to = folding_.group_of(user);
                const bool within_loop = folding_.same_loop(operand, user);
                const bool is_carried = from >= to || (within_loop && step(operand) != step(user));
                Links& links = arrows[{from, to, is_carried}];
                links.to_next_step &= std::abs(step(operand) - step(user)) == 1;
                links.from_last_step &= step(operand) == step(group(from).members.back());
                links.to_first_step &= step(user) == step(group(to).members.front());
                links.within_loop &= within_loop;
            }
        }
        std::set<std::pair<int, std::string>> said;  // once for all arrows from one vertex
        for (const auto& [ends, links] : arrows) {
            const auto [from, to, is_carried] = ends;
            std::string label = describe(links, from, to, is_carried);
            if (!said.emplace(from, label).second) label.clear();
            drawing_.arrows.push_back({vertex_of_[index(from)], vertex_of_[index(to)], is_carried, label});
        }
    }

    std::string describe(const Links& links, int from, int to, bool is_carried) const {
        if (is_carried) return links.to_next_step ? "next step" : "later steps";
        if (links.within_loop) return "";
        const bool last = repeats(from) && links.from_last_step, first = repeats(to) && links.to_first_step;
        return last && first ? "last to first step" : last ? "last step" : first ? "first step" : "";
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
                box.title = outer->title + " " + box.title;
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
    const Folding folding_;
    Drawing drawing_;
    std::map<Block, std::set<std::int32_t>> steps_;
    std::map<Block, int> boxes_;
    std::vector<int> vertex_of_;  // of a group
};

}  // namespace

Drawing draw(const Tape& tape, int unfold) {
    if (unfold < 0) throw ValueError(fmt::format("draw: unfold must not be negative, it is {}", unfold));
    return Artist(tape, unfold).draw();
}

}  // namespace wengert
