#include <doctest/doctest.h>

#include <limits>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/beam_tree.hpp>

#include "../text/temporary_file.hpp"

using namespace wengert;

namespace {

/// "a b </s>" is the translation, "a c </s>" is finished, "d" was dropped, and "a b e" too.
BeamTree example_tree() {
    return {.title = "x < y",
            .nodes = {{-1, "d", -0.5, -0.5},
                      {-1, "a", -1, -1},
                      {1, "c", -0.25, -1.25},
                      {1, "b", -0.5, -1.5},
                      {2, "</s>", -1, -2.25, 1, -2},
                      {3, "e", -0.125, -1.625},
                      {3, "</s>", -0.25, -1.75, 0, -1.5}}};
}

std::string drawn(const BeamTree& tree) { return to_svg({&tree, 1}); }

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t times = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++times;
    return times;
}

/// What stands between the begin of a node's group and its end.
std::string group_of(const std::string& svg, const std::string& title) {
    const std::size_t at = svg.find("<g><title>" + title);
    REQUIRE(at != svg.npos);
    return svg.substr(at, svg.find("</g>", at) - at);
}

double attribute_of(const std::string& element, const std::string& name) {
    return std::stod(element.substr(element.find(" " + name + "=\"") + name.size() + 3));
}

}  // namespace

TEST_CASE("a beam tree has a box for each token, its columns are steps, and the translation runs along the top") {
    const std::string svg = drawn(example_tree());
    CHECK(svg.starts_with("<svg xmlns="));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(count_of(svg, "<g><title>") == 7);
    CHECK(count_of(svg, ">x &lt; y</text>") == 1);
    const std::string a = group_of(svg, "a: -1.0000"),
                      b = group_of(svg, "b: -0.5000, with what stands before it -1.5000"), c = group_of(svg, "c: "),
                      d = group_of(svg, "d: "), e = group_of(svg, "e: ");
    const std::string best = group_of(svg, "&lt;/s&gt;: -0.2500");
    for (const std::string& other : {b, best}) CHECK(attribute_of(a, "y") == attribute_of(other, "y"));
    for (const std::string& other : {c, d, e}) CHECK(attribute_of(a, "y") < attribute_of(other, "y"));
    CHECK(attribute_of(a, "x") == attribute_of(d, "x"));
    CHECK(attribute_of(b, "x") == attribute_of(c, "x"));
    CHECK(attribute_of(e, "x") == attribute_of(best, "x"));
    CHECK(attribute_of(a, "x") < attribute_of(b, "x"));
    // Dark: the translation; with a dark edge: what is finished; with a pale one: what was dropped.
    CHECK(count_of(a, "fill=\"#08306b\" stroke=\"#08306b\"") == 1);
    CHECK(count_of(c, "fill=\"#ffffff\" stroke=\"#08306b\"") == 1);
    CHECK(count_of(e, "fill=\"#ffffff\" stroke=\"#c4ccd6\"") == 1);
    CHECK(count_of(svg, ">1. score -1.500</text>") == 1);
    CHECK(count_of(svg, ">2. score -2.000</text>") == 1);
    CHECK(count_of(svg, ">×</text>") == 2);
    CHECK(count_of(svg, "<path") == 5);
}

TEST_CASE("a beam tree shows tokens as they are, and none or an empty one is a picture too") {
    const std::string svg =
        drawn({.nodes = {{-1, "<a href=\"&\">\n\xff", -1, -1}, {0, "مرحبا", 0, -1}, {0, "汤姆", -2, -3}}});
    CHECK(count_of(svg, ">&lt;a href=&quot;&amp;&quot;&gt;\n\uFFFD</text>") == 1);
    CHECK(count_of(svg, ">مرحبا</text>") == 1);
    const std::string wide(3000, 'x');
    CHECK(count_of(drawn({.nodes = {{-1, wide, -1, -1}}}), ">" + wide + "</text>") == 1);
    CHECK(count_of(drawn({}), "</svg>") == 1);
    CHECK(count_of(to_svg(std::vector<BeamTree>{}), "</svg>") == 1);
    CHECK(count_of(to_svg(std::vector{example_tree(), example_tree()}), "<g><title>") == 14);
}

TEST_CASE("a long beam tree needs no deep recursion") {
    BeamTree tree;
    for (std::int64_t i = 0; i < 20000; ++i) tree.nodes.push_back({i - 1, "x", 0, 0});
    CHECK(count_of(drawn(tree), "<g><title>") == 20000);
}

TEST_CASE("a beam tree is numbers in JSON, a tree a line") {
    CHECK(to_json(std::vector<BeamTree>{}) == "[]\n");
    const std::vector<BeamTree> trees{{.title = "\xff"},
                                      {.title = "t", .nodes = {{-1, "a", -1, -1}, {0, "</s>", -0.5, -1.5, 0, -1.25}}}};
    CHECK(
        to_json(trees) ==
        "[\n{\"title\":\"\uFFFD\",\"nodes\":[]},\n"
        "{\"title\":\"t\",\"nodes\":[{\"parent\":-1,\"token\":\"a\",\"log_probability\":-1.0,\"total\":-1.0},"
        "{\"parent\":0,\"token\":\"</s>\",\"log_probability\":-0.5,\"total\":-1.5,\"rank\":0,\"score\":-1.25}]}\n]\n");
}

TEST_CASE("a beam tree is written to a file, and what is no tree is refused") {
    const TemporaryFile file;
    const BeamTree tree = example_tree();
    write_svg({&tree, 1}, file.path());
    CHECK(file.content() == drawn(tree));
    CHECK_THROWS_WITH_AS(write_svg({&tree, 1}, "/missing/tree.svg"),
                         "/missing/tree.svg: cannot be written: No such file or directory", FileError);
    CHECK_THROWS_WITH_AS(drawn({.nodes = {{0, "a", 0, 0}}}),
                         "beam tree: node 0 has the parent 0, which does not stand before it", ValueError);
    const BeamTree broken{.nodes = {{-1, "a", std::numeric_limits<double>::quiet_NaN(), 0}}};
    CHECK_THROWS_WITH_AS(to_json({&broken, 1}),
                         "beam tree: node 0 has the log probability nan, the total 0 and the score 0", ValueError);
}
