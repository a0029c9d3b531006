#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/autograd/observe/svg.hpp>

namespace wengert {
namespace {

using svg::margin, svg::text_size;
constexpr double row = 20, labels = 230, bars = 360, numbers = 150;  // in pixels
constexpr double width = margin + labels + bars + numbers + margin, curve_height = 150;
constexpr std::size_t most_rows = 12;

/// A pass, and how it is drawn.
struct Series {
    const char *name, *colour;
    double OpCost::*seconds;
};
constexpr std::array<Series, 3> series{{{"forward", "#3b6fb6", &OpCost::forward_seconds},
                                        {"backward", "#e08a3c", &OpCost::backward_seconds},
                                        {"update", "#5a9a5f", &OpCost::update_seconds}}};

struct Bar {
    std::string label;
    std::array<double, series.size()> parts{};  // seconds of each pass

    double seconds() const { return std::accumulate(parts.begin(), parts.end(), 0.0); }
    void add(const std::array<double, series.size()>& more) {
        std::ranges::transform(parts, more, parts.begin(), std::plus());
    }
};

/// The costs summed by one of their names, the greatest first. What is beyond the most that are shown is one bar.
std::vector<Bar> bars_by(const std::vector<OpCost>& costs, std::string OpCost::*name, const char* unnamed) {
    std::vector<Bar> all;
    for (const OpCost& cost : costs) {
        const std::string& label = (cost.*name).empty() ? unnamed : cost.*name;
        auto bar = std::ranges::find(all, label, &Bar::label);
        if (bar == all.end()) bar = all.insert(all.end(), Bar{label});
        for (std::size_t i = 0; i < series.size(); ++i) bar->parts[i] += cost.*series[i].seconds;
    }
    std::ranges::stable_sort(all, std::ranges::greater(), &Bar::seconds);
    if (all.size() > most_rows) {
        Bar rest{fmt::format("{} others", all.size() - most_rows)};
        for (std::size_t i = most_rows; i < all.size(); ++i) rest.add(all[i].parts);
        all.resize(most_rows);
        all.push_back(rest);
    }
    return all;
}

/// An SVG picture that grows downwards.
class ProfilePicture {
  public:
    void heading(std::string_view text) {
        height_ += margin + text_size;
        this->text(margin, text, "start", " font-weight=\"bold\"");
        height_ += margin / 2;
    }
    void legend() {
        height_ += row;
        for (std::size_t i = 0; i < series.size(); ++i)
            swatch(margin + 90 * static_cast<double>(i), series[i].colour, series[i].name);
        height_ += margin / 2;
    }
    void chart(const std::vector<Bar>& rows, double all_seconds) {
        double longest = 0;
        for (const Bar& bar : rows) longest = std::max(longest, bar.seconds());
        for (const Bar& bar : rows) {
            height_ += row;
            double x = margin + labels;
            text(x - 8, bar.label, "end");
            for (std::size_t i = 0; i < series.size(); ++i) {
                const double wide = bars * bar.parts[i] / longest;
                if (wide > 0) rectangle(x, wide, series[i].colour);
                x += wide;
            }
            text(x + 8, fmt::format("{:.1f} ms, {:.1f} %", 1e3 * bar.seconds(), 100 * bar.seconds() / all_seconds),
                 "start");
        }
    }
    /// Memory over time.
    void curve(const std::vector<Profile::Moment>& moments) {
        std::int64_t peak = 1;
        for (const Profile::Moment& m : moments) peak = std::max(peak, m.live_bytes);
        const double end = moments.back().seconds, wide = width - 2 * margin;
        const double bottom = height_ + margin / 2 + curve_height;
        std::string points;
        for (std::size_t i = 0; i < moments.size(); ++i) {
            const Profile::Moment& m = moments[i];
            points +=
                fmt::format("{:.1f},{:.1f} ", margin + wide * m.seconds / end,
                            bottom - curve_height * static_cast<double>(m.live_bytes) / static_cast<double>(peak));
            if (i + 1 < moments.size() && moments[i + 1].pass == m.pass) continue;
            elements_ += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n",
                                     points, series[static_cast<std::size_t>(m.pass)].colour);
            points.clear();
        }
        elements_ += fmt::format("<path d=\"M{0} {1:.1f}V{2:.1f}H{3}\" fill=\"none\" stroke=\"#7b8794\"/>\n", margin,
                                 bottom - curve_height, bottom, width - margin);
        height_ = bottom + text_size + 4;
        text(margin, "0", "start");
        text(width - margin, fmt::format("{:.1f} ms", 1e3 * end), "end");
    }
    std::string svg() const {
        return fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
            "{1:.0f}\" "
            "font-family=\"DejaVu Sans, Helvetica, sans-serif\" font-size=\"{2}\" fill=\"#1f2933\">\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{3}</svg>\n",
            width, height_ + margin, text_size, elements_);
    }

  private:
    void text(double x, std::string_view words, const char* anchor, const char* style = "") {
        elements_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, height_, anchor,
                                 style, svg::escaped(words));
    }
    void rectangle(double x, double wide, const char* colour) {
        elements_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/>\n", x,
                                 height_ - text_size + 1, wide, text_size, colour);
    }
    void swatch(double x, const char* colour, std::string_view words) {
        rectangle(x, text_size, colour);
        text(x + text_size + 6, words, "start");
    }

    std::string elements_;
    double height_ = 0;
};

}  // namespace

void write_svg(const Profile& profile, const std::filesystem::path& file) {
    const std::vector<OpCost> costs = profile.costs();
    ProfilePicture picture;
    const double seconds = profile.moments().empty() ? 0 : profile.moments().back().seconds;
    picture.heading(fmt::format("Where {:.1f} ms went", 1e3 * seconds));
    picture.legend();
    picture.chart(bars_by(costs, &OpCost::op, "op"), seconds);
    picture.heading("By scope");
    picture.chart(bars_by(costs, &OpCost::scope, "(no scope)"), seconds);
    if (!profile.moments().empty()) {
        std::int64_t peak = 0;
        for (const Profile::Moment& m : profile.moments()) peak = std::max(peak, m.live_bytes);
        picture.heading(
            fmt::format("Memory of tensors and tape, at most {:.1f} MiB", static_cast<double>(peak) / 0x1p20));
        picture.curve(profile.moments());
    }
    write_picture(picture.svg(), file);
}

}  // namespace wengert
