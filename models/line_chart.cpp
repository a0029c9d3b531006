#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/autograd/observe/svg.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/line_chart.hpp>

namespace wengert {
namespace {

using svg::margin, svg::text_size, svg::title_size;
constexpr double plot_width = 640, plot_height = 360;  // in pixels
constexpr double row_height = 20, sample_width = 28, most_ticks = 8;
constexpr std::array colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8f8500"};
constexpr std::array dashes{"", "6 3", "2 3"};

/// An axis from one round number to another.
struct Axis {
    double from, to, step;

    Axis(double least, double greatest) {
        // Equal numbers, but for rounding, are not spread over the whole axis.
        const double size = std::max(std::abs(least), std::abs(greatest));
        if (greatest - least <= 1e-9 * size || size == 0) {
            const double margin = size > 0 ? size / 20 : 1;
            least -= margin, greatest += margin;
        }
        const double wanted = (greatest - least) / most_ticks;
        const double power = std::pow(10, std::floor(std::log10(wanted)));
        step = power * (wanted <= power ? 1 : wanted <= 2 * power ? 2 : wanted <= 5 * power ? 5 : 10);
        from = std::floor(least / step) * step;
        to = std::ceil(greatest / step) * step;
    }

    double share(double value) const { return (value - from) / (to - from); }
    std::vector<double> ticks() const {
        std::vector<double> all;
        for (double k = 0; k <= std::round((to - from) / step); ++k) all.push_back(from + k * step);
        return all;
    }
    /// As many digits as the step has.
    std::string text(double tick) const {
        const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
        return fmt::format("{:.{}f}", tick == 0 ? 0.0 : tick, digits);
    }
};

/// One of four marks with its centre in (x, y).
std::string mark(std::size_t line, double x, double y) {
    switch (line % 4) {
        case 0:
            return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"", x, y);
        case 1:
            return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"6.4\" height=\"6.4\"", x - 3.2, y - 3.2);
        case 2:
            return fmt::format("<path d=\"M{:.1f} {:.1f}l4.2 7.2h-8.4z\"", x, y - 4.5);
        default:
            return fmt::format("<path d=\"M{:.1f} {:.1f}l4.4 4.4l-4.4 4.4l-4.4 -4.4z\"", x, y - 4.4);
    }
}

std::string stroke(std::size_t line) {
    return fmt::format("stroke=\"{}\" stroke-width=\"1.8\" stroke-dasharray=\"{}\" fill=\"none\"",
                       colours[line % colours.size()], dashes[line / colours.size() % dashes.size()]);
}

}  // namespace

std::string to_svg(const LineChart& chart) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    double left = infinity, right = -infinity, low = infinity, high = -infinity;
    for (const LineChart::Line& line : chart.lines)
        for (const LineChart::Point& point : line.points) {
            if (!std::isfinite(point.x) || !std::isfinite(point.y))
                throw ValueError(fmt::format("line chart: \"{}\" has the point ({}, {})", line.name, point.x, point.y));
            left = std::min(left, point.x), right = std::max(right, point.x);
            low = std::min(low, point.y), high = std::max(high, point.y);
        }
    if (left == infinity) throw ValueError("line chart: there is no point");
    const Axis x_axis(left, right), y_axis(low, high);

    double tick_width = 0;
    for (const double tick : y_axis.ticks())
        tick_width = std::max(tick_width, svg::width_of(y_axis.text(tick), text_size));
    const double x0 = margin + text_size + 8 + tick_width + 8;
    const double y0 = margin + (chart.title.empty() ? 0 : title_size + margin);
    const auto x_of = [&](double value) { return x0 + plot_width * x_axis.share(value); };
    const auto y_of = [&](double value) { return y0 + plot_height * (1 - y_axis.share(value)); };

    std::string body;
    auto out = std::back_inserter(body);
    if (!chart.title.empty())
        fmt::format_to(out, "<text x=\"{}\" y=\"{}\" font-size=\"{}\" font-weight=\"bold\">{}</text>\n", x0,
                       margin + title_size, title_size, svg::escaped(chart.title));
    body += "<g stroke=\"#d5dbe3\">\n";
    for (const double tick : y_axis.ticks())
        fmt::format_to(out, "<path d=\"M{:.1f} {:.1f}h{}\"/>\n", x0, y_of(tick), plot_width);
    for (const double tick : x_axis.ticks())
        fmt::format_to(out, "<path d=\"M{:.1f} {:.1f}v{}\"/>\n", x_of(tick), y0, plot_height);
    body += "</g>\n";
    for (const double tick : y_axis.ticks())
        fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", x0 - 8,
                       y_of(tick) + text_size * 0.35, y_axis.text(tick));
    for (const double tick : x_axis.ticks())
        fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", x_of(tick),
                       y0 + plot_height + text_size + 6, x_axis.text(tick));
    const double bottom = y0 + plot_height + 2 * text_size + 16;
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", x0 + plot_width / 2,
                   bottom, svg::escaped(chart.x_label));
    fmt::format_to(out, "<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                   margin + text_size, y0 + plot_height / 2, svg::escaped(chart.y_label));

    for (std::size_t i = 0; i < chart.lines.size(); ++i) {
        const LineChart::Line& line = chart.lines[i];
        std::string path;
        for (const LineChart::Point& point : line.points)
            path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x_of(point.x), y_of(point.y));
        if (line.points.size() > 1) fmt::format_to(out, "<path d=\"{}\" {}/>\n", path, stroke(i));
        // A line of one point is that mark.
        if (!line.has_marks && line.points.size() > 1) continue;
        for (const LineChart::Point& point : line.points)
            fmt::format_to(
                out, "{} fill=\"{}\"><title>{}</title>{}\n", mark(i, x_of(point.x), y_of(point.y)),
                colours[i % colours.size()],
                svg::escaped(point.note.empty() ? fmt::format("{}: {:g}, {:.4g}", line.name, point.x, point.y)
                                                : point.note),
                i % 4 == 0   ? "</circle>"
                : i % 4 == 1 ? "</rect>"
                             : "</path>");
    }

    std::vector<std::size_t> order(chart.lines.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::erase_if(order, [&](std::size_t i) { return chart.lines[i].points.empty(); });
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return chart.lines[i].points.back().y; });
    double legend_width = 0, y = y0 + row_height / 2;
    for (const std::size_t i : order) {
        const double x = x0 + plot_width + margin;
        fmt::format_to(out, "<path d=\"M{:.1f} {:.1f}h{}\" {}/>\n", x, y, sample_width, stroke(i));
        if (chart.lines[i].has_marks)
            fmt::format_to(out, "{} fill=\"{}\"/>\n", mark(i, x + sample_width / 2, y), colours[i % colours.size()]);
        fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + sample_width + 8, y + text_size * 0.35,
                       svg::escaped(chart.lines[i].name));
        legend_width = std::max(legend_width, sample_width + 8 + svg::width_of(chart.lines[i].name, text_size));
        y += row_height;
    }
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
        "{1:.0f}\" font-family=\"{2}\" font-size=\"{3}\" fill=\"#1f2933\">\n<title>{4}</title>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{5}</svg>\n",
        x0 + plot_width + margin + legend_width + margin, std::max(bottom, y) + margin, svg::fonts, text_size,
        svg::escaped(chart.title), body);
}

void write_svg(const LineChart& chart, const std::filesystem::path& file) { write_picture(to_svg(chart), file); }

}  // namespace wengert
