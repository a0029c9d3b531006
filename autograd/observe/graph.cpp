#include <fmt/format.h>

#include <limits>
#include <wengert/autograd/observe/graph.hpp>
#include <wengert/autograd/observe/internal/closing.hpp>
#include <wengert/autograd/observe/internal/graph_page.hpp>
#include <wengert/autograd/observe/internal/graphviz.hpp>
#include <wengert/autograd/observe/internal/mirror.hpp>
#include <wengert/autograd/observe/internal/neighbourhood.hpp>
#include <wengert/autograd/observe/picture_file.hpp>

namespace wengert {
namespace {

void require_sensible(const Tape& tape, const GraphOptions& options) {
    if (options.unfold && *options.unfold < 0)
        throw ValueError(fmt::format("write_graph: unfold must not be negative, it is {}", *options.unfold));
    if (options.depth && *options.depth < 0)
        throw ValueError(fmt::format("write_graph: depth must not be negative, it is {}", *options.depth));
    if (options.color == GraphColor::time && options.profile == nullptr)
        throw ValueError("write_graph: colours by time need a profile, a NodeProfile that observed the tape");
    if (options.backward && !options.result.defined())
        throw ValueError("write_graph: a backward pass is that of a result; say which");
    if (options.around != no_node && (options.around < 0 || options.around >= tape.size()))
        throw ValueError(
            fmt::format("write_graph: around is node {}, and the tape has {}", options.around, tape.size()));
}

/// All boxes open.
Drawing draw_open(const Tape& tape, const GraphOptions& options, bool unfolds) {
    require_sensible(tape, options);
    GraphOptions complete = options;
    if (!options.unfold && (unfolds || options.around != no_node)) complete.unfold = std::numeric_limits<int>::max();
    const NodeId result = options.result.defined() ? tape.find(options.result) : no_node;
    if (options.result.defined() && result == no_node)
        throw ValueError("write_graph: the result is constant, the tape does not have it");
    Drawing drawing = draw(tape, complete);
    if (options.around != no_node) drawing = neighbourhood(drawing, options.around, result);
    if (options.backward) add_backward(drawing, result);
    return drawing;
}

/// The drawing as a picture shows it.
Fitted draw_fitted(const Tape& tape, const GraphOptions& options) {
    constexpr int easily_seen = 150;
    const Drawing drawing = draw_open(tape, options, false);
    return options.depth ? Fitted{close_boxes(drawing, *options.depth), ""} : fit(drawing, easily_seen);
}

std::string title_of(const GraphOptions& options, const Fitted& fitted) {
    return options.title + (options.title.empty() || fitted.note.empty() ? "" : "\n") + fitted.note;
}

/// Graphviz's time grows faster than the square of what it lays out.
void require_quick(const Fitted& fitted) {
    constexpr std::size_t most = 1500;
    if (fitted.drawing.vertices.size() > most)
        throw ValueError(
            fmt::format("write_graph: {} vertices are too many for a picture, {} are the most: close boxes with a "
                        "smaller depth, fold steps, or write a page (.html), which opens what is asked for",
                        fitted.drawing.vertices.size(), most));
}

}  // namespace

std::string to_dot(const Tape& tape, const GraphOptions& options) {
    const Fitted fitted = draw_fitted(tape, options);
    const Palette palette(fitted.drawing, options.color);
    return graphviz_text(fitted.drawing, palette, title_of(options, fitted), options.direction);
}

void write_graph(const Tape& tape, const std::filesystem::path& file, const GraphOptions& options) {
    const std::string extension = file.extension().string();
    if (extension == ".html") return write_picture(graph_page(draw_open(tape, options, true), options), file);
    if (extension == ".dot") return write_picture(to_dot(tape, options), file);
    if (extension != ".svg" && extension != ".png" && extension != ".pdf")
        throw ValueError(fmt::format("write_graph: {} must end in .svg, .png, .pdf, .dot or .html", file.string()));
    const Fitted fitted = draw_fitted(tape, options);
    require_quick(fitted);
    const Palette palette(fitted.drawing, options.color);
    write_picture(
        graphviz_picture(fitted.drawing, palette, title_of(options, fitted), options.direction, extension.c_str() + 1),
        file);
}

}  // namespace wengert
