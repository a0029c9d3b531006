#include <doctest/doctest.h>
#include <graphviz/cgraph.h>

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
		graph [bgcolor="#e9f1fb",
			color="#9aa5b1",
			fontsize=11,
			label="rnn.cell ×3 steps",
			labeljust=l,
			style="dashed,rounded",
			tooltip="rnn.cell ×3 steps"
		];
		n0	[color="#4f9a54",
			fillcolor="#dcf2dc",
			fontsize=9,
			label="x\n[2, 3] float64",
			shape=ellipse,
			tooltip="input x\n[2, 3] float64"];
		n1	[color="#b39a3c",
			fillcolor="#fff4c2",
			fontsize=9,
			label="weight\n[3, 3] float64",
			shape=note,
			tooltip="parameter rnn.cell.weight\n[3, 3] float64"];
		n2	[label="matmul\n[2, 6] float64",
			tooltip="matmul [2, 6] float64\nrnn.cell, steps 0 to 2\n3 nodes\nkeeps 216 bytes for backward"];
		n3	[color="#b4bdc7",
			fontcolor="#5f6b7a",
			fontsize=8,
			label="slice [2, 3] float64",
			style=rounded,
			tooltip="slice [2, 3] float64\nrnn.cell, steps 0 to 2\n3 nodes"];
		n4	[label="tanh\n[2, 3] float64",
			tooltip="tanh [2, 3] float64\nrnn.cell, steps 0 to 2\n3 nodes\nkeeps 288 bytes for backward"];
	}
	subgraph cluster_1 {
		graph [bgcolor="#eaf6ea",
			color="#9aa5b1",
			fontsize=11,
			label=loss,
			labeljust=l,
			tooltip=loss
		];
		n5	[color="#b3261e",
			fillcolor="#f9d3d3",
			fontname="Helvetica-Bold",
			label="sum\n[] float64",
			penwidth=2,
			tooltip="sum [] float64\nloss\nkeeps 48 bytes for backward"];
	}
	n0 -> n2	[label="first step"];
	n1 -> n2;
	n2 -> n3;
	n3 -> n4;
	n4 -> n2	[color="#7048b6",
		constraint=false,
		fontcolor="#7048b6",
		label="next step",
		style=dashed];
	n4 -> n5	[label="last step"];
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
    Agnode_t* const node = agfstnode(graph);
    char label[] = "label";
    CHECK(std::string(agget(node, label)) == R"(a\\N"b" <i>&amp;amp;</i> {汤|姆}\n[])");
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
    CHECK(shows(to_dot(tape), "×3 steps"));
    CHECK(shows(to_dot(tape, {.unfold = 1}), "×2 steps"));
    CHECK_THROWS_AS(to_dot(tape, {.unfold = -1}), ValueError);
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
    for (const char* const name : {"graph.pdf", "graph", ".svg"}) {
        const std::string file = (directory.path() / name).string();
        CHECK_THROWS_WITH_AS(write_graph(tape, file),
                             ("write_graph: " + file + " must end in .dot, .svg or .png").c_str(), ValueError);
        CHECK(!std::filesystem::exists(file));
    }
    for (const char* const name : {"missing/graph.dot", "missing/graph.svg", "missing/graph.png"}) {
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
    CHECK(shows(pictures[0], ">rnn.cell ×3 steps</text>"));
    CHECK(pictures[0] == pictures[1]);
}
