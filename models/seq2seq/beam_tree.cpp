#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/autograd/observe/svg.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/beam_tree.hpp>

namespace wengert {
namespace {

using svg::margin, svg::text_size, svg::title_size;
constexpr double tree_row_height = 40, node_height = 20, number_size = 10, between_columns = 22,
                 box_padding = 6;  // in pixels
constexpr std::int64_t unfinished = std::numeric_limits<std::int64_t>::max();

void check_tree(const BeamTree& tree) {
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
        const BeamTree::Node& node = tree.nodes[i];
        if (node.parent < -1 || node.parent >= static_cast<std::int64_t>(i))
            throw ValueError(
                fmt::format("beam tree: node {} has the parent {}, which does not stand before it", i, node.parent));
        if (!std::isfinite(node.log_probability) || !std::isfinite(node.total) || !std::isfinite(node.score))
            throw ValueError(fmt::format("beam tree: node {} has the log probability {}, the total {} and the score {}",
                                         i, node.log_probability, node.total, node.score));
    }
}

/// Where a node stands: its step, its row, and the best rank of what it leads to.
struct Spot {
    std::size_t column = 0, row = 0;
    std::int64_t best = unfinished;
    std::vector<std::size_t> children = {};  // the way to the best first
};

/// The first child stands in its parent's row, each other in a row of its own, so that what is best runs straight.
std::vector<Spot> spots_of(const BeamTree& tree) {
    std::vector<Spot> spots(tree.nodes.size());
    std::vector<std::size_t> first;
    for (std::size_t i = tree.nodes.size(); i-- > 0;) {
        const BeamTree::Node& node = tree.nodes[i];
        if (node.rank >= 0) spots[i].best = std::min(spots[i].best, node.rank);
        if (node.parent < 0) {
            first.push_back(i);
            continue;
        }
        Spot& parent = spots[static_cast<std::size_t>(node.parent)];
        parent.best = std::min(parent.best, spots[i].best);
        parent.children.push_back(i);
    }
    const auto sort = [&](std::vector<std::size_t>& nodes) {
        std::ranges::sort(nodes, {}, [&](std::size_t i) { return std::tuple(spots[i].best, -tree.nodes[i].total, i); });
    };
    sort(first);
    for (Spot& spot : spots) sort(spot.children);
    std::size_t rows = 0;
    std::vector<std::size_t> waiting(first.rbegin(), first.rend());
    while (!waiting.empty()) {
        const std::size_t i = waiting.back();
        waiting.pop_back();
        const std::int64_t parent = tree.nodes[i].parent;
        const bool goes_straight = parent >= 0 && spots[static_cast<std::size_t>(parent)].children.front() == i;
        spots[i].row = goes_straight ? spots[static_cast<std::size_t>(parent)].row : rows++;
        if (parent >= 0) spots[i].column = spots[static_cast<std::size_t>(parent)].column + 1;
        waiting.insert(waiting.end(), spots[i].children.rbegin(), spots[i].children.rend());
    }
    return spots;
}

enum class Way { best, finished, dropped };

Way way_of(const Spot& spot) {
    return spot.best == 0 ? Way::best : spot.best != unfinished ? Way::finished : Way::dropped;
}

/// A token in its box, of a way's colours.
std::string token_box(Way way, double x, double y, double width, const std::string& token) {
    const char* const fill = way == Way::best ? "#08306b" : "#ffffff";
    const char* const edge = way == Way::dropped ? "#c4ccd6" : "#08306b";
    const char* const ink = way == Way::best ? "#ffffff" : way == Way::finished ? "#1f2933" : "#5f6b7a";
    return fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" rx=\"4\" fill=\"{}\" stroke=\"{}\"/>\n"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n",
        x, y, width, node_height, fill, edge, x + width / 2, y + node_height / 2 + text_size * 0.35, ink,
        svg::escaped(token));
}

struct DrawnTree {
    std::string elements;
    double width = 0, height = 0;
};

DrawnTree draw_tree(const BeamTree& tree) {
    check_tree(tree);
    const std::vector<Spot> spots = spots_of(tree);
    std::vector<double> widths;  // of the columns
    std::size_t rows = 0;
    for (std::size_t i = 0; i < spots.size(); ++i) {
        widths.resize(std::max(widths.size(), spots[i].column + 1), 4 * number_size);
        double& width = widths[spots[i].column];
        width = std::max(width, svg::width_of(tree.nodes[i].token, text_size) + 2 * box_padding);
        rows = std::max(rows, spots[i].row + 1);
    }
    std::vector<double> lefts{0};
    for (const double width : widths) lefts.push_back(lefts.back() + width + between_columns);
    const double top = tree.title.empty() ? 0 : title_size + margin;
    const auto y_of = [&](const Spot& spot) { return top + tree_row_height * static_cast<double>(spot.row); };

    DrawnTree drawn{.elements = {},
                    .width = svg::width_of(tree.title, title_size),
                    .height = top + tree_row_height * static_cast<double>(rows)};
    auto out = std::back_inserter(drawn.elements);
    if (!tree.title.empty())
        fmt::format_to(out, "<text y=\"{0}\" font-size=\"{0}\" font-weight=\"bold\">{1}</text>\n", title_size,
                       svg::escaped(tree.title));
    for (std::size_t i = 0; i < spots.size(); ++i) {
        if (tree.nodes[i].parent < 0) continue;
        const Spot &to = spots[i], &from = spots[static_cast<std::size_t>(tree.nodes[i].parent)];
        const double x0 = lefts[from.column] + widths[from.column], x1 = lefts[to.column], middle = (x0 + x1) / 2;
        const double y0 = y_of(from) + node_height / 2, y1 = y_of(to) + node_height / 2;
        fmt::format_to(
            out, "<path d=\"M{0:.1f} {1:.1f}C{2:.1f} {1:.1f} {2:.1f} {3:.1f} {4:.1f} {3:.1f}\" fill=\"none\" {5}/>\n",
            x0, y0, middle, y1, x1,
            way_of(to) == Way::dropped ? "stroke=\"#c4ccd6\""
            : way_of(to) == Way::best  ? "stroke=\"#08306b\" stroke-width=\"3\""
                                       : "stroke=\"#08306b\"");
    }
    for (std::size_t i = 0; i < spots.size(); ++i) {
        const BeamTree::Node& node = tree.nodes[i];
        const Spot& spot = spots[i];
        const double x = lefts[spot.column], y = y_of(spot), width = widths[spot.column];
        fmt::format_to(out, "<g><title>{}: {:.4f}, with what stands before it {:.4f}</title>\n{}",
                       svg::escaped(node.token), node.log_probability, node.total,
                       token_box(way_of(spot), x, y, width, node.token));
        fmt::format_to(out,
                       "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" text-anchor=\"middle\" "
                       "fill=\"#5f6b7a\">{:.2f}</text></g>\n",
                       x + width / 2, y + node_height + number_size, number_size, node.total);
        const std::string end = node.rank >= 0          ? fmt::format("{}. score {:.3f}", node.rank + 1, node.score)
                                : spot.children.empty() ? std::string("×")
                                                        : std::string();
        if (!end.empty())
            fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\">{}</text>\n", x + width + box_padding,
                           y + node_height / 2 + text_size * 0.35, node.rank >= 0 ? "#08306b" : "#a02c00", end);
        drawn.width = std::max(drawn.width, x + width + box_padding + svg::width_of(end, text_size));
    }
    return drawn;
}

}  // namespace

std::string to_svg(std::span<const BeamTree> trees) {
    std::string body;
    double width = 0, height = margin;
    for (const BeamTree& tree : trees) {
        const DrawnTree picture = draw_tree(tree);
        body += fmt::format("<g transform=\"translate({} {:.1f})\">\n{}</g>\n", margin, height, picture.elements);
        width = std::max(width, picture.width);
        height += picture.height + margin;
    }
    body += fmt::format("<g transform=\"translate({} {:.1f})\">\n", margin, height);
    double x = 0;
    for (const auto& [way, name] : {std::pair(Way::best, "the translation"), std::pair(Way::finished, "finished"),
                                    std::pair(Way::dropped, "left the beam ×")}) {
        const double box_width = svg::width_of(name, text_size) + 2 * box_padding;
        body += token_box(way, x, 0, box_width, name);
        x += box_width + margin;
    }
    body += "</g>\n";
    width = std::max(width, x);
    height += node_height + margin;
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
        "{1:.0f}\" "
        "font-family=\"{2}\" font-size=\"{3}\" fill=\"#1f2933\">\n<title>Hypotheses of a search</title>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{4}</svg>\n",
        std::ceil(width + 2 * margin), std::ceil(height), svg::fonts, text_size, body);
}

void write_svg(std::span<const BeamTree> trees, const std::filesystem::path& file) {
    write_picture(to_svg(trees), file);
}

std::string to_json(std::span<const BeamTree> trees) {
    std::string text;
    for (const BeamTree& tree : trees) {
        check_tree(tree);
        nlohmann::ordered_json object{{"title", tree.title}, {"nodes", nlohmann::ordered_json::array()}};
        for (const BeamTree::Node& node : tree.nodes) {
            nlohmann::ordered_json entry{{"parent", node.parent},
                                         {"token", node.token},
                                         {"log_probability", node.log_probability},
                                         {"total", node.total}};
            if (node.rank >= 0) entry.update({{"rank", node.rank}, {"score", node.score}});
            object["nodes"].push_back(std::move(entry));
        }
        text += text.empty() ? "[\n" : ",\n";
        text += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    }
    return text.empty() ? "[]\n" : text + "\n]\n";
}

}  // namespace wengert
