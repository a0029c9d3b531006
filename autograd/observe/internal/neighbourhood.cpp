#include <algorithm>
#include <wengert/autograd/observe/internal/neighbourhood.hpp>

namespace wengert {
namespace {

/// How far arrows lead from some vertices, and by which vertex each was reached first.
class Reach {
  public:
    enum class Way { both, along };
    Reach(const Drawing& drawing, std::vector<int> from, Way way)
        : distance(drawing.vertices.size(), unreached), before(drawing.vertices.size(), -1) {
        std::vector<std::vector<int>> neighbours(drawing.vertices.size());
        for (const Drawing::Arrow& arrow : drawing.arrows) {
            neighbours[static_cast<std::size_t>(arrow.from)].push_back(arrow.to);
            if (way == Way::both) neighbours[static_cast<std::size_t>(arrow.to)].push_back(arrow.from);
        }
        for (const int v : from) distance[static_cast<std::size_t>(v)] = 0;
        for (std::size_t i = 0; i < from.size(); ++i) {  // grows meanwhile
            const auto now = static_cast<std::size_t>(from[i]);
            for (const int next : neighbours[now]) {
                if (distance[static_cast<std::size_t>(next)] != unreached) continue;
                distance[static_cast<std::size_t>(next)] = distance[now] + 1;
                before[static_cast<std::size_t>(next)] = from[i];
                from.push_back(next);
            }
        }
    }
    static constexpr int unreached = -1;
    std::vector<int> distance, before;
};

bool stands_for(const Drawing::Vertex& vertex, NodeId id) {
    return std::ranges::find(vertex.nodes, id) != vertex.nodes.end();
}

}  // namespace

Drawing neighbourhood(const Drawing& drawing, NodeId node, NodeId result) {
    constexpr int radius = 2;
    std::vector<int> marked;
    for (std::size_t v = 0; v < drawing.vertices.size(); ++v)
        if (stands_for(drawing.vertices[v], node)) marked.push_back(static_cast<int>(v));
    const Reach around(drawing, marked, Reach::Way::both), along(drawing, marked, Reach::Way::along);
    std::vector<bool> stays(drawing.vertices.size());
    int end = -1;
    for (std::size_t v = 0; v < drawing.vertices.size(); ++v) {
        stays[v] = around.distance[v] != Reach::unreached && around.distance[v] <= radius;
        const Drawing::Vertex& vertex = drawing.vertices[v];
        const bool is_end = result != no_node ? stands_for(vertex, result) : vertex.kind == Drawing::Kind::result;
        if (is_end && along.distance[v] != Reach::unreached) end = static_cast<int>(v);
    }
    for (; end >= 0; end = along.before[static_cast<std::size_t>(end)]) stays[static_cast<std::size_t>(end)] = true;

    Drawing kept;
    kept.boxes = drawing.boxes;  // those that nothing is left in Graphviz does not draw
    std::vector<int> now(drawing.vertices.size(), -1);
    for (std::size_t v = 0; v < drawing.vertices.size(); ++v) {
        if (!stays[v]) continue;
        now[v] = static_cast<int>(kept.vertices.size());
        kept.vertices.push_back(drawing.vertices[v]);
        kept.vertices.back().is_marked = stands_for(drawing.vertices[v], node);
    }
    for (Drawing::Arrow arrow : drawing.arrows) {
        arrow.from = now[static_cast<std::size_t>(arrow.from)];
        arrow.to = now[static_cast<std::size_t>(arrow.to)];
        if (arrow.from >= 0 && arrow.to >= 0) kept.arrows.push_back(std::move(arrow));
    }
    return kept;
}

}  // namespace wengert
