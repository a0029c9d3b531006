#include <doctest/doctest.h>
#include <graphviz/cgraph.h>

#include <cmath>
#include <thread>
#include <wengert/autograd/observe/graph.hpp>

#include "autograd/named_op.hpp"
#include "temporary_directory.hpp"

using namespace sketch;

namespace {

bool shows(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// loss = sum(states of a loop of three steps)
void record_loop(const Tensor& x) {
    const Tensor w = parameter("rnn.cell.weight", {3, 3}, Dtype::float64);
    Tensor h = x;
    {
        const Scope rnn("rnn"), cell("cell");
        for (int t = 0; t < 3; ++t) {
            const Step step(t);
            const Tensor product = apply(NamedOp<"matmul">{{2, 6}}, {&h, &w}, {});
            const Tensor half = apply(NamedView<"slice">{{2, 3}}, {&product}, {});
            h = apply(NamedOp<"tanh">{{2, 3}}, {&half}, {});
        }
    }
    const Scope loss("loss");
    apply(NamedOp<"sum">{{}}, {&h}, {});
}

}  // namespace

TEST_CASE("a small graph in Graphviz's language") {
    Tensor x = zeros({2, 3}, Dtype::float64);
    x.set_name("x");
    Tape tape;
    tape.watch(x);
    record_loop(x);
    CHECK(to_dot(tape) == R"(digraph tape {
	graph [fontname="Helvetica-Bold",
		fontsize=11,
		nodesep=0.15,
		ranksep=0.3
	];
	node [color="#5f6b7a",
		fillcolor=white,
		fontname=Helvetica,
		fontsize=10,
		height=0.1,
		margin="0.08,0.04",
		shape=box,
		style=filled
	];
	edge [arrowsize=0.6,
		color="#5f6b7a",
		fontname=Helvetica,
		fontsize=8
	];
	subgraph cluster_0 {
		graph [bgcolor="#0000000a",
			color="#9aa5b1",
			fontsize=11,
			label="rnn.cell, step 0..2, ×3",
			labeljust=l,
			style="dashed,rounded",
			tooltip="rnn.cell, step 0..2, ×3\n9 nodes, keep 504 bytes for backward"
		];
		n0	[color="#4f9a54",
			fillcolor="#dcf2dc",
			fontsize=9,
			label="x\n[2, 3] float64",
			shape=ellipse,
			tooltip="input x\n[2, 3] float64"];
		n1	[color="#b39a3c",
			fillcolor="#fff8dc",
			fontsize=9,
			label="weight\n[3, 3] float64",
			shape=note,
			tooltip="parameter rnn.cell.weight\n[3, 3] float64"];
		n2	[fillcolor="#a9cdf0",
			fontcolor="#1b2430",
			label="matmul\n[2, 6] float64\nkeeps 216 bytes",
			tooltip="matmul [2, 6] float64\nrnn.cell, steps 0 to 2\n3 nodes\nkeeps 216 bytes for backward"];
		n3	[color="#b4bdc7",
			fillcolor="#ffe8b3",
			fontcolor="#1b2430",
			fontsize=8,
			label="slice [2, 3] float64",
			style="rounded,filled",
			tooltip="slice [2, 3] float64\nrnn.cell, steps 0 to 2\n3 nodes"];
		n4	[fillcolor="#a9cdf0",
			fontcolor="#1b2430",
			label="tanh\n[2, 3] float64\nkeeps 288 bytes",
			tooltip="tanh [2, 3] float64\nrnn.cell, steps 0 to 2\n3 nodes\nkeeps 288 bytes for backward"];
	}
	subgraph cluster_1 {
		graph [bgcolor="#0000000a",
			color="#9aa5b1",
			fontsize=11,
			label=loss,
			labeljust=l,
			tooltip="loss\n1 node, keep 48 bytes for backward"
		];
		n5	[color=black,
			fillcolor="#a9cdf0",
			fontcolor="#1b2430",
			fontname="Helvetica-Bold",
			label="sum\n[] float64\nkeeps 48 bytes",
			penwidth=2,
			peripheries=2,
			tooltip="sum [] float64\nloss\nkeeps 48 bytes for backward"];
	}
	n0 -> n2	[label="first step",
		style=dashed];
	n1 -> n2	[minlen=0,
		style=dashed];
	n2 -> n3;
	n3 -> n4	[style=dashed];
	n4 -> n2	[color="#7048b6",
		constraint=false,
		fontcolor="#7048b6",
		label="next step",
		penwidth=2,
		style=dashed];
	n4 -> n5	[label="last step",
		style=dashed];
	legend	[fontsize=8,
		label=<<table border="0" cellborder="1" cellspacing="0" cellpadding="3"><tr><td bgcolor="#a9cdf0" align="left"><font color="#1b2430">Other ops: matmul, sum, tanh</font></td></tr><tr><td bgcolor="#ffe8b3" align="left"><font color="#1b2430">Views: slice</font></td></tr><tr><td bgcolor="#ffffff" align="left"><font color="#1b2430">double frame: a result</font></td></tr><tr><td bgcolor="#ffffff" align="left"><font color="#1b2430">dashed: kept for backward</font></td></tr><tr><td bgcolor="#ffffff" align="left"><font color="#1b2430">bold: to a later step</font></td></tr></table>>,
		shape=plaintext,
		style=solid,
		tooltip=Legend];
}
)");
}

TEST_CASE("the same tape gives the same text") {
    std::string texts[2];
    for (std::string& text : texts) {
        const std::vector<Tensor> other_addresses(static_cast<std::size_t>(100 * (&text - texts)), zeros({7}));
        Tape tape;
        const Tensor w = parameter("w", {3});
        Tensor x = w;
        for (const char* const name : {"z", "a", "m", "b", "y", "c", "x"}) {
            const Scope scope(name);
            x = compute<"exp">({3}, {&x});
        }
        text = to_dot(tape);
    }
    CHECK(texts[0] == texts[1]);
    CHECK(texts[0].find("label=z") < texts[0].find("label=a"));
}

TEST_CASE("any name is shown as it is") {
    const std::string name = R"(a\N"b" <i>&amp;</i> {汤|姆})";
    const Tensor w = parameter(name, {});
    Tape tape;
    compute<"exp">({}, {&w});
    const TemporaryDirectory directory;
    write_graph(tape, directory.path() / "names.svg", {.title = name});
    const std::string svg = content_of(directory.path() / "names.svg");
    const std::string escaped = R"(a\N&quot;b&quot; &lt;i&gt;&amp;amp;&lt;/i&gt; {汤|姆})";
    CHECK(shows(svg, ">" + escaped + "</text>"));
    CHECK(shows(svg, "\"parameter " + escaped + "&#10;"));

    Agraph_t* const graph = agmemread(to_dot(tape).c_str());
    REQUIRE(graph != nullptr);
    char name_of_first[] = "n0", label[] = "label";
    Agnode_t* const node = agnode(graph, name_of_first, 0);
    REQUIRE(node != nullptr);
    CHECK(std::string(agget(node, label)) == R"(a\\N"b" <i>&amp;amp;</i> {汤|姆}\n[] float32)");
    agclose(graph);
}

TEST_CASE("the title stands in the text") {
    const Tensor w = parameter("w", {});
    Tape tape;
    const Scope scope("part");
    compute<"exp">({}, {&w});
    CHECK(shows(to_dot(tape, {.title = "One step"}), "label=\"One step\""));
    CHECK(!shows(to_dot(tape), "labelloc"));
}

TEST_CASE("options.unfold is followed") {
    const Tensor x = zeros({2, 3}, Dtype::float64);
    Tape tape;
    tape.watch(x);
    record_loop(x);
    CHECK(shows(to_dot(tape), "step 0..2, ×3"));
    CHECK(shows(to_dot(tape, {.unfold = 1}), "step 1..2, ×2"));
}

TEST_CASE("the file's extension says what is written") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    compute<"exp">({3}, {&w});
    const TemporaryDirectory directory;
    write_graph(tape, directory.path() / "graph.dot");
    write_graph(tape, directory.path() / "graph.svg");
    write_graph(tape, directory.path() / "graph.png");
    CHECK(content_of(directory.path() / "graph.dot") == to_dot(tape));
    const std::string svg = content_of(directory.path() / "graph.svg");
    CHECK(svg.starts_with("<?xml"));
    CHECK(shows(svg, ">exp</text>"));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(content_of(directory.path() / "graph.png").starts_with("\x89PNG\r\n\x1a\n"));
    write_graph(tape, directory.path() / "graph.pdf");
    CHECK(content_of(directory.path() / "graph.pdf").starts_with("%PDF-"));
    write_graph(tape, directory.path() / "graph.html");
    CHECK(content_of(directory.path() / "graph.html").starts_with("<!DOCTYPE html>"));
}

TEST_CASE("an empty tape is an empty picture") {
    const Tape tape;
    const TemporaryDirectory directory;
    write_graph(tape, directory.path() / "empty.svg");
    CHECK(shows(content_of(directory.path() / "empty.svg"), "<svg"));
}

TEST_CASE("files that cannot be written are named") {
    const Tape tape;
    const TemporaryDirectory directory;
    for (const char* const name : {"graph.jpeg", "graph", ".svg", "graph.SVG"}) {
        const std::string file = (directory.path() / name).string();
        CHECK_THROWS_WITH_AS(write_graph(tape, file),
                             ("write_graph: " + file + " must end in .svg, .png, .pdf, .dot or .html").c_str(),
                             ValueError);
        CHECK(!std::filesystem::exists(file));
    }
    for (const char* const name : {"missing/graph.dot", "missing/graph.svg", "missing/graph.html"}) {
        const std::string file = (directory.path() / name).string();
        CHECK_THROWS_WITH_AS(write_graph(tape, file), (file + ": cannot be written: No such file or directory").c_str(),
                             FileError);
    }
}

TEST_CASE("threads can draw at the same time") {
    std::string pictures[2];
    const TemporaryDirectory directory;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&, i] {
                const Tensor x = zeros({2, 3}, Dtype::float64);
                Tape tape;
                tape.watch(x);
                record_loop(x);
                const std::filesystem::path file = directory.path() / (i == 0 ? "a.svg" : "b.svg");
                for (int k = 0; k < 5; ++k) write_graph(tape, file);
                pictures[i] = content_of(file);
            });
        }
    }
    CHECK(shows(pictures[0], ">rnn.cell, step 0..2, ×3</text>"));
    CHECK(pictures[0] == pictures[1]);
}

TEST_CASE("options that make no sense are errors that say which") {
    const Tensor w = parameter("w", {});
    Tape tape;
    compute<"exp">({}, {&w});
    CHECK_THROWS_WITH_AS(to_dot(tape, {.unfold = -1}), "write_graph: unfold must not be negative, it is -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(to_dot(tape, {.depth = -2}), "write_graph: depth must not be negative, it is -2", ValueError);
    CHECK_THROWS_WITH_AS(to_dot(tape, {.color = GraphColor::time}),
                         "write_graph: colours by time need a profile, a NodeProfile that observed the tape",
                         ValueError);
    CHECK_THROWS_WITH_AS(to_dot(tape, {.backward = true}),
                         "write_graph: a backward pass is that of a result; say which", ValueError);
    CHECK_THROWS_WITH_AS(to_dot(tape, {.result = zeros({2})}),
                         "write_graph: the result is constant, the tape does not have it", ValueError);
    CHECK_THROWS_WITH_AS(to_dot(tape, {.around = 2}), "write_graph: around is node 2, and the tape has 2", ValueError);
}

TEST_CASE("colours tell families, time or memory, and the legend says which") {
    const Tensor w = parameter("w", {1000});
    Tape tape;
    const NodeProfile profile;
    const Tensor x = compute<"exp">({1000}, {&w});
    look<"slice">({2}, x);
    const auto family = [](std::string_view op) -> std::string_view { return op == "exp" ? "Exponentials" : ""; };
    const std::string by_family = to_dot(tape, {.family = family});
    CHECK(shows(by_family, ">Exponentials: exp</font>"));
    CHECK(shows(by_family, ">Views: slice</font>"));
    CHECK(shows(by_family, ">dashed: kept for backward</font>"));
    CHECK(shows(to_dot(tape), ">Other ops: exp</font>"));
    const std::string by_memory = to_dot(tape, {.color = GraphColor::memory});
    CHECK(shows(by_memory, ">from 3.2 kB</font>"));
    CHECK(shows(by_memory, "fillcolor=\"#7f0000\""));
    CHECK(shows(to_dot(tape, {.color = GraphColor::time, .profile = &profile}), " ms</font>"));
}

TEST_CASE("a node that is not finite is red, and so says the legend") {
    Tensor w = parameter("w", {2});
    fill(w, std::nan(""));
    Tape tape;
    compute<"exp">({2}, {&w});
    CHECK(shows(to_dot(tape), "fillcolor=\"#d00000\""));
    CHECK(shows(to_dot(tape), ">has a NaN or an infinity</font>"));
    fill(w, 1);
    CHECK(!shows(to_dot(tape), "#d00000"));
}

TEST_CASE("a depth closes boxes, and a graph that is too large is closed by itself and says so") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor x = w;
    for (int block = 0; block < 40; ++block) {
        const Scope scope("block" + std::to_string(block));
        for (int i = 0; i < 10; ++i) x = compute<"tanh">({3}, {&x});
    }
    CHECK(shows(to_dot(tape, {.depth = 0}), "label=\"block39\\nin: [3] float32\\nout: [3] float32\\n10 nodes"));
    CHECK(!shows(to_dot(tape, {.depth = 0}), "tanh"));
    CHECK(shows(to_dot(tape, {.depth = 1}), "label=\"tanh"));
    const std::string closed = to_dot(tape, {.title = "Blocks"});
    CHECK(shows(closed, "label=\"Blocks\\n401 ops and operands are too many to show: boxes in 0 others are closed\""));
}

TEST_CASE("10,000 nodes without scopes are a picture within seconds, or an error at once") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    Tensor x = w;
    for (int i = 0; i < 10'000; ++i) x = compute<"tanh">({3}, {&x});
    const TemporaryDirectory directory;
    write_graph(tape, directory.path() / "long.svg");
    CHECK(shows(content_of(directory.path() / "long.svg"), "part 1 of "));
    const auto write_all = [&] { write_graph(tape, directory.path() / "all.svg", {.depth = 100}); };
    CHECK_THROWS_WITH_AS(
        write_all(),
        "write_graph: 10001 vertices are too many for a picture, 1500 are the most: close boxes with a "
        "smaller depth, fold steps, or write a page (.html), which opens what is asked for",
        ValueError);
    CHECK(!std::filesystem::exists(directory.path() / "all.svg"));
}

TEST_CASE("forward and backward stand in one drawing") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    const Tensor x = compute<"exp">({3}, {&w}), loss = compute<"sum">({}, {&x});
    const std::string text = to_dot(tape, {.result = loss, .backward = true});
    CHECK(shows(text, "label=\"rule of exp\\ncotangent [3] float32\""));
    CHECK(shows(text, "label=\"∂ w\\n[3] float32\""));
    CHECK(shows(text, "dir=back"));
    CHECK(!shows(to_dot(tape, {.result = loss}), "rule of"));
}

TEST_CASE("what is around a node is drawn, with the way to the result") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    std::vector<Tensor> chain{w};
    for (int i = 0; i < 20; ++i) chain.push_back(compute<"tanh">({3}, {&chain.back()}));
    const Tensor loss = compute<"sum">({}, {&chain.back()});
    const std::string text = to_dot(tape, {.result = chain[8], .around = tape.find(chain[4])});
    CHECK(shows(text, "penwidth=5"));
    CHECK(!shows(text, "label=\"sum"));
    CHECK(shows(to_dot(tape, {.result = loss, .around = tape.find(chain[4])}), "label=\"sum"));
}
