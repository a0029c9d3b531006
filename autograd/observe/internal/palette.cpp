#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <wengert/autograd/observe/internal/palette.hpp>
#include <wengert/autograd/observe/memory.hpp>

namespace wengert {
namespace {

constexpr const char *ink = "#1b2430", *paper = "#ffffff";
constexpr std::array tints{"#a9cdf0", "#ffe8b3", "#b9e0b4", "#f3c6dc", "#d9d2f5",
                           "#f7cfa8", "#b5e3e0", "#dfe3a0", "#e0c3b4", "#c6d3de"};
}  // namespace

const std::vector<Palette::Shade>& Palette::shades() {
    static const std::vector<Shade> shades{{0, {"#ffffff", ink}},     {0.01, {"#fee8c8", ink}},
                                           {0.05, {"#fdc58c", ink}},  {0.2, {"#fc8d59", ink}},
                                           {0.5, {"#cf3a20", paper}}, {0.8, {"#7f0000", paper}}};
    return shades;
}

Palette::Palette(const Drawing& drawing, GraphColor color) : color_(color) {
    for (const Drawing::Vertex& vertex : drawing.vertices) most_ = std::max(most_, amount(vertex));
    if (color == GraphColor::op)
        add_families(drawing);
    else
        add_shades();
}

double Palette::amount(const Drawing::Vertex& vertex) const {
    return color_ == GraphColor::time ? vertex.totals.seconds() : static_cast<double>(vertex.totals.bytes);
}

Paint Palette::of(const Drawing::Vertex& vertex) const {
    if (color_ == GraphColor::op) {
        const int family = number_of(vertex.family);
        return family < 0 ? Paint{paper, ink} : legend_[static_cast<std::size_t>(family)].paint;
    }
    const double part = most_ > 0 ? amount(vertex) / most_ : 0;
    return std::find_if(shades().rbegin(), shades().rend(), [part](const Shade& s) { return part >= s.from; })->paint;
}

int Palette::number_of(const std::string& family) const {
    const auto found = families_.find(family);
    return found == families_.end() ? -1 : static_cast<int>(found->second);
}

void Palette::add_families(const Drawing& drawing) {
    std::map<std::string, std::set<std::string>> ops;
    for (const Drawing::Vertex& vertex : drawing.vertices) {
        if (vertex.family.empty() || vertex.kind == Drawing::Kind::rule) continue;
        if (ops[vertex.family].insert(vertex.name).second && ops[vertex.family].size() == 1) {
            families_.emplace(vertex.family, legend_.size());
            legend_.push_back({{legend_.size() < tints.size() ? tints[legend_.size()] : paper, ink}, vertex.family});
        }
    }
    for (Entry& entry : legend_) {
        constexpr std::size_t most = 6;
        const std::set<std::string>& names = ops[entry.label];
        const std::vector<std::string> first(
            names.begin(), std::next(names.begin(), static_cast<std::ptrdiff_t>(std::min(most, names.size()))));
        entry.label += fmt::format(": {}{}", fmt::join(first, ", "), names.size() > most ? ", .." : "");
    }
}

void Palette::add_shades() {
    for (const Shade& shade : shades()) {
        const double from = shade.from * most_;
        const std::string amount =
            color_ == GraphColor::time ? describe_time(from) : describe_bytes(static_cast<std::size_t>(from));
        legend_.push_back({shade.paint, shade.from == 0 ? "less" : "from " + amount});
    }
}

}  // namespace wengert
