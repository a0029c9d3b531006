#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <wengert/autograd/observe/page.hpp>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/autograd/observe/svg.hpp>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/models/seq2seq/internal/attention_json.hpp>
#include <wengert/models/seq2seq/internal/pages.hpp>

namespace wengert {
namespace {

using svg::margin, svg::title_size;
constexpr double cell = 28, word_size = 14, gap = 7;  // in pixels
constexpr double diagonal = 0.70710678118654752;      // sin and cos of 45 degrees

double widest(const std::vector<std::string>& words) {
    double width = 0;
    for (const std::string& word : words) width = std::max(width, svg::width_of(word, word_size));
    return width;
}

/// From nearly white to dark blue.
std::string shade_of(double weight) {
    const auto mix = [weight](int light, int dark) {
        return static_cast<int>(std::lround(light + (dark - light) * std::clamp(weight, 0.0, 1.0)));
    };
    return fmt::format("#{:02x}{:02x}{:02x}", mix(0xf7, 0x08), mix(0xfb, 0x30), mix(0xff, 0x6b));
}

/// Those of the map, or of a part of it.
std::vector<double> checked_weights(const AttentionMap& map, const Tensor& given) {
    const Shape expected{static_cast<std::int64_t>(map.target.size()), static_cast<std::int64_t>(map.source.size())};
    if (given.shape() != expected)
        throw ShapeError(fmt::format("attention map: weights are {}, but [target, source] words are {}",
                                     to_string(given.shape()), to_string(expected)));
    if (!is_floating(given.dtype()))
        throw DtypeError(fmt::format("attention map: weights are {}", to_string(given.dtype())));
    std::vector<double> weights = given.to_vector<double>();
    constexpr double rounding = 1e-3;
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (!(weights[i] >= -rounding && weights[i] <= 1 + rounding))
            throw ValueError(fmt::format("attention map: the weight at [{}, {}] is {}, not in [0, 1]",
                                         i / map.source.size(), i % map.source.size(), weights[i]));
    return weights;
}

struct DrawnMap {
    std::string elements;
    double width = 0, height = 0;
};

/// The map without its parts.
DrawnMap draw(const AttentionMap& map) {
    const std::vector<double> weights = checked_weights(map, map.weights);
    const double words_width = widest(map.source);
    const bool is_slanted = words_width > cell;
    const double words_height = is_slanted ? (words_width + word_size) * diagonal : word_size;
    const double left = widest(map.target) + gap;
    const double top = (map.title.empty() ? 0 : title_size + margin) + words_height + gap;
    const double right = left + cell * static_cast<double>(map.source.size());
    const double bottom = top + cell * static_cast<double>(map.target.size());

    double width = std::max(right, svg::width_of(map.title, title_size));
    std::string elements;
    if (!map.title.empty())
        elements += fmt::format("<text y=\"{0}\" font-size=\"{0}\" font-weight=\"bold\">{1}</text>\n", title_size,
                                svg::escaped(map.title));
    for (std::size_t s = 0; s < map.source.size(); ++s) {
        const double x = left + cell * (static_cast<double>(s) + 0.5), y = top - gap;
        const std::string direction = is_slanted ? fmt::format(" transform=\"rotate(-45 {:.1f} {:.1f})\"", x, y)
                                                 : std::string(" text-anchor=\"middle\"");
        elements +=
            fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", x, y, direction, svg::escaped(map.source[s]));
        if (is_slanted) width = std::max(width, x + svg::width_of(map.source[s], word_size) * diagonal);
    }
    for (std::size_t t = 0; t < map.target.size(); ++t) {
        const double y = top + cell * static_cast<double>(t);
        elements += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - gap,
                                y + cell / 2 + word_size * 0.35, svg::escaped(map.target[t]));
        for (std::size_t s = 0; s < map.source.size(); ++s) {
            const double weight = weights[t * map.source.size() + s];
            elements += fmt::format(
                "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"#d5dbe3\">"
                "<title>{} from {}: {:.3f}</title></rect>\n",
                left + cell * static_cast<double>(s), y, cell, cell, shade_of(weight), svg::escaped(map.target[t]),
                svg::escaped(map.source[s]), weight);
        }
    }
    return {elements, width, bottom};
}

/// The map, and its parts below in rows of about the width of a screen.
DrawnMap draw_with_parts(const AttentionMap& map) {
    constexpr double widest_row = 1400;
    DrawnMap drawn = draw(map);
    double x = 0, top = drawn.height + margin;
    for (const AttentionMap::Part& part : map.parts) {
        const DrawnMap picture = draw({map.source, map.target, part.weights, part.name});
        if (x > 0 && x + picture.width > widest_row) x = 0, top = drawn.height + margin;
        drawn.elements += fmt::format("<g transform=\"translate({:.1f} {:.1f})\">\n{}</g>\n", x, top, picture.elements);
        x += picture.width + 2 * margin;
        drawn.width = std::max(drawn.width, x - 2 * margin);
        drawn.height = std::max(drawn.height, top + picture.height);
    }
    return drawn;
}

nlohmann::ordered_json rows_of(const AttentionMap& map, const Tensor& given) {
    const std::vector<double> weights = checked_weights(map, given);
    auto rows = nlohmann::ordered_json::array();
    for (std::size_t t = 0; t < map.target.size(); ++t) {
        const auto row = weights.begin() + static_cast<std::ptrdiff_t>(t * map.source.size());
        rows.push_back(std::vector<double>(row, row + std::ssize(map.source)));
    }
    return rows;
}

}  // namespace

std::string to_svg(std::span<const AttentionMap> maps) {
    std::string body;
    double width = 0, height = margin;
    for (const AttentionMap& map : maps) {
        const DrawnMap picture = draw_with_parts(map);
        body += fmt::format("<g transform=\"translate({} {:.1f})\">\n{}</g>\n", margin, height, picture.elements);
        width = std::max(width, picture.width);
        height += picture.height + 2 * margin;
    }
    constexpr double scale_width = 120;
    width = std::max(width, scale_width + 2 * word_size) + 2 * margin;
    body += fmt::format(
        "<g transform=\"translate({} {:.1f})\"><text y=\"11\">0</text>"
        "<rect x=\"{}\" width=\"{}\" height=\"12\" fill=\"url(#weights)\" stroke=\"#d5dbe3\"/>"
        "<text x=\"{}\" y=\"11\">1</text></g>\n",
        margin, height, word_size, scale_width, word_size + scale_width + 5);
    height += 12 + margin;
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
        "{1:.0f}\" "
        "font-family=\"{2}\" font-size=\"{3}\" fill=\"#1f2933\">\n"
        "<title>Attention weights</title>\n"
        "<defs><linearGradient id=\"weights\"><stop stop-color=\"{4}\"/><stop offset=\"1\" stop-color=\"{5}\"/>"
        "</linearGradient></defs>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{6}</svg>\n",
        std::ceil(width), std::ceil(height), svg::fonts, word_size, shade_of(0), shade_of(1), body);
}

void write_svg(std::span<const AttentionMap> maps, const std::filesystem::path& file) {
    write_picture(to_svg(maps), file);
}

nlohmann::ordered_json as_json(const AttentionMap& map) {
    nlohmann::ordered_json object = {
        {"title", map.title}, {"source", map.source}, {"target", map.target}, {"weights", rows_of(map, map.weights)}};
    for (const AttentionMap::Part& part : map.parts)
        object["parts"].push_back({{"name", part.name}, {"weights", rows_of(map, part.weights)}});
    return object;
}

std::string to_json(std::span<const AttentionMap> maps) {
    std::string text;
    for (const AttentionMap& map : maps) {
        text += text.empty() ? "[\n" : ",\n";
        text += as_json(map).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    }
    return text.empty() ? "[]\n" : text + "\n]\n";
}

std::string to_html(std::span<const AttentionMap> maps, std::span<const BeamTree> trees) {
    if (!trees.empty() && trees.size() != maps.size())
        throw ValueError(fmt::format("attention map: {} maps, but {} trees", maps.size(), trees.size()));
    std::string pictures;
    for (const BeamTree& tree : trees) {
        const BeamTree untitled{.nodes = tree.nodes};  // its map has the title
        pictures += "<div class=\"tree\">" + to_svg({&untitled, 1}) + "</div>\n";
    }
    return page::filled(attention_page, {{"style", attention_style},
                                         {"script", attention_script},
                                         {"trees", pictures},
                                         {"data", page::in_script(to_json(maps))}});
}

void write_html(std::span<const AttentionMap> maps, const std::filesystem::path& file,
                std::span<const BeamTree> trees) {
    write_picture(to_html(maps, trees), file);
}

AttentionView attention_view() { return {attention_style, attention_script}; }

}  // namespace wengert
