#include <doctest/doctest.h>

#include <limits>
#include <wengert/models/seq2seq/attention_map.hpp>

#include "../text/temporary_file.hpp"
#include "browser.hpp"

using namespace wengert;

namespace {

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t times = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++times;
    return times;
}

std::string svg_of(const AttentionMap& map) { return to_svg({&map, 1}); }

AttentionMap example_map() {
    return {{"Tom", "chases", "Jerry"},
            {"汤姆", "追"},
            tensor({1, 0, 0, 0.0625, 0.8125, 0.125}, {2, 3}),
            "Tom chases Jerry"};
}

}  // namespace

TEST_CASE("an attention map has a cell for each pair of words") {
    const std::string svg = svg_of(example_map());
    CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(count(svg, ">Tom chases Jerry</text>") == 1);
    for (const char* const word : {">Tom</text>", ">chases</text>", ">Jerry</text>", ">汤姆</text>", ">追</text>"})
        CHECK(count(svg, word) == 1);
    CHECK(count(svg, "</title></rect>") == 6);
    CHECK(count(svg, "<title>汤姆 from Tom: 1.000</title>") == 1);
    CHECK(count(svg, "<title>追 from chases: 0.812</title>") == 1);
    CHECK(count(svg, "<title>追 from Jerry: 0.125</title>") == 1);
}

TEST_CASE("rows are target words, columns are source words, and shades are weights") {
    const std::string svg = svg_of(example_map());
    const auto cell_of = [&svg](const std::string& title) {
        const std::size_t end = svg.find("<title>" + title);
        REQUIRE(end != svg.npos);
        return svg.substr(svg.rfind("<rect", end), end - svg.rfind("<rect", end));
    };
    const auto attribute = [](const std::string& cell, const std::string& name) {
        const std::size_t begin = cell.find(" " + name + "=\"") + name.size() + 3;
        return cell.substr(begin, cell.find('"', begin) - begin);
    };
    const std::string first = cell_of("汤姆 from Tom"), right = cell_of("汤姆 from chases"),
                      below = cell_of("追 from Tom");
    CHECK(attribute(first, "y") == attribute(right, "y"));
    CHECK(std::stod(attribute(first, "x")) < std::stod(attribute(right, "x")));
    CHECK(attribute(first, "x") == attribute(below, "x"));
    CHECK(std::stod(attribute(first, "y")) < std::stod(attribute(below, "y")));
    CHECK(attribute(first, "fill") == "#08306b");
    CHECK(attribute(right, "fill") == "#f7fbff");
    CHECK(attribute(below, "fill") == "#e8eef6");
}

TEST_CASE("words that are wider than a column are slanted") {
    CHECK(count(svg_of(example_map()), "rotate(-45") == 3);
    CHECK(count(svg_of({{"汤", "姆"}, {"Tom"}, tensor({0.5, 0.5}, {1, 2}), ""}), "rotate(-45") == 0);
}

TEST_CASE("words are shown as they are, and what XML cannot hold is replaced") {
    const std::string svg =
        svg_of({{"<s>", "&amp;", "a\"b"}, {"\x01", "x\xff", "\xEF\xBF\xBF"}, zeros({3, 3}), "1 < 2"});
    CHECK(count(svg, ">&lt;s&gt;</text>") == 1);
    CHECK(count(svg, ">&amp;amp;</text>") == 1);
    CHECK(count(svg, ">a&quot;b</text>") == 1);
    CHECK(count(svg, ">\uFFFD</text>") == 2);
    CHECK(count(svg, ">x\uFFFD</text>") == 1);
    CHECK(count(svg, ">1 &lt; 2</text>") == 1);
}

TEST_CASE("float64 weights and views are drawn") {
    AttentionMap map = example_map();
    const std::string svg = svg_of(map);
    map.weights = cast(map.weights, Dtype::float64);
    CHECK(svg_of(map) == svg);
    const Tensor transposed = tensor({1, 0.0625, 0, 0.8125, 0, 0.125}, {3, 2});
    map.weights = transposed.view({2, 3}, {1, 2}, 0);
    CHECK(svg_of(map) == svg);
}

TEST_CASE("several maps stand in one picture, and none is a picture too") {
    const std::vector<AttentionMap> maps{example_map(), example_map()};
    const std::string svg = to_svg(maps);
    CHECK(count(svg, "</title></rect>") == 12);
    CHECK(count(svg, "<svg") == 1);
    CHECK(count(to_svg(std::vector<AttentionMap>{}), "</svg>") == 1);
    CHECK(count(svg_of({{}, {}, zeros({0, 0}), "empty"}), ">empty</text>") == 1);
}

TEST_CASE("weights that do not fit the words are an error") {
    AttentionMap map = example_map();
    map.weights = zeros({3, 2});
    CHECK_THROWS_WITH_AS(svg_of(map), "attention map: weights are [3, 2], but [target, source] words are [2, 3]",
                         ShapeError);
    map.weights = zeros({2, 3}, Dtype::int64);
    CHECK_THROWS_WITH_AS(svg_of(map), "attention map: weights are int64", DtypeError);
    map.weights = tensor({1, 0, 0, 0, 1.5, 0}, {2, 3});
    CHECK_THROWS_WITH_AS(svg_of(map), "attention map: the weight at [1, 1] is 1.5, not in [0, 1]", ValueError);
    map.weights = tensor({1, 0, std::numeric_limits<double>::quiet_NaN(), 0, 1, 0}, {2, 3});
    CHECK_THROWS_WITH_AS(svg_of(map), "attention map: the weight at [0, 2] is nan, not in [0, 1]", ValueError);
}

TEST_CASE("attention maps are numbers in JSON, a map a line") {
    CHECK(to_json(std::vector<AttentionMap>{}) == "[]\n");
    AttentionMap broken = example_map();
    broken.title = "\xff";
    const std::vector<AttentionMap> maps{example_map(), broken};
    const std::string rest =
        R"("source":["Tom","chases","Jerry"],"target":["汤姆","追"],"weights":[[1.0,0.0,0.0],[0.0625,0.8125,0.125]]})";
    CHECK(to_json(maps) == "[\n{\"title\":\"Tom chases Jerry\"," + rest + ",\n{\"title\":\"\uFFFD\"," + rest + "\n]\n");
    broken.weights = zeros({3, 2});
    CHECK_THROWS_AS(to_json({&broken, 1}), ShapeError);
}

TEST_CASE("parts of an attention map stand below it, side by side, with their names") {
    AttentionMap map = example_map();
    for (const char* const name :
         {"head <1>", "head 2", "head 3", "head 4", "head 5", "head 6", "head 7", "head 8", "head 9"})
        map.parts.push_back({name, tensor({0.5, 0.25, 0.25, 0, 0, 1}, {2, 3})});
    const std::string svg = svg_of(map);
    CHECK(count(svg, "</title></rect>") == 60);
    CHECK(count(svg, ">head &lt;1&gt;</text>") == 1);
    const auto place_of = [&svg](const std::string& name) {
        const std::size_t at = svg.rfind("translate(", svg.find(">" + name + "</text>")) + 10;
        return std::pair(std::stod(svg.substr(at)), std::stod(svg.substr(svg.find(' ', at))));
    };
    CHECK(place_of("head 2").first > place_of("head &lt;1&gt;").first);
    CHECK(place_of("head 2").second == place_of("head &lt;1&gt;").second);
    CHECK(place_of("head 9").second > place_of("head 2").second);  // a row more
    CHECK(to_json({&map, 1}).find(R"("parts":[{"name":"head <1>","weights":[[0.5,0.25,0.25],[0.0,0.0,1.0]]},)") !=
          std::string::npos);
    map.parts[1].weights = zeros({3, 2});
    CHECK_THROWS_AS(svg_of(map), ShapeError);
    CHECK_THROWS_AS(to_json({&map, 1}), ShapeError);
}

TEST_CASE("an attention map is written to a file") {
    const std::vector<AttentionMap> maps{example_map()};
    const TemporaryFile file;
    write_svg(maps, file.path());
    CHECK(file.content() == to_svg(maps));
    CHECK_THROWS_WITH_AS(write_svg(maps, "/missing/map.svg"),
                         "/missing/map.svg: cannot be written: No such file or directory", FileError);
}

TEST_CASE("a page shows what a word looked at, and what looked at it") {
    AttentionMap hostile = example_map();
    hostile.title = "</script><b>&amp;\"'\n";
    hostile.source = {"<img src=x onerror=alert(1)>", "مرحبا", "\xff"};
    const std::vector maps{example_map(), hostile};
    const std::string page = to_html(maps);
    CHECK(count(page, "http") == 0);
    CHECK(count(page, "</script>") == 2);
    const TemporaryDirectory directory;
    write_html(maps, directory.path() / "page.html");
    CHECK(content_of(directory.path() / "page.html") == page);
    IN_BROWSER(result, directory.path() / "page.html", R"(
        const words = [...document.querySelectorAll("button.word")];
        const said = () => words.map(word => word.classList.contains("told") ? word.lastChild.textContent : "-").join(" ");
        const point = (word, event) => word.dispatchEvent(new MouseEvent(event));
        const lines = [];
        point(words[4], "mouseenter");
        lines.push(said());
        point(words[4], "mouseleave");
        lines.push(said());
        point(words[1], "mouseenter");
        lines.push(said());
        point(words[1], "mouseleave");
        lines.push(document.querySelectorAll("img, b").length);
        lines.push(getComputedStyle(document.querySelectorAll("p.words")[2]).direction);
        const search = document.getElementById("search");
        search.value = "JERRY";
        search.dispatchEvent(new Event("input"));
        lines.push([...document.querySelectorAll("section")].map(section => section.hidden).join(" "));
        click("#tables");
        lines.push(document.querySelectorAll("td").length + " " + document.querySelector("td").title);
        return lines.join("|");)")
    CHECK(*result ==
          "0.06 0.81 0.13 - - - - - - -|- - - - - - - - - -|- - - - 0.81 - - - - -|0|ltr|false true|12 汤姆 from Tom: "
          "1.000");
}

TEST_CASE("a page shows parts beside one another, of which a reader chooses one, and the tree below") {
    std::vector maps{example_map(), example_map()};
    maps[1].parts = {{"</script>", tensor({0.25, 0.5, 0.25, 0, 0, 1}, {2, 3})}, {"head 2", maps[1].weights}};
    const BeamTree tree{.title = "hidden", .nodes = {{-1, "<b>追</b>", -0.5, -0.5, 0, -0.25}}};
    const std::vector trees{BeamTree{}, tree};
    const TemporaryDirectory directory;
    write_html(maps, directory.path() / "page.html", trees);
    CHECK_THROWS_WITH_AS(to_html(maps, {&tree, 1}), "attention map: 2 maps, but 1 trees", ValueError);
    IN_BROWSER(result, directory.path() / "page.html", R"(
        const section = document.querySelectorAll("section")[1];
        const word = section.querySelectorAll("button.word")[3];
        const said = () => {
          word.dispatchEvent(new MouseEvent("mouseenter"));
          const shares = [...section.querySelectorAll("button.word.told")].map(word => word.lastChild.textContent).join(" ");
          word.dispatchEvent(new MouseEvent("mouseleave"));
          return shares + " " + [...section.querySelectorAll("button.part")].map(part => part.ariaPressed).join(" ");
        };
        const lines = [[...section.querySelectorAll("figcaption")].map(caption => caption.textContent).join(" "), said()];
        section.querySelectorAll("button.part")[1].click();
        lines.push(said());
        const figures = [...section.querySelectorAll("figure")].map(figure => figure.getBoundingClientRect());
        lines.push(figures[1].left > figures[0].left && figures[1].top === figures[0].top);
        lines.push(section.querySelectorAll("svg").length, section.querySelector("svg").textContent.includes("<b>追</b>"),
                   section.querySelector("svg").textContent.includes("hidden"), document.querySelectorAll("b").length);
        click("#tables");
        lines.push(figures.length, getComputedStyle(section.querySelector(".tables")).display);
        return lines.join("|");)")
    CHECK(*result == "mean </script> head 2|1.00 true  |0.25 0.50 0.25 false true false|true|1|true|false|0|3|none");
}
