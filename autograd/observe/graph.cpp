#include <fmt/format.h>
#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>
#undef sincos  // Graphviz has a macro of this name, and other headers have functions.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <wengert/autograd/observe/graph.hpp>
#include <wengert/autograd/observe/internal/drawing.hpp>
#include <wengert/autograd/observe/picture_file.hpp>

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

    [[noreturn]] void fail(std::string_view task) const {
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

void paint(Agnode_t* node, const Drawing::Vertex& vertex) {
    switch (vertex.kind) {
        case Drawing::Kind::parameter:
            set(node, {{"shape", "note"}, {"fillcolor", "#fff4c2"}, {"color", "#b39a3c"}, {"fontsize", "9"}});
            break;
        case Drawing::Kind::input:
            set(node, {{"shape", "ellipse"}, {"fillcolor", "#dcf2dc"}, {"color", "#4f9a54"}, {"fontsize", "9"}});
            break;
        case Drawing::Kind::view:
            set(node, {{"style", "rounded"}, {"color", "#b4bdc7"}, {"fontcolor", "#5f6b7a"}, {"fontsize", "8"}});
            break;
        case Drawing::Kind::op:
            break;
        case Drawing::Kind::result:
            set(node,
                {{"fillcolor", "#f9d3d3"}, {"color", "#b3261e"}, {"penwidth", "2"}, {"fontname", "Helvetica-Bold"}});
            break;
    }
}

/// The grounds of the outermost boxes, in turn, and what each box inside lays over that of its parent.
constexpr std::array tints{"#e9f1fb", "#eaf6ea", "#fdf2e4", "#f4edf9", "#e6f5f5"};
constexpr const char* shade = "#0000000a";

Graph build(const Drawing& drawing, const std::string& title) {
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
    if (!title.empty()) {
        set_label(graph.get(), title);
        set(graph.get(), {{"labelloc", "t"}, {"fontsize", "16"}});
    }

    std::vector<Agraph_t*> boxes;
    std::size_t outermost = 0;
    for (const Drawing::Box& box : drawing.boxes) {
        Agraph_t* const parent = box.parent < 0 ? graph.get() : boxes[static_cast<std::size_t>(box.parent)];
        boxes.push_back(agsubg(parent, chars(fmt::format("cluster_{}", boxes.size())), 1));
        set_label(boxes.back(), box.title);
        set_tooltip(boxes.back(), box.title);
        set(boxes.back(), {{"labeljust", "l"}, {"fontsize", "11"}, {"color", "#9aa5b1"}});
        set(boxes.back(), "bgcolor", box.parent < 0 ? tints[outermost++ % tints.size()] : shade);
        if (box.is_repeated) set(boxes.back(), {{"style", "dashed,rounded"}});
    }
    std::vector<Agnode_t*> nodes;
    for (const Drawing::Vertex& vertex : drawing.vertices) {
        Agraph_t* const box = vertex.box < 0 ? graph.get() : boxes[static_cast<std::size_t>(vertex.box)];
        nodes.push_back(agnode(box, chars(fmt::format("n{}", nodes.size())), 1));
        set_label(nodes.back(), vertex.label);
        set_tooltip(nodes.back(), vertex.detail);
        paint(nodes.back(), vertex);
    }
    for (const Drawing::Arrow& arrow : drawing.arrows) {
        Agnode_t* const from = nodes[static_cast<std::size_t>(arrow.from)];
        Agnode_t* const to = nodes[static_cast<std::size_t>(arrow.to)];
        Agedge_t* const edge = agedge(graph.get(), from, to, nullptr, 1);
        if (!arrow.label.empty()) set(edge, "label", arrow.label);
        if (arrow.is_carried) set(edge, {{"style", "dashed"}, {"color", "#7048b6"}, {"fontcolor", "#7048b6"}});
        if (arrow.from >= arrow.to) set(edge, {{"constraint", "false"}});
    }
    return graph;
}

std::string render(const Drawing& drawing, const std::string& title, const char* format) {
    const Session session;
    const Graph graph = build(drawing, title);
    set(graph.get(), {{"size", "300,300"}});  // inches, so that PNG stays below the 32767 pixels that Cairo can do
    // Graphviz's Pango plugin keeps the name of a font of the last context: a second context must not follow the first.
    static GVC_t* const context = gvContext();
    if (gvLayout(context, graph.get(), "dot") != 0) session.fail("lay the graph out");
    int failure = 0;
    std::string picture = written([&](std::FILE* stream) { failure = gvRender(context, graph.get(), format, stream); });
    gvFreeLayout(context, graph.get());
    if (failure != 0 || picture.empty()) session.fail(fmt::format("render {}", format));
    return picture;
}

std::string dot(const Drawing& drawing, const std::string& title) {
    const Session session;
    const Graph graph = build(drawing, title);
    return written([&](std::FILE* stream) { agwrite(graph.get(), stream); });
}

}  // namespace

std::string to_dot(const Tape& tape, const GraphOptions& options) {
    return dot(draw(tape, options.unfold), options.title);
}

void write_graph(const Tape& tape, const std::filesystem::path& file, const GraphOptions& options) {
    const std::string extension = file.extension().string();
    if (extension != ".dot" && extension != ".svg" && extension != ".png")
        throw ValueError(fmt::format("write_graph: {} must end in .dot, .svg or .png", file.string()));
    const Drawing drawing = draw(tape, options.unfold);
    const std::string content =
        extension == ".dot" ? dot(drawing, options.title) : render(drawing, options.title, extension.c_str() + 1);
    write_picture(content, file);
}

}  // namespace wengert
