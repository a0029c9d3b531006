#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <wengert/autograd/observe/internal/closing.hpp>
#include <wengert/autograd/observe/memory.hpp>

namespace wengert {
namespace {

std::size_t place(int i) { return static_cast<std::size_t>(i); }

std::vector<int> levels_of(const Drawing& drawing) {
    std::vector<int> levels;
    for (const Drawing::Box& box : drawing.boxes) levels.push_back(box.parent < 0 ? 0 : levels[place(box.parent)] + 1);
    return levels;
}

/// What a closed box shows.
struct Contents {
    std::vector<std::string> in, out;  ///< types, each once
    std::set<NodeId> parameters;
    bool has_result = false, is_finite = true;
    std::vector<NodeId> nodes = {};
};

void add_once(std::vector<std::string>& list, const std::string& text) {
    if (std::ranges::find(list, text) == list.end()) list.push_back(text);
}

std::string shortened(const std::vector<std::string>& list) {
    constexpr std::size_t most = 3;
    if (list.size() <= most) return fmt::format("{}", fmt::join(list, ", "));
    return fmt::format("{}, {} more", fmt::join(list.begin(), list.begin() + most, ", "), list.size() - most);
}

class Closer {
  public:
    Closer(const Drawing& open, int depth) : open_(open), levels_(levels_of(open)), depth_(depth) {}

    Drawing close() {
        keep_boxes();
        look_inside();
        for (std::size_t v = 0; v < open_.vertices.size(); ++v) add_vertex(open_.vertices[v]);
        add_arrows();
        return std::move(closed_);
    }

  private:
    using Kind = Drawing::Kind;

    void keep_boxes() {
        for (std::size_t b = 0; b < open_.boxes.size(); ++b) {
            const Drawing::Box& box = open_.boxes[b];
            if (levels_[b] < depth_) {
                kept_.push_back(static_cast<int>(closed_.boxes.size()));
                closed_.boxes.push_back(box);
                if (box.parent >= 0) closed_.boxes.back().parent = kept_[place(box.parent)];
                outermost_.push_back(-1);
            } else {
                kept_.push_back(-1);
                outermost_.push_back(levels_[b] == depth_ ? static_cast<int>(b) : outermost_[place(box.parent)]);
            }
        }
    }

    /// The closed box that a vertex is in, -1 for none.
    int closed_box(const Drawing::Vertex& vertex) const { return vertex.box < 0 ? -1 : outermost_[place(vertex.box)]; }
    int closed_box(int vertex) const { return closed_box(open_.vertices[place(vertex)]); }

    void look_inside() {
        for (const Drawing::Vertex& vertex : open_.vertices) {
            const int box = closed_box(vertex);
            if (box < 0) continue;
            Contents& contents = contents_[box];
            if (vertex.kind == Kind::parameter)
                contents.parameters.insert(vertex.nodes.begin(), vertex.nodes.end());
            else if (vertex.kind == Kind::input || vertex.kind == Kind::constant)
                add_once(contents.in, vertex.type);
            else
                contents.nodes.insert(contents.nodes.end(), vertex.nodes.begin(), vertex.nodes.end());
            if (vertex.kind == Kind::result) {
                contents.has_result = true;
                add_once(contents.out, vertex.type);
            }
            contents.is_finite &= vertex.is_finite;
        }
        for (const Drawing::Arrow& arrow : open_.arrows) {
            const int from = closed_box(arrow.from), to = closed_box(arrow.to);
            if (from == to) continue;
            const std::string& type = open_.vertices[place(arrow.from)].type;
            if (from >= 0) add_once(contents_[from].out, type);
            if (to >= 0) add_once(contents_[to].in, type);
        }
    }

    void add_vertex(const Drawing::Vertex& vertex) {
        const int box = closed_box(vertex);
        const auto new_vertex = static_cast<int>(closed_.vertices.size());
        if (box >= 0) {
            const auto [found, is_first] = vertex_of_.try_emplace(box, new_vertex);
            now_.push_back(found->second);
            if (is_first) closed_.vertices.push_back(closed(box));
            return;
        }
        now_.push_back(new_vertex);
        closed_.vertices.push_back(vertex);
        if (vertex.box >= 0) closed_.vertices.back().box = kept_[place(vertex.box)];
    }

    Drawing::Vertex closed(int b) const {
        const Drawing::Box& box = open_.boxes[place(b)];
        const Contents& contents = contents_.at(b);
        Drawing::Vertex vertex{contents.has_result ? Kind::closed_result : Kind::closed,
                               box.title,
                               {},
                               shortened(contents.out),
                               box.title,
                               {},
                               box.parent < 0 ? -1 : kept_[place(box.parent)],
                               contents.nodes,
                               box.totals,
                               contents.is_finite};
        if (!contents.in.empty()) vertex.label += "\nin: " + shortened(contents.in);
        if (!contents.out.empty()) vertex.label += "\nout: " + shortened(contents.out);
        if (const std::size_t count = contents.parameters.size(); count > 0)
            vertex.label += fmt::format("\n{} parameter{}", count, count == 1 ? "" : "s");
        vertex.label += '\n' + describe(box.totals);
        if (!contents.is_finite) vertex.label += "\nhas what is not finite";
        vertex.detail = vertex.label;
        return vertex;
    }

    void add_arrows() {
        std::map<std::pair<int, int>, std::size_t> known;
        for (const Drawing::Arrow& arrow : open_.arrows) {
            const int from = now_[place(arrow.from)], to = now_[place(arrow.to)];
            if (from == to && closed_box(arrow.from) >= 0) continue;
            const auto [found, is_first] = known.try_emplace({from, to}, closed_.arrows.size());
            if (is_first) {
                closed_.arrows.push_back(arrow);
                closed_.arrows.back().from = from;
                closed_.arrows.back().to = to;
            } else {
                Drawing::Arrow& merged = closed_.arrows[found->second];
                merged.is_carried &= arrow.is_carried;
                merged.is_saved |= arrow.is_saved;
                if (merged.label != arrow.label) merged.label.clear();
            }
        }
    }

    const Drawing& open_;
    const std::vector<int> levels_;
    const int depth_;
    Drawing closed_;
    std::vector<int> kept_, outermost_;  // of a box: itself among those that stay, the closed one it is in
    std::map<int, Contents> contents_;   // of closed boxes
    std::map<int, int> vertex_of_;       // of closed boxes
    std::vector<int> now_;               // of a vertex: where it is in the closed drawing
};

/// Boxes in an order in which parents come first.
void sort_boxes(Drawing& drawing) {
    std::vector<int> order, now(drawing.boxes.size());
    std::vector<std::vector<int>> children(drawing.boxes.size() + 1);
    for (std::size_t b = 0; b < drawing.boxes.size(); ++b)
        children[place(drawing.boxes[b].parent + 1)].push_back(static_cast<int>(b));
    std::vector<int> waiting(children[0].rbegin(), children[0].rend());
    std::vector<Drawing::Box> sorted;
    while (!waiting.empty()) {
        const int b = waiting.back();
        waiting.pop_back();
        now[place(b)] = static_cast<int>(sorted.size());
        sorted.push_back(drawing.boxes[place(b)]);
        if (sorted.back().parent >= 0) sorted.back().parent = now[place(sorted.back().parent)];
        waiting.insert(waiting.end(), children[place(b + 1)].rbegin(), children[place(b + 1)].rend());
    }
    drawing.boxes = std::move(sorted);
    for (Drawing::Vertex& vertex : drawing.vertices)
        if (vertex.box >= 0) vertex.box = now[place(vertex.box)];
}

/// Something that stands in a box: a vertex that is an op with the leaves before it, or a box.
struct Item {
    std::vector<int> vertices;
    int box = -1;
};

std::vector<std::vector<Item>> items_by_box(const Drawing& drawing) {
    std::vector<std::vector<Item>> items(drawing.boxes.size() + 1);
    std::vector<bool> is_met(drawing.boxes.size());
    std::vector<bool> is_open(drawing.boxes.size() + 1);  // the last item waits for its op
    for (std::size_t v = 0; v < drawing.vertices.size(); ++v) {
        const Drawing::Vertex& vertex = drawing.vertices[v];
        for (int box = vertex.box; box >= 0 && !is_met[place(box)]; box = drawing.boxes[place(box)].parent) {
            is_met[place(box)] = true;
            items[place(drawing.boxes[place(box)].parent + 1)].push_back({{}, box});
        }
        std::vector<Item>& around = items[place(vertex.box + 1)];
        if (!is_open[place(vertex.box + 1)] || around.empty() || around.back().box >= 0) around.push_back({});
        around.back().vertices.push_back(static_cast<int>(v));
        is_open[place(vertex.box + 1)] = Drawing::is_outside(vertex.kind);
    }
    return items;
}

void add_up(GraphTotals& to, const GraphTotals& more) {
    to.nodes += more.nodes;
    to.bytes += more.bytes;
    to.forward_seconds += more.forward_seconds;
    to.backward_seconds += more.backward_seconds;
}

}  // namespace

int depth_of(const Drawing& drawing) {
    const std::vector<int> levels = levels_of(drawing);
    return levels.empty() ? 0 : *std::ranges::max_element(levels) + 1;
}

Drawing close_boxes(const Drawing& drawing, int depth) { return Closer(drawing, depth).close(); }

Drawing part(Drawing drawing, int most) {
    std::vector<std::vector<Item>> by_box = items_by_box(drawing);
    for (std::size_t b = 0; b < by_box.size(); ++b) {
        std::vector<Item> items = std::move(by_box[b]);
        while (items.size() > place(most)) {
            std::vector<Item> parts;
            for (std::size_t begin = 0; begin < items.size(); begin += place(most)) {
                const std::size_t end = std::min(begin + place(most), items.size());
                Drawing::Box box{"", static_cast<int>(b) - 1, false};
                const auto number = static_cast<int>(drawing.boxes.size());
                for (std::size_t i = begin; i < end; ++i) {
                    for (const int v : items[i].vertices) {
                        drawing.vertices[place(v)].box = number;
                        add_up(box.totals, drawing.vertices[place(v)].totals);
                    }
                    if (items[i].box < 0) continue;
                    drawing.boxes[place(items[i].box)].parent = number;
                    add_up(box.totals, drawing.boxes[place(items[i].box)].totals);
                }
                box.title = fmt::format("part {}", parts.size() + 1);
                drawing.boxes.push_back(std::move(box));
                parts.push_back({{}, number});
            }
            for (const Item& one : parts) drawing.boxes[place(one.box)].title += fmt::format(" of {}", parts.size());
            items = std::move(parts);
        }
    }
    sort_boxes(drawing);
    return drawing;
}

Fitted fit(const Drawing& drawing, int most) {
    constexpr int side_by_side = 50;
    if (drawing.vertices.size() <= place(most)) return {drawing, ""};
    const auto size_at = [](const Drawing& whole, int depth) { return close_boxes(whole, depth).vertices.size(); };
    const bool is_parted = size_at(drawing, 0) > place(most);
    const Drawing whole = is_parted ? part(drawing, side_by_side) : drawing;
    int depth = 0;
    while (depth < depth_of(whole) && size_at(whole, depth + 1) <= place(most)) ++depth;
    Drawing fitted = close_boxes(whole, depth);
    const std::string note =
        fmt::format("{} ops and operands are too many to show: boxes in {} others are closed{}",
                    drawing.vertices.size(), depth, is_parted ? ", and what stands side by side is parted" : "");
    return {std::move(fitted), note};
}

}  // namespace wengert
