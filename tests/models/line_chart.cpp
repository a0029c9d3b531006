#include <doctest/doctest.h>

#include <limits>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/line_chart.hpp>

#include "text/temporary_file.hpp"

using namespace wengert;

namespace {

LineChart example_chart() {
    return {"BLEU <by> epoch",
            "epoch",
            "BLEU",
            {{"low & slow", {{1, 2.5}, {2, 7}}}, {"high", {{1, 10, "the first"}, {2, 31.25}}}, {"silent", {}}}};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a line chart has lines, marks with tooltips, axes and a legend") {
    const std::string svg = to_svg(example_chart());
    CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(has(svg, ">BLEU &lt;by&gt; epoch</text>"));
    CHECK(has(svg, "<title>the first</title>"));
    CHECK(has(svg, "<title>high: 2, 31.25</title>"));
    CHECK(has(svg, ">35</text>"));   // the axis ends behind the highest point
    CHECK(has(svg, ">1.0</text>"));  // and begins at the first
    CHECK(!has(svg, "silent"));
    // In the legend the line that ends highest stands first.
    CHECK(svg.rfind(">high</text>") < svg.rfind(">low &amp; slow</text>"));
}

TEST_CASE("a line without marks is its path alone, and with one point that point") {
    LineChart chart{.lines = {{.name = "bare", .points = {{1, 2}, {2, 3}}, .has_marks = false}}};
    CHECK(!has(to_svg(chart), "<circle"));
    CHECK(has(to_svg(chart), "stroke=\"#0072b2\""));
    chart.lines[0].points.pop_back();
    CHECK(has(to_svg(chart), "<title>bare: 1, 2</title>"));
}

TEST_CASE("a line chart of one point, and of equal ones") {
    CHECK(has(to_svg(LineChart{.lines = {{"one", {{3, 4}}}}}), "<circle"));
    for (const double y : {0.0, 1e9, -1e17, 1e-10}) {
        const std::string flat = to_svg(LineChart{.lines = {{"flat", {{1, y}, {2, y}}}}});
        CHECK(has(flat, "<circle"));
        CHECK(!has(flat, "nan"));
    }
    const std::string small = to_svg(LineChart{.lines = {{"small", {{1, 1e-10}, {2, 9e-10}}}}});
    CHECK(has(small, "cy=\"16.0\""));  // the axis ends at the higher point
}

TEST_CASE("a line chart goes to a file, and without a finite point it is refused") {
    const TemporaryFile file;
    write_svg(example_chart(), file.path());
    CHECK(file.content() == to_svg(example_chart()));
    CHECK_THROWS_WITH_AS(to_svg(LineChart{}), "line chart: there is no point", ValueError);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_WITH_AS(to_svg(LineChart{.lines = {{"bad", {{1, nan}}}}}),
                         "line chart: \"bad\" has the point (1, nan)", ValueError);
}
