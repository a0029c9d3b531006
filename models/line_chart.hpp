#pragma once

#include <filesystem>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Lines over common axes.
struct LineChart {
    /// One point of a line.
    struct Point {
        double x, y;            ///< in the units of the axes
        std::string note = {};  ///< the tooltip; empty: the line's name and both numbers
    };
    /// One line of a chart.
    struct Line {
        std::string name;           ///< what the legend calls it
        std::vector<Point> points;  ///< in the order in which they are joined
        bool has_marks = true;      ///< at its points; many of them hide the line
    };

    std::string title = {}, x_label = {}, y_label = {};  ///< empty for none
    std::vector<Line> lines = {};                        ///< in the order of the legend
};

/// The chart as an SVG picture that needs no other file. Colours are those of Okabe and Ito, which colour-blind readers
/// tell apart; marks differ too, so that grey print will do. The legend has the lines in the order of their last
/// points, the highest first. Throws ValueError if there is no point, or a number is not finite.
std::string to_svg(const LineChart& chart);

/// Writes that picture. Throws what to_svg() does, and FileError if the file cannot be written.
void write_svg(const LineChart& chart, const std::filesystem::path& file);

}  // namespace wengert
