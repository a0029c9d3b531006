#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "browser.hpp"
#include "examples/workplace.hpp"

using namespace wengert;

namespace {

/// The picture that these options make, as text.
std::string drawn(const Workplace& here, const std::string& options, const std::string& file) {
    const Outcome outcome = here.run("graph --out " + file + " " + options);
    CAPTURE(outcome.error);
    REQUIRE(outcome.code == 0);
    return content_of(here.path() / file);
}

}  // namespace

TEST_CASE("graph: each node says its formula, its bytes, its line and, if asked, its milliseconds") {
    const Workplace here;
    const std::string plain = drawn(here, "", "plain.dot"), timed = drawn(here, "--profile", "timed.dot");
    for (const std::string& text : {plain, timed}) {
        CHECK(has(text, "label=\"map"));
        CHECK(has(text, "sigmoid("));
        CHECK(has(text, "keeps "));
        CHECK(has(text, ".cpp:"));
        CHECK(has(text, ">Matrix products: "));
    }
    CHECK(!has(plain, " ms, backward "));
    CHECK(has(timed, " ms, backward "));
    CHECK(has(drawn(here, "--color time", "time.svg"), "from 0."));
    CHECK(has(drawn(here, "--color memory", "memory.svg"), "from "));
}

TEST_CASE("graph: steps fold with their count, and a depth closes boxes") {
    const Workplace here;
    CHECK(has(drawn(here, "--target-length 30", "folded.dot"), "×"));
    CHECK(has(drawn(here, "--target-length 30 --unfold 2 --depth 9", "two.dot"), "step 2.."));
    const std::string closed = drawn(here, "--depth 0", "closed.dot");
    CHECK(has(closed, "shape=box3d"));
    CHECK(has(closed, "parameters\\n"));
    CHECK(closed.size() < drawn(here, "--depth 9", "open.dot").size() / 3);
    CHECK(has(drawn(here, "--backward", "both.dot"), "label=\"rule of "));
}

TEST_CASE("graph: every system is a picture, and a page that opens") {
    const Workplace here;
    for (const char* const system : {"sutskever", "conditional", "luong-local-p", "coverage", "transformer"}) {
        CAPTURE(system);
        CHECK(has(drawn(here, std::string("--system ") + system, "graph.svg"), "</svg>"));
        CHECK(has(drawn(here, std::string("--system ") + system, "graph.html"), "</html>"));
    }
}

TEST_CASE("graph: the tape of 30 steps, none folded, opens and takes clicks") {
    const Workplace here;
    drawn(here, "--source-length 30 --target-length 30 --profile", "page.html");
    IN_BROWSER(took, here.path() / "page.html", "return document.documentElement.dataset.ready;")
    CHECK(std::stod(*took) > 0);  // milliseconds until it was laid out
    IN_BROWSER(seen, here.path() / "page.html", R"(
        const steps = boxes.filter(box => box.title === 'step 29').length;
        const matching = [...document.querySelectorAll('.box.closed')].find(
            box => box.textContent.includes('decoder'));
        const before = document.querySelectorAll('.vertex, .box').length;
        if (matching) click(`.box.closed[data-box="${matching.dataset.box}"]`);
        return [steps >= 2, vertices.length > 500, document.querySelectorAll('.vertex, .box').length !== before].join();)")
    CHECK(*seen == "true,true,true");
}
