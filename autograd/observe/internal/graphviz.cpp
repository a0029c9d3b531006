#include <fmt/format.h>
#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>
#undef sincos  // Graphviz has a macro of this name, and other headers have functions.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <wengert/autograd/observe/internal/graphviz.hpp>

namespace wengert {
namespace {

/// Graphviz keeps its state in global variables: one thread at a time. What it complains of meanwhile is kept for the
/// exception.
class Session {
  public:
    Session() : lock_(mutex()), report_to_others_(agseterrf(report)) { complaints().clear(); }
    ~Session() { agseterrf(report_to_others_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[noreturn]] static void fail(std::string_view task) {
        std::string reason = complaints();
        while (!reason.empty() && reason.back() == '\n') reason.pop_back();
        throw FileError(fmt::format("Graphviz cannot {}{}{}", task, reason.empty() ? "" : ": ", reason));
    }

  private:
    static std::mutex& mutex() {
        static std::mutex mutex;
        return mutex;
    }
    static std::string& complaints() {
        static std::string complaints;
        return complaints;
    }
    static int report(char* text) {
        complaints() += text;
        return 0;
    }

    std::lock_guard<std::mutex> lock_;
    agusererrf report_to_others_;
};

/// The names of one graph, numbered in the order of creation. Graphviz writes boxes in the order of these numbers, and
/// by itself takes a name's address for its number.
class Names {
  public:
    static Agiddisc_t* discipline() {
        static Agiddisc_t discipline = [] {
            Agiddisc_t own = AgIdDisc;
            own.open = [](Agraph_t* graph, Agdisc_t*) -> void* { return new Names(graph); };
            own.map = [](void* names, int, char* name, IDTYPE* id, int create) -> long {
                return static_cast<Names*>(names)->find(name, *id, create != 0);
            };
            own.free = [](void* names, int, IDTYPE id) { static_cast<Names*>(names)->release(id); };
            own.print = [](void* names, int, IDTYPE id) { return static_cast<Names*>(names)->name(id); };
            own.close = [](void* names) { delete static_cast<Names*>(names); };
            return own;
        }();
        return &discipline;
    }

  private:
    explicit Names(Agraph_t* graph) : graph_(graph) {}

    /// Even numbers have names, odd ones are of things that Graphviz makes for itself.
    bool find(char* name, IDTYPE& id, bool create) {
        if (name == nullptr) {
            id = unnamed_ += 2;
            return true;
        }
        const auto known = numbers_.find(name);
        if (known == numbers_.end() && !create) return false;
        const std::size_t number = known != numbers_.end() ? known->second : numbers_.size();
        if (create) {
            numbers_.try_emplace(name, number);
            names_.resize(numbers_.size());
            names_[number] =
                agstrdup(graph_, name);  // Graphviz wants names from its own store, with its mark before them
        }
        id = 2 * number;
        return true;
    }
    char* name(IDTYPE id) const { return id % 2 == 0 ? names_[id / 2] : nullptr; }
    void release(IDTYPE id) {
        if (id % 2 == 0) agstrfree(graph_, names_[id / 2]);
    }

    Agraph_t* const graph_;
    std::unordered_map<std::string, std::size_t> numbers_;
    std::vector<char*> names_;
    IDTYPE unnamed_ = 1;
};

struct CloseGraph {
    void operator()(Agraph_t* graph) const { agclose(graph); }
};
using Graph = std::unique_ptr<Agraph_t, CloseGraph>;

Graph open_graph() {
    Agdisc_t disciplines{};  // what is not set here is Graphviz's own
    disciplines.id = Names::discipline();
    return Graph(agopen(const_cast<char*>("tape"), Agdirected, &disciplines));
}

/// What `write` puts into a C stream.
template <class Write>
std::string written(Write&& write) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* const stream = open_memstream(&text, &size);
    if (stream == nullptr) throw std::bad_alloc();
    write(stream);
    std::fclose(stream);
    const std::unique_ptr<char, decltype(&std::free)> owner(text, &std::free);
    return std::string(text, size);
}

/// Graphviz reads these as const, but its older versions do not say so.
char* chars(const char* text) { return const_cast<char*>(text); }
char* chars(const std::string& text) { return const_cast<char*>(text.c_str()); }

struct Attribute {
    const char* name;
    const char* value;
};

void set(void* object, const char* name, const std::string& value) {
    agsafeset(object, chars(name), chars(value), chars(""));
}
void set(void* object, std::initializer_list<Attribute> attributes) {
    for (const Attribute& attribute : attributes) set(object, attribute.name, attribute.value);
}

/// Text that is shown as it is: Graphviz replaces backslash sequences and HTML entities.
std::string verbatim(std::string_view text, std::string_view backslash = R"(\\)") {
    std::string result;
    for (const char c : text) {
        if (c == '\\')
            result += backslash;
        else if (c == '&')
            result += "&amp;";
        else if (c == '\n')
            result += R"(\n)";
        else
            result += c;
    }
    return result;
}

void set_label(void* object, std::string_view text) { set(object, "label", verbatim(text)); }
/// In tooltips Graphviz 2 replaces backslash sequences twice.
void set_tooltip(void* object, std::string_view text) { set(object, "tooltip", verbatim(text, R"(\\\\)")); }

void paint(Agnode_t* node, const Paint& paint) {
    set(node, "fillcolor", paint.fill);
    set(node, "fontcolor", paint.text);
}

void paint(Agnode_t* node, const Drawing::Vertex& vertex, const Palette& palette) {
    using Kind = Drawing::Kind;
    switch (vertex.kind) {
        case Kind::parameter:
            set(node, {{"shape", "note"}, {"fillcolor", "#fff8dc"}, {"color", "#b39a3c"}, {"fontsize", "9"}});
            break;
        case Kind::input:
            set(node, {{"shape", "ellipse"}, {"fillcolor", "#dcf2dc"}, {"color", "#4f9a54"}, {"fontsize", "9"}});
            break;
        case Kind::constant:
            set(node, {{"shape", "ellipse"}, {"style", "dotted"}, {"fontsize", "8"}});
            break;
        case Kind::view:
            paint(node, palette.of(vertex));
            set(node, {{"style", "rounded,filled"}, {"color", "#b4bdc7"}, {"fontsize", "8"}});
            break;
        case Kind::op:
            paint(node, palette.of(vertex));
            break;
        case Kind::result:
            paint(node, palette.of(vertex));
            set(node, {{"penwidth", "2"}, {"color", "black"}, {"peripheries", "2"}, {"fontname", "Helvetica-Bold"}});
            break;
        case Kind::closed:
        case Kind::closed_result:
            paint(node, palette.of(vertex));
            set(node, {{"shape", "box3d"}, {"fontname", "Helvetica-Bold"}});
            if (vertex.kind == Kind::closed_result) set(node, {{"penwidth", "2"}, {"color", "black"}});
            break;
        case Kind::rule:
            paint(node, palette.of(vertex));
            set(node, {{"shape", "box"}, {"style", "rounded,filled"}, {"color", "#b34700"}, {"fontsize", "9"}});
            break;
        case Kind::gradient:
            set(node, {{"shape", "note"}, {"fillcolor", "#fbe3d3"}, {"color", "#b34700"}, {"fontsize", "9"}});
            break;
    }
    if (vertex.is_marked) set(node, {{"penwidth", "5"}, {"color", "black"}});
    if (!vertex.is_finite) {
        paint(node, non_finite_paint);
        set(node, {{"style", "filled,bold"}, {"color", "black"}, {"fontname", "Helvetica-Bold"}});
    }
}

/// What each box lays over its ground.
constexpr const char* shade = "#0000000a";

/// Text in Graphviz's language of tables.
std::string in_table(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '<')
            result += "&lt;";
        else if (c == '>')
            result += "&gt;";
        else if (c == '&')
            result += "&amp;";
        else
            result += c;
    }
    return result;
}

/// What the colours and the arrows mean, as a table that no arrow leads to.
void add_legend(Agraph_t* graph, const Drawing& drawing, const Palette& palette) {
    std::string rows;
    const auto add = [&rows](const Paint& paint, const std::string& label) {
        rows += fmt::format(R"(<tr><td bgcolor="{}" align="left"><font color="{}">{}</font></td></tr>)", paint.fill,
                            paint.text, in_table(label));
    };
    for (const Palette::Entry& entry : palette.legend()) add(entry.paint, entry.label);
    const auto is_non_finite = [](const Drawing::Vertex& vertex) { return !vertex.is_finite; };
    if (std::ranges::any_of(drawing.vertices, is_non_finite)) add(non_finite_paint, "has a NaN or an infinity");
    const Paint plain{"#ffffff", "#1b2430"};
    const auto is_result = [](const Drawing::Vertex& vertex) { return vertex.kind == Drawing::Kind::result; };
    if (std::ranges::any_of(drawing.vertices, is_result)) add(plain, "double frame: a result");
    if (std::ranges::any_of(drawing.arrows, &Drawing::Arrow::is_saved)) add(plain, "dashed: kept for backward");
    if (std::ranges::any_of(drawing.arrows, &Drawing::Arrow::is_carried)) add(plain, "bold: to a later step");
    if (std::ranges::any_of(drawing.arrows, &Drawing::Arrow::is_backward)) add(plain, "orange: cotangents");
    if (rows.empty()) return;
    const std::string table =
        fmt::format(R"(<table border="0" cellborder="1" cellspacing="0" cellpadding="3">{}</table>)", rows);
    Agnode_t* const legend = agnode(graph, chars("legend"), 1);
    char* const label = agstrdup_html(graph, chars(table));
    agsafeset(legend, chars("label"), label, chars(""));
    agstrfree(graph, label);
    set(legend, {{"shape", "plaintext"}, {"style", "solid"}, {"fontsize", "8"}});
    set_tooltip(legend, "Legend");
}

Graph build(const Drawing& drawing, const Palette& palette, const std::string& title, GraphDirection direction) {
    Graph graph = open_graph();
    const auto declare = [&](int kind, std::initializer_list<Attribute> defaults) {
        for (const Attribute& attribute : defaults)
            agattr(graph.get(), kind, chars(attribute.name), chars(attribute.value));
    };
    declare(AGRAPH, {{"fontname", "Helvetica-Bold"}, {"fontsize", "11"}, {"nodesep", "0.15"}, {"ranksep", "0.3"}});
    declare(AGNODE, {{"shape", "box"},
                     {"style", "filled"},
                     {"fillcolor", "white"},
                     {"color", "#5f6b7a"},
                     {"fontname", "Helvetica"},
                     {"fontsize", "10"},
                     {"height", "0.1"},
                     {"margin", "0.08,0.04"}});
    declare(AGEDGE, {{"color", "#5f6b7a"}, {"arrowsize", "0.6"}, {"fontname", "Helvetica"}, {"fontsize", "8"}});
    if (direction == GraphDirection::right) set(graph.get(), {{"rankdir", "LR"}});
    if (!title.empty()) {
        set_label(graph.get(), title);
        set(graph.get(), {{"labelloc", "t"}, {"fontsize", "16"}});
    }

    std::vector<Agraph_t*> boxes;
    for (const Drawing::Box& box : drawing.boxes) {
        Agraph_t* const parent = box.parent < 0 ? graph.get() : boxes[static_cast<std::size_t>(box.parent)];
        boxes.push_back(agsubg(parent, chars(fmt::format("cluster_{}", boxes.size())), 1));
        set_label(boxes.back(), box.title);
        set_tooltip(boxes.back(), fmt::format("{}\n{}", box.title, describe(box.totals)));
        set(boxes.back(), {{"labeljust", "l"}, {"fontsize", "11"}, {"color", "#9aa5b1"}, {"bgcolor", shade}});
        if (box.is_repeated) set(boxes.back(), {{"style", "dashed,rounded"}});
    }
    std::vector<Agnode_t*> nodes;
    for (const Drawing::Vertex& vertex : drawing.vertices) {
        Agraph_t* const box = vertex.box < 0 ? graph.get() : boxes[static_cast<std::size_t>(vertex.box)];
        nodes.push_back(agnode(box, chars(fmt::format("n{}", nodes.size())), 1));
        set_label(nodes.back(), vertex.label);
        set_tooltip(nodes.back(), vertex.detail);
        paint(nodes.back(), vertex, palette);
    }
    for (const Drawing::Arrow& arrow : drawing.arrows) {
        // A cotangent's arrow is drawn from its end, so that a rule stands at the height of its op.
        Agnode_t* const from = nodes[static_cast<std::size_t>(arrow.is_backward ? arrow.to : arrow.from)];
        Agnode_t* const to = nodes[static_cast<std::size_t>(arrow.is_backward ? arrow.from : arrow.to)];
        Agedge_t* const edge = agedge(graph.get(), from, to, nullptr, 1);
        if (!arrow.label.empty()) set(edge, "label", arrow.label);
        if (arrow.is_backward) set(edge, {{"dir", "back"}, {"color", "#b34700"}});
        if (arrow.is_carried) set(edge, {{"penwidth", "2"}, {"color", "#7048b6"}, {"fontcolor", "#7048b6"}});
        if (arrow.is_saved) set(edge, {{"style", "dashed"}});
        const Drawing::Kind end =
            drawing.vertices[static_cast<std::size_t>(arrow.is_backward ? arrow.to : arrow.from)].kind;
        // What is no op stands beside its user, not above it, where it would reach into the box that comes before.
        // Graphviz has bugs with labels of arrows that lie.
        if ((Drawing::is_outside(end) || end == Drawing::Kind::gradient) && arrow.label.empty())
            set(edge, {{"minlen", "0"}});
        const bool leads_up = arrow.is_backward ? arrow.to >= arrow.from : arrow.from >= arrow.to;
        if (arrow.is_sideways || (leads_up && (arrow.is_carried || !arrow.is_backward)))
            set(edge, {{"constraint", "false"}});
    }
    if (!drawing.vertices.empty()) add_legend(graph.get(), drawing, palette);
    return graph;
}

struct Picture {
    std::string content;
    double page_area;  ///< of the smallest page, three by four or four by three, that it has room on
};

Picture lay_out(const Drawing& drawing, const Palette& palette, const std::string& title, GraphDirection direction,
                const char* format) {
    // Graphviz's Pango plugin keeps the name of a font of the last context: a second context must not follow the first.
    static GVC_t* const context = gvContext();
    const Graph graph = build(drawing, palette, title, direction);
    set(graph.get(), {{"size", "300,300"}});  // inches, so that PNG stays below the 32767 pixels that Cairo can do
    if (gvLayout(context, graph.get(), "dot") != 0) Session::fail("lay the graph out");
    const boxf box = GD_bb(graph.get());
    const double w = box.UR.x - box.LL.x, h = box.UR.y - box.LL.y, ratio = 4.0 / 3;
    const auto page = [ratio](double longer, double shorter) {
        const double side = std::max(longer, shorter * ratio);
        return side * side / ratio;
    };
    int failure = 0;
    std::string picture = written([&](std::FILE* stream) { failure = gvRender(context, graph.get(), format, stream); });
    gvFreeLayout(context, graph.get());
    if (failure != 0 || picture.empty()) Session::fail(fmt::format("render {}", format));
    return {std::move(picture), std::min(page(w, h), page(h, w))};
}

}  // namespace

std::string graphviz_text(const Drawing& drawing, const Palette& palette, const std::string& title,
                          GraphDirection direction) {
    const Session session;
    const Graph graph = build(drawing, palette, title, direction);
    return written([&](std::FILE* stream) { agwrite(graph.get(), stream); });
}

std::string graphviz_picture(const Drawing& drawing, const Palette& palette, const std::string& title,
                             GraphDirection direction, const char* format) {
    const Session session;
    if (direction != GraphDirection::automatic) return lay_out(drawing, palette, title, direction, format).content;
    Picture down = lay_out(drawing, palette, title, GraphDirection::down, format);
    Picture right = lay_out(drawing, palette, title, GraphDirection::right, format);
    return std::move(right.page_area < down.page_area ? right : down).content;
}

}  // namespace wengert
